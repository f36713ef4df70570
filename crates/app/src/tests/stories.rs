//! Every way in which a session ends leaves a reason, and its story tells it.

use std::sync::Arc;

use gateward_domain::key::{Algorithm, KeyId, KeyPurpose, StoredKey};
use gateward_domain::ports::Access;
use gateward_domain::{EndReason, Origin, RoleName, SessionId, TokenText};
use gateward_testkit::{MemoryStore, fixtures};

use super::fakes::{PASSWORD, World, password, policy, world_with};
use super::mailbox::{address, by_token, reset, saying, token};
use crate::{ChangePassword, ExplainError, LoggedIn, RefreshError};
use gateward_domain::mail::LetterText;

const DAY: i64 = 24 * 3600;

async fn world() -> World {
    let world = world_with(policy(), Arc::new(MemoryStore::new())).await;
    world.owner("ada", |_| ()).await;
    world.clock.advance_seconds(2 * DAY);
    world
}

fn origin() -> Origin {
    Origin { ip: Some("192.0.2.7".parse().unwrap()), user_agent: None }
}

async fn login(world: &World) -> LoggedIn {
    world.clock.advance_seconds(1);
    world.login("ada", PASSWORD).await.unwrap()
}

/// Ends a session in the way that leaves this reason.
async fn end(world: &World, reason: EndReason, session: &LoggedIn) {
    let access = session.pair.access.text.expose();
    let (id, app) = (session.pair.session_id, &world.app);
    match reason {
        EndReason::Logout => app.logout_by_access(access, &origin()).await.unwrap(),
        EndReason::EndedByAdmin => {
            world.clock.advance_seconds(1);
            app.end_all_sessions(app.now(), |_| ()).await.unwrap();
        }
        EndReason::LogoutAll | EndReason::EndedByUser | EndReason::PasswordChanged => {
            end_from_another(world, reason, id).await;
        }
        EndReason::PasswordReset => {
            let letter = world.forgotten("ada").await;
            app.reset_password(reset(by_token(&letter), "another horse")).await.unwrap();
        }
        EndReason::EmailChanged => {
            world.post().await;
            let caller = app.authenticate(access).await.unwrap();
            let shown =
                app.verify_again(&caller, &password(PASSWORD), &Origin::default()).await.unwrap();
            app.change_email(&caller, shown, address("new"), &origin()).await.unwrap();
            let letter = saying(&world.post().await, LetterText::EmailChange);
            app.undo_email_change(&token(&letter), &origin()).await.unwrap();
        }
        EndReason::AccountDisabled => {
            world.set_disabled("ada", true).await;
        }
        EndReason::AccountDeleted => {
            let caller = app.authenticate(access).await.unwrap();
            let shown = app.check_recent(&caller).unwrap();
            app.delete_account(&caller, shown, &origin()).await.unwrap();
        }
        EndReason::RefreshTokenReused => {
            let refresh = |token: &TokenText| world.refresh(token, None);
            let second = app.refresh(refresh(&session.pair.refresh)).await.unwrap().pair;
            app.refresh(refresh(&second.refresh)).await.unwrap();
            let replay = app.refresh(refresh(&session.pair.refresh)).await;
            assert!(matches!(replay, Err(RefreshError::Reused)));
        }
        EndReason::IdleTimeout => world.clock.advance_seconds(7 * DAY),
        EndReason::LifetimeOver => {
            let mut current = session.pair.refresh.clone();
            for _ in 0..5 {
                world.clock.advance_seconds(6 * DAY);
                let Ok(next) = app.refresh(world.refresh(&current, None)).await else { break };
                current = next.pair.refresh;
            }
            world.clock.advance_seconds(DAY);
        }
        EndReason::SessionLimit => {
            for _ in 0..3 {
                login(world).await;
            }
        }
        EndReason::KeyCompromised => {
            put_refresh_key(world).await;
            app.revoke_key(&KeyId("refresh".to_owned())).await.unwrap();
        }
        EndReason::NotMe => {
            let letter = saying(&world.post().await, LetterText::NewClient);
            app.disown_login(&token(&letter), &origin()).await.unwrap();
        }
    }
}

/// Ends a session from another one of its user.
async fn end_from_another(world: &World, reason: EndReason, id: SessionId) {
    let other = login(world).await.pair;
    let caller = world.app.authenticate(other.access.text.expose()).await.unwrap();
    match reason {
        EndReason::LogoutAll => world.app.logout_all(&caller, true, &origin()).await.unwrap(),
        EndReason::EndedByUser => {
            world.app.end_own_session(&caller, id, &origin()).await.unwrap();
        }
        _ => {
            let (current, new) = (password(PASSWORD), password("another horse"));
            let change = ChangePassword { current, new, origin: origin() };
            world.app.change_password(&caller, change).await.unwrap();
        }
    }
}

