//! Promises about sessions: every field is stored, they are found with their user, and cleaned up
//! once they have expired.

use gateward_domain::key::KeyId;
use gateward_domain::refresh::RefreshState;
use gateward_domain::{End, EndReason, RequestInfo, Session, User};

use super::StoreFixture;
use super::fixture::{after, logout_after};
use crate::fixtures::{LIFETIME_SECONDS, key_hash};

/// A session with a value in every field.
fn rich(fixture: &StoreFixture, user: &User) -> Session {
    let plain = fixture.draft(user);
    let refresh_state = RefreshState {
        // Needs more than 32 bits.
        generation: 5_000_000_000,
        rotated_at: after(60),
        expires_at: after(3600),
        key_id: KeyId("kéy.2026-11_ö".to_owned()),
        idempotency_key: Some(key_hash("8e03978e-40d5-43dd-bc93-6894a57f9324")),
        salt: plain.refresh_state.salt,
    };
    Session {
        auth_time: after(30),
        lifetime_ends_at: after(7200),
        request_info: RequestInfo {
            ip: Some("2001:db8::7:1".parse().unwrap()),
            user_agent: Some("Ф".repeat(RequestInfo::USER_AGENT_LEN_MAX)),
        },
        client_name: Some("🦀".repeat(Session::CLIENT_NAME_LEN_MAX)),
        refresh_state,
        ended: Some(End { at: after(90), reason: EndReason::NotMe }),
        ..plain
    }
}

