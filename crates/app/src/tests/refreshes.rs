//! Refresh.

use std::sync::Arc;

use gateward_domain::email::EmailKind;
use gateward_domain::mock::{MockStore, MockTx};
use gateward_domain::ports::{Access, NoAuthCache, StoreError, TokenSigner};
use gateward_domain::{EndReason, EventKind, RoleName, TokenError};
use gateward_testkit::fixtures;
use mockall::Sequence;

use super::fakes::PlainSigner;
use super::test_app::{PASSWORD, policy, test_app, test_app_that};
use crate::{AuthenticateError, Refresh, RefreshError};

#[tokio::test]
async fn each_refresh_gives_the_next_pair() {
    let test_app = test_app().await;
    let first = test_app.logged_in("ada").await.pair;
    test_app.clock.advance_seconds(60);
    let second =
        test_app.app.refresh(test_app.refresh(&first.refresh, Some("k1"))).await.unwrap().pair;
    assert_ne!(first.refresh, second.refresh);
    assert_eq!(first.session_id, second.session_id);
    assert_eq!(second.access.expires_in, 900);
    assert_eq!(second.refresh_expires_in, 7 * 24 * 3600);
    assert_eq!(
        test_app.timeline(first.session_id).await,
        ["session_started"],
        "no event for a refresh"
    );
}

/// Row R3: a client that lost the response receives the same refresh token and a fresh access
/// token.
#[tokio::test]
async fn r3_a_lost_response_is_repeated_to_the_byte() {
    let test_app = test_app().await;
    let first = test_app.logged_in("ada").await.pair;
    let again = |key| test_app.app.refresh(test_app.refresh(&first.refresh, key));
    let response = again(Some("k1")).await.unwrap().pair;
    test_app.clock.advance_seconds(3600);
    let repeated = again(Some("k1")).await.unwrap().pair;
    assert_eq!(response.refresh, repeated.refresh);
    assert_ne!(response.access.text, repeated.access.text);
    assert!(matches!(again(Some("k2")).await, Err(RefreshError::Reused)));
}

/// Row R4: a replay ends the session permanently.
#[tokio::test]
async fn r4_a_replay_ends_the_session() {
    let test_app = test_app().await;
    let first = test_app.logged_in("ada").await.pair;
    let second = test_app.app.refresh(test_app.refresh(&first.refresh, None)).await.unwrap().pair;
    let third = test_app.app.refresh(test_app.refresh(&second.refresh, None)).await.unwrap().pair;
    let replay = test_app.app.refresh(test_app.refresh(&first.refresh, None)).await;
    assert!(matches!(replay, Err(RefreshError::Reused)));
    let over = test_app.app.refresh(test_app.refresh(&third.refresh, None)).await;
    let reason = EndReason::RefreshTokenReused;
    assert!(matches!(over, Err(RefreshError::SessionEnded(told)) if told == reason));
    let dead = test_app.app.authenticate(third.access.text.expose()).await;
    assert!(matches!(dead, Err(AuthenticateError::SessionEnded(told)) if told == reason));
    let timeline = test_app.timeline(first.session_id).await;
    assert_eq!(timeline, ["session_ended refresh_token_reused", "session_started"]);
}

/// The end of a replayed session is committed before the response.
#[tokio::test]
async fn a_replay_is_told_only_after_it_is_committed() {
    for commits in [true, false] {
        let store = replaying_store(commits);
        let test_app = test_app_that(policy(), Arc::new(store), Arc::new(NoAuthCache)).await;
        let mut first = old_session();
        first.refresh_state.generation = 1;
        let refresh = Refresh {
            rotate: true,
            token: PlainSigner.sign_refresh(&first).unwrap(),
            idempotency_key: None,
            received_at: test_app.app.now(),
            request_info: gateward_domain::RequestInfo::default(),
        };
        match test_app.app.refresh(refresh).await {
            Err(RefreshError::Reused) => assert!(commits),
            Err(RefreshError::Store(StoreError::Busy)) => assert!(!commits),
            other => panic!("{other:?}"),
        }
    }
}

/// A session of generation 5.
fn old_session() -> gateward_domain::Session {
    let mut session = fixtures::session(1, &fixtures::user(1));
    session.refresh_state.generation = 5;
    session
}