/// Stores the key that the plain signer says it signs refresh tokens with.
async fn put_refresh_key(world: &World) {
    world.app.prepare_keys(crate::NewAlgorithm::Waits).await.unwrap();
    let mut tx = world.store.begin(Access::SingleWrite).await.unwrap();
    let key = StoredKey {
        id: KeyId("refresh".to_owned()),
        purpose: KeyPurpose::Refresh,
        algorithm: Algorithm::Hs256,
        sealed: Vec::new(),
        public_jwk: None,
        created_at: fixtures::NOW,
        active_from: fixtures::NOW,
        revoked_at: None,
    };
    tx.insert_key(&key).await.unwrap();
    tx.commit().await.unwrap();
}

/// By whom each end is told to be caused; nothing where time alone has brought it.
fn by(reason: EndReason) -> &'static str {
    match reason {
        // What ends everybody's sessions is written down about nobody.
        EndReason::IdleTimeout | EndReason::LifetimeOver | EndReason::EndedByAdmin => "",
        EndReason::AccountDisabled | EndReason::KeyCompromised => {
            ", by an operator at the command line"
        }
        EndReason::RefreshTokenReused | EndReason::SessionLimit => ", by the service",
        EndReason::PasswordReset | EndReason::Logout | EndReason::LogoutAll => ", by its user",
        EndReason::EndedByUser
        | EndReason::PasswordChanged
        | EndReason::EmailChanged
        | EndReason::AccountDeleted
        | EndReason::NotMe => ", by its user from 192.0.2.7",
    }
}

#[tokio::test]
async fn every_way_in_which_a_session_ends_leaves_a_reason_that_its_story_tells() {
    for reason in EndReason::ALL {
        let world = world().await;
        let session = login(&world).await;
        let id = session.pair.session_id;
        end(&world, *reason, &session).await;
        let story = world.app.tell_session(id).await.unwrap().unwrap();
        assert_eq!(story.end.map(|end| end.reason), Some(*reason));
        let last = story.chapters.last().unwrap();
        assert_eq!(last.code, reason.as_str());
        assert!(last.text.starts_with("The session ended: "), "{reason}: {}", last.text);
        assert!(last.text.contains(by(*reason)), "{reason}: {}", last.text);
        assert_eq!(story.chapters[0].code, "session_begun");
    }
}

#[tokio::test]
async fn a_living_session_tells_what_has_happened_and_what_is_to_come() {
    let world = world().await;
    let session = login(&world).await;
    let caller = world.app.authenticate(session.pair.access.text.expose()).await.unwrap();
    world.clock.advance_seconds(60);
    let shown = world.app.verify_again(&caller, &password(PASSWORD), &origin()).await.unwrap();
    world.app.reauthenticate(&caller, shown, &origin()).await.unwrap();
    world.clock.advance_seconds(60);
    world.app.refresh(world.refresh(&session.pair.refresh, None)).await.unwrap();
    let story = world.app.tell_session(caller.session_id).await.unwrap().unwrap();
    let codes: Vec<_> = story.chapters.iter().map(|chapter| chapter.code).collect();
    let told = ["session_begun", "new_client", "reauthenticated", "refreshed"];
    assert_eq!(codes, [&told[..], &["idle_timeout", "lifetime_over"]].concat());
    assert!(story.end.is_none());
}

#[tokio::test]
async fn stories_are_told_to_those_who_may_see_sessions() {
    let world = world().await;
    let id = login(&world).await.pair.session_id;
    let ada = world.caller("ada").await;
    let refused = world.app.explain_session(&ada, id).await;
    assert!(matches!(refused, Err(ExplainError::Forbidden(_))));
    let unknown = SessionId::before_all_at(fixtures::NOW);
    let refused = world.app.explain_session(&ada, unknown).await;
    assert!(matches!(refused, Err(ExplainError::Forbidden(_))), "before anybody looks");

    world.owner("grace", |user| user.roles = vec![RoleName::admin()]).await;
    let grace = world.caller("grace").await;
    assert_eq!(world.app.explain_session(&grace, id).await.unwrap().session.id, id);
    let gone = world.app.explain_session(&grace, unknown).await;
    assert!(matches!(gone, Err(ExplainError::NotFound)));
}
