//! Every way in which a session ends records a reason, which its timeline contains.

use std::sync::Arc;

use gateward_domain::key::{Algorithm, KeyId, KeyPurpose, StoredKey};
use gateward_domain::ports::Access;
use gateward_domain::{EndReason, RequestInfo, RoleName, SessionId, TokenText};
use gateward_testkit::{MemoryStore, fixtures};

use super::mailbox::{address, by_token, reset, saying, token};
use super::test_app::{PASSWORD, TestApp, password, policy, test_app_with};
use crate::{ChangePassword, ExplainError, LoggedIn, RefreshError};
use gateward_domain::email::EmailTemplate;

const DAY: i64 = 24 * 3600;

async fn test_app() -> TestApp {
    let test_app = test_app_with(policy(), Arc::new(MemoryStore::new())).await;
    test_app.owner("ada", |_| ()).await;
    test_app.clock.advance_seconds(2 * DAY);
    test_app
}

fn request_info() -> RequestInfo {
    RequestInfo { ip: Some("192.0.2.7".parse().unwrap()), user_agent: None }
}

async fn login(test_app: &TestApp) -> LoggedIn {
    test_app.clock.advance_seconds(1);
    test_app.login("ada", PASSWORD).await.unwrap()
}

/// Ends a session in the way that records this reason.
async fn end(test_app: &TestApp, reason: EndReason, session: &LoggedIn) {
    let access = session.pair.access.text.expose();
    let (id, app) = (session.pair.session_id, &test_app.app);
    match reason {
        EndReason::Logout => app.logout_by_access(access, &request_info()).await.unwrap(),
        EndReason::EndedByAdmin => {
            test_app.clock.advance_seconds(1);
            app.end_all_sessions(app.now(), |_| ()).await.unwrap();
        }
        EndReason::LogoutAll | EndReason::EndedByUser | EndReason::PasswordChanged => {
            end_from_another(test_app, reason, id).await;
        }
        EndReason::PasswordReset => {
            let message = test_app.forgotten("ada").await;
            app.reset_password(reset(by_token(&message), "another horse")).await.unwrap();
        }
        EndReason::EmailChanged => {
            test_app.post().await;
            let caller = app.authenticate(access).await.unwrap();
            let presented = app
                .verify_again(&caller, &password(PASSWORD), &RequestInfo::default())
                .await
                .unwrap();
            app.change_email(&caller, presented, address("new"), &request_info()).await.unwrap();
            let message = saying(&test_app.post().await, EmailTemplate::EmailChange);
            app.undo_email_change(&token(&message), &request_info()).await.unwrap();
        }
        EndReason::AccountDisabled => {
            test_app.set_disabled("ada", true).await;
        }
        EndReason::AccountDeleted => {
            let caller = app.authenticate(access).await.unwrap();
            let presented = app.check_recent(&caller).unwrap();
            app.delete_account(&caller, presented, &request_info()).await.unwrap();
        }
        EndReason::RefreshTokenReused => {
            let refresh = |token: &TokenText| test_app.refresh(token, None);
            let second = app.refresh(refresh(&session.pair.refresh)).await.unwrap().pair;
            app.refresh(refresh(&second.refresh)).await.unwrap();
            let replay = app.refresh(refresh(&session.pair.refresh)).await;
            assert!(matches!(replay, Err(RefreshError::Reused)));
        }
        EndReason::IdleTimeout => test_app.clock.advance_seconds(7 * DAY),
        EndReason::LifetimeOver => {
            let mut current = session.pair.refresh.clone();
            for _ in 0..5 {
                test_app.clock.advance_seconds(6 * DAY);
                let Ok(next) = app.refresh(test_app.refresh(&current, None)).await else { break };
                current = next.pair.refresh;
            }
            test_app.clock.advance_seconds(DAY);
        }
        EndReason::SessionLimit => {
            for _ in 0..3 {
                login(test_app).await;
            }
        }
        EndReason::KeyCompromised => {
            put_refresh_key(test_app).await;
            app.revoke_key(&KeyId("refresh".to_owned())).await.unwrap();
        }
        EndReason::NotMe => {
            let message = saying(&test_app.post().await, EmailTemplate::NewDevice);
            app.report_login(&token(&message), &request_info()).await.unwrap();
        }
    }
}

/// Ends a session from another one of its user.
async fn end_from_another(test_app: &TestApp, reason: EndReason, id: SessionId) {
    let other = login(test_app).await.pair;
    let caller = test_app.app.authenticate(other.access.text.expose()).await.unwrap();
    match reason {
        EndReason::LogoutAll => {
            test_app.app.logout_all(&caller, true, &request_info()).await.unwrap();
        }
        EndReason::EndedByUser => {
            test_app.app.end_own_session(&caller, id, &request_info()).await.unwrap();
        }
        _ => {
            let (current, new) = (password(PASSWORD), password("another horse"));
            let change = ChangePassword { current, new, request_info: request_info() };
            test_app.app.change_password(&caller, change).await.unwrap();
        }
    }
}

