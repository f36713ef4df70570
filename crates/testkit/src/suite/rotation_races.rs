//! Promises about concurrent rotations: with each other, and with the end of their session.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gateward_domain::key::KeyId;
use gateward_domain::refresh::Rotation;
use gateward_domain::{End, EndReason, Session, Timestamp};
use tokio::time::sleep;

use super::StoreFixture;
use super::fixture::{after, logout_after, race};
use crate::fixtures::{key_hash, rotation};

/// Number of concurrent callers with one token.
const RACERS: usize = 16;

/// Number of races with an end.
const ROUNDS: usize = 50;

/// Lets all callers present the session's current token, each with its own time and signing key.
/// `shape` sets what else differs. Returns their results.
async fn all_show(
    fixture: &StoreFixture,
    session: &Session,
    shape: impl Fn(usize, Rotation) -> Rotation,
) -> Vec<Option<Session>> {
    race(RACERS, |index| {
        let micros = after(60).micros() + i64::try_from(index).unwrap();
        let now = Timestamp::from_micros(micros);
        let key_id = KeyId(format!("racer-{index}"));
        let request = shape(index, Rotation { now, key_id, ..rotation(session) });
        let fixture = fixture.clone();
        async move { fixture.rotate(&request).await.map(|(session, _)| session) }
    })
    .await
}

/// Asserts that one caller advanced the refresh state and all received the result.
async fn one_moved_and_all_got_it(
    fixture: &StoreFixture,
    first: &Session,
    responses: &[Option<Session>],
) {
    let session = fixture.stored_session(first.id).await;
    assert_eq!(session.refresh_state.generation, 2);
    assert!(session.refresh_state.key_id.0.starts_with("racer-"), "one of them made it");
    assert!(responses.iter().all(|response| response.as_ref() == Some(&session)), "{responses:?}");
}

/// Asserts that one caller advanced the refresh state and no other received anything.
async fn one_moved_and_alone_got_it(
    fixture: &StoreFixture,
    first: &Session,
    responses: Vec<Option<Session>>,
) {
    let session = fixture.stored_session(first.id).await;
    assert_eq!(session.refresh_state.generation, 2);
    assert_eq!(responses.into_iter().flatten().collect::<Vec<_>>(), [session]);
}

/// Refreshes in a loop while `end` ends the session or disables its user, and asserts that nothing
/// is returned after that is committed.
async fn nothing_is_given_once<F>(fixture: &StoreFixture, end: impl Fn(StoreFixture, Session) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    for round in 0..ROUNDS {
        let first = fixture.session().await;
        let over = Arc::new(AtomicBool::new(false));
        let (refresher, flag, mut session) = (fixture.clone(), Arc::clone(&over), first.clone());
        let refreshing = tokio::spawn(async move {
            loop {
                let had_ended = flag.load(Ordering::SeqCst);
                let Some((next, _)) = refresher.rotate(&rotation(&session)).await else { break };
                assert!(!had_ended, "round {round}: a token was given after the end");
                session = next;
                // A store with one polled writer would otherwise never admit the other one.
                sleep(Duration::from_millis(1)).await;
            }
            session
        });
        // In some rounds the refresher starts first.
        for _ in 0..round % 5 {
            tokio::task::yield_now().await;
        }
        end(fixture.clone(), first.clone()).await;
        over.store(true, Ordering::SeqCst);
        let last = refreshing.await.unwrap();
        let found = fixture.stored_session(first.id).await;
        assert_eq!(found.refresh_state, last.refresh_state, "round {round}: the end moves no line");
    }
}

promises! {
    __promises_rotation_races;


    async fn of_racing_rotations_without_key_one_moves_the_refresh_state_and_all_get_it(fixture: StoreFixture) {
        let first = fixture.session().await;
        let responses = all_show(&fixture, &first, |_, request| request).await;
        one_moved_and_all_got_it(&fixture, &first, &responses).await;
    }

    async fn of_racing_rotations_with_one_key_one_moves_the_refresh_state_and_all_get_it(fixture: StoreFixture) {
        let first = fixture.session().await;
        let idempotency_key = Some(key_hash("k"));
        let shape = |_, request| Rotation { idempotency_key, leeway_seconds: 0, ..request };
        let responses = all_show(&fixture, &first, shape).await;
        one_moved_and_all_got_it(&fixture, &first, &responses).await;
    }

    async fn of_racing_rotations_with_keys_of_their_own_one_gets_the_refresh_state(fixture: StoreFixture) {
        let first = fixture.session().await;
        let shape = |index, request| {
            let idempotency_key = Some(key_hash(&format!("key-{index}")));
            Rotation { idempotency_key, ..request }
        };
        let responses = all_show(&fixture, &first, shape).await;
        one_moved_and_alone_got_it(&fixture, &first, responses).await;
    }

    async fn of_racing_rotations_without_leeway_one_gets_the_refresh_state(fixture: StoreFixture) {
        let first = fixture.session().await;
        let shape = |_, request| Rotation { leeway_seconds: 0, ..request };
        let responses = all_show(&fixture, &first, shape).await;
        one_moved_and_alone_got_it(&fixture, &first, responses).await;
    }

    async fn once_an_end_is_committed_no_rotation_succeeds(fixture: StoreFixture) {
        nothing_is_given_once(&fixture, |fixture, session| async move {
            assert!(fixture.end(session.id, logout_after(60)).await);
        })
        .await;
    }

    async fn once_all_sessions_are_ended_no_rotation_succeeds(fixture: StoreFixture) {
        nothing_is_given_once(&fixture, |fixture, session| async move {
            let end = End { at: after(60), reason: EndReason::LogoutAll };
            let mut tx = fixture.write().await;
            tx.lock_user(session.user_id).await.unwrap();
            let ended = tx.end_sessions_of_user(session.user_id, None, end).await.unwrap();
            assert_eq!(ended, [session.id]);
            tx.commit().await.unwrap();
        })
        .await;
    }

    async fn once_a_user_is_disabled_no_rotation_succeeds(fixture: StoreFixture) {
        nothing_is_given_once(&fixture, |fixture, session| async move {
            let mut tx = fixture.single().await;
            assert!(tx.set_user_disabled(session.user_id, true, after(60)).await.unwrap());
        })
        .await;
    }

    async fn a_session_is_over_after_a_race_of_its_end_and_a_rotation(fixture: StoreFixture) {
        for round in 0..ROUNDS {
            let session = fixture.session().await;
            let responses = race(2, |index| {
                let (fixture, session) = (fixture.clone(), session.clone());
                async move {
                    if index == round % 2 {
                        assert!(fixture.end(session.id, logout_after(60)).await);
                        None
                    } else {
                        fixture.rotate(&rotation(&session)).await.map(|(session, _)| session)
                    }
                }
            })
            .await;
            let rotated = responses.into_iter().flatten().next();
            let refresh_state = rotated.map_or(session.refresh_state, |session| session.refresh_state);
            let found = fixture.stored_session(session.id).await;
            assert_eq!((found.ended, found.refresh_state), (Some(logout_after(60)), refresh_state));
        }
    }
}