promises! {
    __promises_sessions;


    async fn every_field_of_a_session_comes_back(fixture: StoreFixture) {
        let user = fixture.user().await;
        for session in [fixture.draft(&user), rich(&fixture, &user)] {
            fixture.add_session(&session).await;
            let found = fixture.read().await.find_session(session.id).await.unwrap();
            assert_eq!(found, Some((session.clone(), Some(user.clone()))));
            let locked = fixture.write().await.lock_session(session.id).await.unwrap();
            assert_eq!(locked, Some(session), "the lock gives the session too");
        }
    }

    async fn every_kind_of_client_address_comes_back(fixture: StoreFixture) {
        let user = fixture.user().await;
        for ip in ["192.0.2.1", "0.0.0.0", "::", "::1", "2001:db8:1:2:3:4:5:6", "::ffff:192.0.2.1"]
        {
            let request_info = RequestInfo { ip: Some(ip.parse().unwrap()), user_agent: None };
            let session = Session { request_info, ..fixture.draft(&user) };
            fixture.add_session(&session).await;
            assert_eq!(fixture.stored_session(session.id).await, session, "{ip}");
        }
    }

    async fn empty_and_odd_texts_come_back(fixture: StoreFixture) {
        let user = fixture.user().await;
        for text in ["", " ", "'; DROP TABLE sessions; --", "\u{202e}\\%_\"", "e\u{301}"] {
            let request_info = RequestInfo { ip: None, user_agent: Some(text.to_owned()) };
            let client_name = Some(text.to_owned());
            let session = Session { request_info, client_name, ..fixture.draft(&user) };
            fixture.add_session(&session).await;
            assert_eq!(fixture.stored_session(session.id).await, session, "{text:?}");
        }
    }

    async fn every_reason_of_an_end_comes_back(fixture: StoreFixture) {
        let user = fixture.user().await;
        for reason in EndReason::ALL {
            let session = fixture.session_of(&user).await;
            let end = End { at: after(5), reason: *reason };
            assert!(fixture.end(session.id, end).await);
            assert_eq!(fixture.stored_session(session.id).await.ended, Some(end));
        }
    }

    async fn a_session_is_found_with_its_user_as_they_are_now(fixture: StoreFixture) {
        let user = fixture.user().await;
        let session = fixture.session_of(&user).await;
        fixture.single().await.set_user_disabled(user.id, true, after(5)).await.unwrap();
        let now = User { disabled: true, updated_at: after(5), ..user };
        let found = fixture.read().await.find_session(session.id).await.unwrap();
        assert_eq!(found, Some((session, Some(now))));
    }

    async fn a_session_without_its_account_is_found_alone(fixture: StoreFixture) {
        let session = fixture.session_of(&fixture.stranger()).await;
        let found = fixture.read().await.find_session(session.id).await.unwrap();
        assert_eq!(found, Some((session, None)));
    }

    async fn a_session_that_is_not_there_is_not_found(fixture: StoreFixture) {
        let session = fixture.draft(&fixture.user().await);
        assert_eq!(fixture.read().await.find_session(session.id).await.unwrap(), None);
        assert_eq!(fixture.write().await.lock_session(session.id).await.unwrap(), None);
    }

    async fn a_refresh_state_that_is_set_changes_nothing_else(fixture: StoreFixture) {
        let user = fixture.user().await;
        let (session, other) = (fixture.session_of(&user).await, fixture.session_of(&user).await);
        let lines = [
            RefreshState {
                generation: 5_000_000_000,
                rotated_at: after(60),
                expires_at: after(3600),
                key_id: KeyId("another".to_owned()),
                idempotency_key: Some(key_hash("k")),
                salt: session.refresh_state.salt,
            },
            RefreshState { idempotency_key: None, ..session.refresh_state.clone() },
        ];
        for refresh_state in lines {
            let mut tx = fixture.write().await;
            tx.lock_session(session.id).await.unwrap();
            tx.set_refresh_state(session.id, &refresh_state).await.unwrap();
            tx.commit().await.unwrap();
            let expected = Session { refresh_state, ..session.clone() };
            assert_eq!(fixture.stored_session(session.id).await, expected);
        }
        assert_eq!(fixture.stored_session(other.id).await, other);
    }

    async fn the_time_of_the_password_is_noted_and_nothing_else_changes(fixture: StoreFixture) {
        let user = fixture.user().await;
        let (session, other) = (fixture.session_of(&user).await, fixture.session_of(&user).await);
        let noted = fixture.single().await.set_session_auth_time(session.id, after(60)).await;
        assert!(noted.unwrap());
        let expected = Session { auth_time: after(60), ..session };
        assert_eq!(fixture.stored_session(expected.id).await, expected);
        assert_eq!(fixture.stored_session(other.id).await, other);
    }

    async fn the_time_of_the_password_is_not_noted_after_the_end(fixture: StoreFixture) {
        let session = fixture.session().await;
        fixture.end(session.id, logout_after(5)).await;
        let ended = fixture.stored_session(session.id).await;
        let absent = fixture.draft(&fixture.stranger());
        for id in [session.id, absent.id] {
            let noted = fixture.single().await.set_session_auth_time(id, after(60)).await;
            assert!(!noted.unwrap());
        }
        assert_eq!(fixture.stored_session(session.id).await, ended);
    }

    async fn sessions_are_deleted_once_their_longest_life_is_over(fixture: StoreFixture) {
        let user = fixture.user().await;
        let before = after(LIFETIME_SECONDS);
        // Neither the idle timeout nor an end makes a row deletable, and neither does a deleted
        // account.
        let stays = fixture.session_of(&user).await;
        let ended = fixture.session_of(&user).await;
        fixture.end(ended.id, logout_after(5)).await;
        let short = Session { lifetime_ends_at: after(LIFETIME_SECONDS - 1), ..fixture.draft(&user) };
        let orphan = Session { user_id: fixture.stranger().id, ..fixture.draft(&user) };
        let orphan = Session { lifetime_ends_at: short.lifetime_ends_at, ..orphan };
        fixture.add_session(&short).await;
        fixture.add_session(&orphan).await;
        assert_eq!(fixture.single().await.delete_sessions(before, 100).await.unwrap(), 2);
        for (id, left) in
            [(stays.id, true), (ended.id, true), (short.id, false), (orphan.id, false)]
        {
            let found = fixture.read().await.find_session(id).await.unwrap();
            assert_eq!(found.is_some(), left, "the very moment is not before it");
        }
        assert_eq!(fixture.single().await.delete_sessions(before, 100).await.unwrap(), 0);
        assert_eq!(fixture.stored_user(&user).await, user);
    }

    async fn no_more_sessions_are_deleted_than_asked(fixture: StoreFixture) {
        let user = fixture.user().await;
        for _ in 0..7 {
            fixture.session_of(&user).await;
        }
        let before = after(LIFETIME_SECONDS + 1);
        for (limit, deleted) in [(0, 0), (3, 3), (3, 3), (3, 1), (3, 0)] {
            assert_eq!(fixture.single().await.delete_sessions(before, limit).await.unwrap(), deleted);
        }
    }
}