/// Stores the key that the plain signer signs refresh tokens with.
async fn put_refresh_key(test_app: &TestApp) {
    test_app.app.prepare_keys(crate::NewAlgorithm::Waits).await.unwrap();
    let mut tx = test_app.store.begin(Access::SingleWrite).await.unwrap();
    let key = StoredKey {
        id: KeyId("refresh".to_owned()),
        purpose: KeyPurpose::Refresh,
        algorithm: Algorithm::Hs256,
        wrapped: Vec::new(),
        public_jwk: None,
        created_at: fixtures::NOW,
        active_from: fixtures::NOW,
        revoked_at: None,
    };
    tx.insert_key(&key).await.unwrap();
    tx.commit().await.unwrap();
}

/// Returns what the timeline says about each end.
fn said(reason: EndReason) -> &'static str {
    match reason {
        EndReason::Logout => "the client logged out",
        EndReason::LogoutAll => "the user logged out of all sessions",
        EndReason::EndedByUser => "the user ended it; the request came from 192.0.2.7",
        // The event of ending all sessions is about no account.
        EndReason::EndedByAdmin => "an administrator ended it",
        EndReason::PasswordChanged => {
            "the user changed the password in another session; the request came from 192.0.2.7"
        }
        EndReason::PasswordReset => "the user reset the password with a link or code",
        EndReason::EmailChanged => {
            "the user undid a change of the email address; the request came from 192.0.2.7"
        }
        EndReason::AccountDisabled => "an operator at the command line disabled the account",
        EndReason::AccountDeleted => {
            "the user deleted the account; the request came from 192.0.2.7"
        }
        EndReason::RefreshTokenReused => {
            "a refresh token was used again, so two clients have the same token"
        }
        EndReason::IdleTimeout => "it was not refreshed for too long",
        EndReason::LifetimeOver => "it reached its maximum lifetime",
        EndReason::SessionLimit => "the user started more sessions than are allowed",
        EndReason::KeyCompromised => {
            "an operator declared the key that signed its tokens compromised"
        }
        EndReason::NotMe => "the account owner reported the login; the request came from 192.0.2.7",
    }
}

#[tokio::test]
async fn every_way_in_which_a_session_ends_leaves_a_reason_that_its_timeline_tells() {
    for reason in EndReason::ALL {
        let test_app = test_app().await;
        let session = login(&test_app).await;
        let id = session.pair.session_id;
        end(&test_app, *reason, &session).await;
        let timeline = test_app.app.session_timeline(id).await.unwrap().unwrap();
        assert_eq!(timeline.end.map(|end| end.reason), Some(*reason));
        let last = timeline.entries.last().unwrap();
        assert_eq!(last.code, reason.as_str());
        let expected = format!("The session ended: {}", said(*reason));
        assert!(last.message.starts_with(&expected), "{reason}: {}", last.message);
        assert_eq!(timeline.entries[0].code, "session_started");
    }
}

#[tokio::test]
async fn an_active_session_tells_what_has_happened_and_what_is_to_come() {
    let test_app = test_app().await;
    let session = login(&test_app).await;
    let caller = test_app.app.authenticate(session.pair.access.text.expose()).await.unwrap();
    test_app.clock.advance_seconds(60);
    let presented =
        test_app.app.verify_again(&caller, &password(PASSWORD), &request_info()).await.unwrap();
    test_app.app.reauthenticate(&caller, presented, &request_info()).await.unwrap();
    test_app.clock.advance_seconds(60);
    test_app.app.refresh(test_app.refresh(&session.pair.refresh, None)).await.unwrap();
    let timeline = test_app.app.session_timeline(caller.session_id).await.unwrap().unwrap();
    let codes: Vec<_> = timeline.entries.iter().map(|entry| entry.code).collect();
    let told = ["session_started", "new_device", "reauthenticated", "refreshed"];
    assert_eq!(codes, [&told[..], &["idle_timeout", "lifetime_over"]].concat());
    assert!(timeline.end.is_none());
}

#[tokio::test]
async fn timelines_are_told_to_those_who_may_see_sessions() {
    let test_app = test_app().await;
    let id = login(&test_app).await.pair.session_id;
    let ada = test_app.caller("ada").await;
    let refused = test_app.app.explain_session(&ada, id).await;
    assert!(matches!(refused, Err(ExplainError::Forbidden(_))));
    let unknown = SessionId::before_all_at(fixtures::NOW);
    let refused = test_app.app.explain_session(&ada, unknown).await;
    assert!(matches!(refused, Err(ExplainError::Forbidden(_))), "before anybody looks");

    test_app.owner("grace", |user| user.roles = vec![RoleName::admin()]).await;
    let grace = test_app.caller("grace").await;
    assert_eq!(test_app.app.explain_session(&grace, id).await.unwrap().session.id, id);
    let gone = test_app.app.explain_session(&grace, unknown).await;
    assert!(matches!(gone, Err(ExplainError::NotFound)));
}