/// A store that expects the end of the session, the event, the email and the commit, in this order.
fn replaying_store(commits: bool) -> MockStore {
    let mut store = MockStore::new();
    store.expect_begin().withf(|access| *access == Access::SingleWrite).return_once(|_| {
        let mut tx = MockTx::new();
        tx.expect_rotate_session().return_once(|_| Ok(None));
        tx.expect_commit().return_once(|| Ok(()));
        Ok(Box::new(tx))
    });
    store.expect_begin().withf(|access| *access == Access::Write).return_once(move |_| {
        let (mut tx, mut order) = (MockTx::new(), Sequence::new());
        tx.expect_lock_session()
            .times(1)
            .in_sequence(&mut order)
            .return_once(|_| Ok(Some(old_session())));
        tx.expect_end_session()
            .withf(|_, end| end.reason == EndReason::RefreshTokenReused)
            .times(1)
            .in_sequence(&mut order)
            .return_once(|_, _| Ok(true));
        tx.expect_insert_event()
            .withf(|event| event.kind == EventKind::SessionEnded(EndReason::RefreshTokenReused))
            .times(1)
            .in_sequence(&mut order)
            .return_once(|_| Ok(()));
        tx.expect_find_user().return_once(|_| Ok(Some(fixtures::user(1))));
        tx.expect_insert_outbox_email()
            .withf(|message| message.kind == EmailKind::TokenReused)
            .times(1)
            .in_sequence(&mut order)
            .return_once(|_| Ok(true));
        tx.expect_insert_invalidation_events()
            .withf(|items| items.len() == 1)
            .times(1)
            .in_sequence(&mut order)
            .return_once(|_| Ok(()));
        tx.expect_commit()
            .times(1)
            .in_sequence(&mut order)
            .return_once(move || if commits { Ok(()) } else { Err(StoreError::Busy) });
        Ok(Box::new(tx))
    });
    store
}

#[tokio::test]
async fn a_refresh_that_waited_too_long_changes_nothing() {
    let test_app = test_app().await;
    let pair = test_app.logged_in("ada").await.pair;
    let late = test_app.refresh(&pair.refresh, None);
    test_app.clock.advance_seconds(6);
    assert!(matches!(test_app.app.refresh(late).await, Err(RefreshError::TooLate)));
    assert!(test_app.app.refresh(test_app.refresh(&pair.refresh, None)).await.is_ok());
}

/// Row R10: an idle session ends, and no refresh extends the maximum lifetime.
#[tokio::test]
async fn r10_a_session_ends_by_idleness_and_by_age() {
    let test_app = test_app().await;
    let idle = test_app.logged_in("ada").await.pair;
    test_app.clock.advance_seconds(7 * 24 * 3600);
    let refused = test_app.app.refresh(test_app.refresh(&idle.refresh, None)).await;
    assert!(matches!(refused, Err(RefreshError::Token(TokenError::Expired))));

    let mut pair = test_app.login("ada", PASSWORD).await.unwrap().pair;
    let mut lives = Vec::new();
    for _ in 0..5 {
        test_app.clock.advance_seconds(6 * 24 * 3600);
        match test_app.app.refresh(test_app.refresh(&pair.refresh, None)).await {
            Ok(next) => pair = next.pair,
            Err(error) => {
                assert!(matches!(error, RefreshError::Token(TokenError::Expired)));
                break;
            }
        }
        lives.push(pair.refresh_expires_in / (24 * 3600));
    }
    assert_eq!(lives, [7, 7, 7, 6], "thirty days in all");
}

/// Row R11: each refresh reads the permissions again.
#[tokio::test]
async fn r11_the_next_token_carries_the_rights_of_now() {
    let test_app = test_app().await;
    let pair = test_app.logged_in("ada").await.pair;
    assert!(pair.access.text.expose().ends_with(RoleName::user().as_str()));
    test_app.set_disabled("ada", true).await;
    test_app.set_disabled("ada", false).await;
    let refused = test_app.app.refresh(test_app.refresh(&pair.refresh, None)).await;
    assert!(matches!(refused, Err(RefreshError::SessionEnded(EndReason::AccountDisabled))));
}

#[tokio::test]
async fn a_store_that_lost_writes_catches_up_and_says_so() {
    let test_app = test_app().await;
    let first = test_app.logged_in("ada").await.pair;
    let mut tx = test_app.store.begin(Access::Read).await.unwrap();
    let old = tx.find_session(first.session_id).await.unwrap().unwrap().0.refresh_state;
    drop(tx);
    let second = test_app.app.refresh(test_app.refresh(&first.refresh, None)).await.unwrap().pair;
    let third = test_app.app.refresh(test_app.refresh(&second.refresh, None)).await.unwrap().pair;
    let mut tx = test_app.store.begin(Access::Write).await.unwrap();
    tx.lock_session(first.session_id).await.unwrap();
    tx.set_refresh_state(first.session_id, &old).await.unwrap();
    tx.commit().await.unwrap();

    let fourth = test_app.app.refresh(test_app.refresh(&third.refresh, None)).await.unwrap().pair;
    assert!(test_app.app.refresh(test_app.refresh(&fourth.refresh, None)).await.is_ok());
    assert_eq!(test_app.timeline(first.session_id).await, ["session_recovered", "session_started"]);
}

#[tokio::test]
async fn an_access_token_refreshes_nothing_and_garbage_is_told_apart() {
    let test_app = test_app().await;
    let pair = test_app.logged_in("ada").await.pair;
    let refused = test_app.app.refresh(test_app.refresh(&pair.access.text, None)).await;
    assert!(matches!(refused, Err(RefreshError::Token(TokenError::WrongKind))));
    let refused = test_app.app.authenticate(pair.refresh.expose()).await;
    assert!(matches!(refused, Err(AuthenticateError::Token(TokenError::WrongKind))));
}
