//! Refreshing.

use std::sync::Arc;

use gateward_domain::mail::LetterKind;
use gateward_domain::mock::{MockStore, MockTx};
use gateward_domain::ports::{Access, NoKnowledge, StoreError, TokenSigner};
use gateward_domain::{EndReason, EventKind, RoleName, TokenError};
use gateward_testkit::fixtures;
use mockall::Sequence;

use super::fakes::{PlainSigner, policy, world, world_that};
use crate::{AuthenticateError, Refresh, RefreshError};

#[tokio::test]
async fn each_refresh_gives_the_next_pair() {
    let world = world().await;
    let first = world.logged_in("ada").await.pair;
    world.clock.advance_seconds(60);
    let second = world.app.refresh(world.refresh(&first.refresh, Some("k1"))).await.unwrap().pair;
    assert_ne!(first.refresh, second.refresh);
    assert_eq!(first.session_id, second.session_id);
    assert_eq!(second.access.expires_in, 900);
    assert_eq!(second.refresh_expires_in, 7 * 24 * 3600);
    assert_eq!(world.story(first.session_id).await, ["session_begun"], "no event for a refresh");
}

/// Row R3: who lost the answer gets the same refresh token and a fresh access token.
#[tokio::test]
async fn r3_a_lost_answer_is_repeated_to_the_byte() {
    let world = world().await;
    let first = world.logged_in("ada").await.pair;
    let again = |key| world.app.refresh(world.refresh(&first.refresh, key));
    let answer = again(Some("k1")).await.unwrap().pair;
    world.clock.advance_seconds(3600);
    let repeated = again(Some("k1")).await.unwrap().pair;
    assert_eq!(answer.refresh, repeated.refresh);
    assert_ne!(answer.access.text, repeated.access.text);
    assert!(matches!(again(Some("k2")).await, Err(RefreshError::Reused)));
}

/// Row R4: a replay ends the session for good.
#[tokio::test]
async fn r4_a_replay_ends_the_session() {
    let world = world().await;
    let first = world.logged_in("ada").await.pair;
    let second = world.app.refresh(world.refresh(&first.refresh, None)).await.unwrap().pair;
    let third = world.app.refresh(world.refresh(&second.refresh, None)).await.unwrap().pair;
    let replay = world.app.refresh(world.refresh(&first.refresh, None)).await;
    assert!(matches!(replay, Err(RefreshError::Reused)));
    let over = world.app.refresh(world.refresh(&third.refresh, None)).await;
    let reason = EndReason::RefreshTokenReused;
    assert!(matches!(over, Err(RefreshError::SessionEnded(told)) if told == reason));
    let dead = world.app.authenticate(third.access.text.expose()).await;
    assert!(matches!(dead, Err(AuthenticateError::SessionEnded(told)) if told == reason));
    let story = world.story(first.session_id).await;
    assert_eq!(story, ["session_begun", "session_ended refresh_token_reused"]);
}

/// The end of a replayed session is committed before anybody hears of it.
#[tokio::test]
async fn a_replay_is_told_only_after_it_is_committed() {
    for commits in [true, false] {
        let store = replaying_store(commits);
        let world = world_that(policy(), Arc::new(store), Arc::new(NoKnowledge)).await;
        let mut first = old_session();
        first.line.generation = 1;
        let refresh = Refresh {
            token: PlainSigner.sign_refresh(&first).unwrap(),
            idempotency: None,
            received_at: world.app.now(),
            origin: gateward_domain::Origin::default(),
        };
        match world.app.refresh(refresh).await {
            Err(RefreshError::Reused) => assert!(commits),
            Err(RefreshError::Store(StoreError::Busy)) => assert!(!commits),
            other => panic!("{other:?}"),
        }
    }
}

/// A session of generation 5.
fn old_session() -> gateward_domain::Session {
    let mut session = fixtures::session(1, &fixtures::user(1));
    session.line.generation = 5;
    session
}

/// A store in which the session ends, the event and the letter are written and the commit comes, in
/// this order.
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
        tx.expect_insert_letter()
            .withf(|letter| letter.kind == LetterKind::TokenReused)
            .times(1)
            .in_sequence(&mut order)
            .return_once(|_| Ok(true));
        tx.expect_insert_news()
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
    let world = world().await;
    let pair = world.logged_in("ada").await.pair;
    let late = world.refresh(&pair.refresh, None);
    world.clock.advance_seconds(6);
    assert!(matches!(world.app.refresh(late).await, Err(RefreshError::TooLate)));
    assert!(world.app.refresh(world.refresh(&pair.refresh, None)).await.is_ok());
}

/// Row R10: an idle session ends, and no refresh moves the end of its longest life.
#[tokio::test]
async fn r10_a_session_ends_by_idleness_and_by_age() {
    let world = world().await;
    let idle = world.logged_in("ada").await.pair;
    world.clock.advance_seconds(7 * 24 * 3600);
    let refused = world.app.refresh(world.refresh(&idle.refresh, None)).await;
    assert!(matches!(refused, Err(RefreshError::Token(TokenError::Expired))));

    let mut pair = world.login("ada", super::fakes::PASSWORD).await.unwrap().pair;
    let mut lives = Vec::new();
    for _ in 0..5 {
        world.clock.advance_seconds(6 * 24 * 3600);
        match world.app.refresh(world.refresh(&pair.refresh, None)).await {
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

/// Row R11: rights are looked at anew with each refresh.
#[tokio::test]
async fn r11_the_next_token_carries_the_rights_of_now() {
    let world = world().await;
    let pair = world.logged_in("ada").await.pair;
    assert!(pair.access.text.expose().ends_with(RoleName::user().as_str()));
    world.set_disabled("ada", true).await;
    world.set_disabled("ada", false).await;
    let refused = world.app.refresh(world.refresh(&pair.refresh, None)).await;
    assert!(matches!(refused, Err(RefreshError::SessionEnded(EndReason::AccountDisabled))));
}

#[tokio::test]
async fn a_store_that_lost_writes_catches_up_and_says_so() {
    let world = world().await;
    let first = world.logged_in("ada").await.pair;
    let mut tx = world.store.begin(Access::Read).await.unwrap();
    let old = tx.find_session(first.session_id).await.unwrap().unwrap().0.line;
    drop(tx);
    let second = world.app.refresh(world.refresh(&first.refresh, None)).await.unwrap().pair;
    let third = world.app.refresh(world.refresh(&second.refresh, None)).await.unwrap().pair;
    let mut tx = world.store.begin(Access::Write).await.unwrap();
    tx.lock_session(first.session_id).await.unwrap();
    tx.set_session_line(first.session_id, &old).await.unwrap();
    tx.commit().await.unwrap();

    let fourth = world.app.refresh(world.refresh(&third.refresh, None)).await.unwrap().pair;
    assert!(world.app.refresh(world.refresh(&fourth.refresh, None)).await.is_ok());
    assert_eq!(world.story(first.session_id).await, ["session_begun", "session_caught_up"]);
}

#[tokio::test]
async fn an_access_token_refreshes_nothing_and_garbage_is_told_apart() {
    let world = world().await;
    let pair = world.logged_in("ada").await.pair;
    let refused = world.app.refresh(world.refresh(&pair.access.text, None)).await;
    assert!(matches!(refused, Err(RefreshError::Token(TokenError::WrongKind))));
    let refused = world.app.authenticate(pair.refresh.expose()).await;
    assert!(matches!(refused, Err(AuthenticateError::Token(TokenError::WrongKind))));
}
