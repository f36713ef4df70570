//! Promises about those who send letters: one at a time has a letter, and none is lost with them.

use std::collections::BTreeSet;
use std::slice;
use std::time::Duration;

use gateward_domain::mail::{LetterState, QueuedLetter};
use gateward_domain::{LetterId, LinkId, Timestamp};
use tokio::time::sleep;

use super::Stage;
use super::stage::{Change, after, race};
use crate::SeededEntropy;

/// For how many seconds a worker has a letter.
const LEASE_SECONDS: i64 = 90;

/// The states in which a letter waits no more.
const FINISHED: [LetterState; 3] = [LetterState::Sent, LetterState::Dropped, LetterState::Dead];

/// Takes letters that are due at `now`.
async fn take(stage: &Stage, now: Timestamp, limit: u32) -> Vec<QueuedLetter> {
    let lease_until = now.plus_seconds(LEASE_SECONDS);
    stage.single().await.take_letters(now, lease_until, limit).await.unwrap()
}

/// Takes what is due until all that is expected was taken: a store may need a moment to undo a unit
/// that was dropped, and leaves its letters alone meanwhile.
async fn take_soon(
    stage: &Stage,
    now: Timestamp,
    expected: &BTreeSet<LetterId>,
) -> BTreeSet<LetterId> {
    let mut taken = BTreeSet::new();
    for _ in 0..500 {
        taken.extend(ids(&take(stage, now, 10).await));
        if taken.is_superset(expected) {
            break;
        }
        sleep(Duration::from_millis(10)).await;
    }
    taken
}

/// A letter that is due so many seconds after the others; it is stored.
async fn due(stage: &Stage, seconds: i64) -> QueuedLetter {
    let letter = QueuedLetter { due_at: after(seconds), ..stage.letter() };
    stage.add_letter(&letter).await;
    letter
}

/// A letter that stopped waiting; it is stored.
async fn finished(stage: &Stage, as_what: LetterState) -> QueuedLetter {
    let finished_at = Some(after(-5));
    let letter = QueuedLetter { state: as_what, finished_at, attempts: 7, ..stage.letter() };
    stage.add_letter(&letter).await;
    letter
}

/// Ends the waiting of a letter.
async fn finish(stage: &Stage, id: LetterId, as_what: LetterState) -> bool {
    stage.single().await.finish_letter(id, as_what, None, after(5)).await.unwrap()
}

/// Puts a letter off until a minute later.
async fn postpone(stage: &Stage, id: LetterId, attempts: u32) -> Change {
    stage.single().await.postpone_letter(id, attempts, after(60), "451 4.3.0 later").await
}

/// The identifiers of letters.
fn ids(letters: &[QueuedLetter]) -> Vec<LetterId> {
    letters.iter().map(|letter| letter.id).collect()
}

promises! {
    __promises_workers;


    async fn letters_are_taken_that_wait_and_are_due(stage: Stage) {
        let (past, present) = (due(&stage, -100).await, due(&stage, 5).await);
        let future = due(&stage, 6).await;
        for state in FINISHED {
            finished(&stage, state).await;
        }
        assert_eq!(ids(&take(&stage, after(5), 100).await), [past.id, present.id]);
        assert_eq!(take(&stage, after(5), 100).await, []);
        assert_eq!(ids(&take(&stage, after(6), 100).await), [future.id]);
    }

    async fn those_are_taken_first_that_are_due_first(stage: Stage) {
        let mut letters = Vec::new();
        for seconds in [40, 10, 70, 30, 60, 20, 50] {
            letters.push(due(&stage, seconds).await);
        }
        letters.sort_by_key(|letter| letter.due_at);
        let expected = ids(&letters);
        let mut taken = Vec::new();
        for (limit, count) in [(0, 0), (3, 3), (3, 3), (3, 1), (3, 0)] {
            let page = ids(&take(&stage, after(100), limit).await);
            assert_eq!(page.len(), count);
            taken.extend(page);
        }
        assert_eq!(taken, expected);
    }

    async fn who_takes_a_letter_is_counted_and_has_it_for_a_while(stage: Stage) {
        let letter = due(&stage, 0).await;
        let other = due(&stage, 5000).await;
        for (attempts, now) in (1..4).zip([5, 5 + LEASE_SECONDS, 5 + 2 * LEASE_SECONDS]) {
            let due_at = after(now + LEASE_SECONDS);
            let expected = QueuedLetter { attempts, due_at, ..letter.clone() };
            assert_eq!(take(&stage, after(now), 10).await, slice::from_ref(&expected), "as it is then");
            assert_eq!(stage.stored_letter(letter.id).await, expected);
            let last = Timestamp::from_micros(due_at.micros() - 1);
            assert_eq!(take(&stage, last, 10).await, [], "another has it");
        }
        assert_eq!(stage.stored_letter(other.id).await, other);
    }

    async fn racing_workers_take_each_letter_once(stage: Stage) {
        let mut letters = BTreeSet::new();
        for seconds in 0..60 {
            letters.insert(due(&stage, -seconds).await.id);
        }
        let taken = race(8, |index| {
            let stage = stage.clone();
            async move {
                let mut taken = Vec::new();
                for _ in 0..6 {
                    let batch = if index % 2 == 0 {
                        take(&stage, after(5), 4).await
                    } else {
                        let mut tx = stage.write().await;
                        let batch = tx.take_letters(after(5), after(95), 4).await.unwrap();
                        tx.commit().await.unwrap();
                        batch
                    };
                    assert!(batch.len() <= 4);
                    taken.extend(batch);
                }
                taken
            }
        })
        .await;
        let mut taken = taken.concat();
        // A worker may leave a letter that was locked to the next one.
        taken.extend(take(&stage, after(5), 100).await);
        assert!(taken.iter().all(|letter| letter.attempts == 1));
        assert_eq!(taken.len(), letters.len(), "none twice");
        assert_eq!(ids(&taken).into_iter().collect::<BTreeSet<_>>(), letters, "and none is lost");
    }

    async fn a_letter_is_taken_once_the_change_that_it_tells_of_is_committed(stage: Stage) {
        let told = race(12, |index| {
            let (stage, user) = (stage.clone(), stage.stranger());
            async move {
                if index % 3 == 2 {
                    return take(&stage, after(5), 100).await;
                }
                let letter = QueuedLetter { user_id: Some(user.id), ..stage.letter() };
                let mut tx = stage.write().await;
                assert!(tx.insert_letter(&letter).await.unwrap());
                tx.insert_user(&user).await.unwrap();
                // Half of the units are dropped.
                if index % 3 == 0 {
                    tx.commit().await.unwrap();
                }
                Vec::new()
            }
        })
        .await;
        let mut taken = told.concat();
        taken.extend(take(&stage, after(5), 100).await);
        assert_eq!(taken.len(), 4, "of as many units as were committed");
        for letter in taken {
            let user = stage.read().await.find_user(letter.user_id.unwrap()).await.unwrap();
            assert!(user.is_some());
        }
    }

    async fn letters_are_there_again_when_their_taking_is_undone(stage: Stage) {
        let letter = due(&stage, 0).await;
        let mut tx = stage.write().await;
        assert_eq!(tx.take_letters(after(5), after(95), 10).await.unwrap().len(), 1);
        drop(tx);
        assert_eq!(stage.stored_letter(letter.id).await, letter);
        let expected = BTreeSet::from([letter.id]);
        assert_eq!(take_soon(&stage, after(5), &expected).await, expected);
    }

    /// A node that goes down in the middle.
    async fn a_worker_that_is_cut_off_takes_no_letter_along(stage: Stage) {
        for round in 0..20 {
            let letters = [due(&stage, 0).await.id, due(&stage, 0).await.id];
            let theirs = stage.clone();
            let work = tokio::spawn(async move { take(&theirs, after(5), 10).await });
            sleep(Duration::from_micros(round * 150)).await;
            work.abort();
            let _ = work.await;
            let lease_over = after(5 + LEASE_SECONDS);
            let expected = BTreeSet::from(letters);
            assert_eq!(take_soon(&stage, lease_over, &expected).await, expected);
            for id in letters {
                assert!(finish(&stage, id, LetterState::Sent).await);
            }
        }
    }

    async fn a_letter_is_finished_once_and_never_taken_again(stage: Stage) {
        for (state, failure) in FINISHED.into_iter().zip([None, Some("over"), Some("550 no")]) {
            let letter = QueuedLetter { failure: Some("451".to_owned()), ..stage.letter() };
            stage.add_letter(&letter).await;
            let failure = failure.map(str::to_owned);
            let mut tx = stage.single().await;
            let done = tx.finish_letter(letter.id, state, failure.clone(), after(7)).await;
            assert!(done.unwrap());
            let finished_at = Some(after(7));
            let expected = QueuedLetter { state, failure, finished_at, ..letter };
            assert_eq!(stage.stored_letter(expected.id).await, expected);
            for other in FINISHED {
                assert!(!finish(&stage, expected.id, other).await);
            }
            assert!(!postpone(&stage, expected.id, 0).await.unwrap());
            assert_eq!(stage.stored_letter(expected.id).await, expected);
        }
        assert_eq!(take(&stage, after(1_000_000), 10).await, []);
        assert!(!finish(&stage, stage.letter().id, LetterState::Sent).await);
    }

    async fn of_racing_workers_one_finishes_a_letter(stage: Stage) {
        for _ in 0..10 {
            let letter = due(&stage, 0).await;
            let done = race(6, |index| {
                let (stage, id) = (stage.clone(), letter.id);
                let as_what = FINISHED.get(index % 3).copied().unwrap();
                async move { finish(&stage, id, as_what).await.then_some(as_what) }
            })
            .await;
            let done: Vec<_> = done.into_iter().flatten().collect();
            assert_eq!(done, [stage.stored_letter(letter.id).await.state]);
        }
    }

    async fn a_letter_is_put_off_by_who_has_it(stage: Stage) {
        let (letter, other) = (due(&stage, 0).await, due(&stage, 100_000).await);
        assert!(postpone(&stage, letter.id, 0).await.unwrap(), "as often as it was taken");
        let taken = take(&stage, after(60), 10).await;
        let expected = QueuedLetter {
            attempts: 1,
            due_at: after(60 + LEASE_SECONDS),
            failure: Some("451 4.3.0 later".to_owned()),
            ..letter
        };
        assert_eq!(taken, slice::from_ref(&expected));
        for attempts in [0, 2] {
            assert!(!postpone(&stage, expected.id, attempts).await.unwrap());
            assert_eq!(stage.stored_letter(expected.id).await, expected);
        }
        assert!(postpone(&stage, expected.id, 1).await.unwrap());
        let expected = QueuedLetter { due_at: after(60), ..expected };
        assert_eq!(stage.stored_letter(expected.id).await, expected, "nothing else changes");
        assert_eq!(stage.stored_letter(other.id).await, other);
        assert!(!postpone(&stage, stage.letter().id, 0).await.unwrap());
    }

    async fn a_worker_whose_lease_is_over_puts_nothing_off(stage: Stage) {
        let letter = due(&stage, 0).await;
        take(&stage, after(5), 10).await;
        let theirs = take(&stage, after(5 + LEASE_SECONDS), 10).await;
        assert!(!postpone(&stage, letter.id, 1).await.unwrap());
        assert_eq!(theirs, [stage.stored_letter(letter.id).await]);
        assert!(postpone(&stage, letter.id, 2).await.unwrap());
    }

    async fn a_finished_letter_stays_finished_whoever_puts_it_off_meanwhile(stage: Stage) {
        for _ in 0..20 {
            let letter = due(&stage, 0).await;
            let changed = race(2, |index| {
                let stage = stage.clone();
                async move {
                    if index == 0 {
                        finish(&stage, letter.id, LetterState::Sent).await
                    } else {
                        postpone(&stage, letter.id, 0).await.unwrap();
                        true
                    }
                }
            })
            .await;
            assert_eq!(changed, [true, true]);
            let found = stage.stored_letter(letter.id).await;
            assert_eq!((found.state, found.finished_at), (LetterState::Sent, Some(after(5))));
        }
        assert_eq!(take(&stage, after(1_000_000), 100).await, []);
    }

    async fn a_letter_that_was_given_up_waits_anew(stage: Stage) {
        let link = LinkId::new(after(0), &SeededEntropy::new(stage.seed()));
        let slot = Some("forgot_password 1 ada@example.org".to_owned());
        let dead = QueuedLetter {
            state: LetterState::Dead,
            finished_at: Some(after(50)),
            attempts: 9,
            link_id: Some(link),
            slot,
            ..stage.letter()
        };
        let other = finished(&stage, LetterState::Dead).await;
        stage.add_letter(&dead).await;
        assert!(stage.single().await.retry_letter(dead.id, after(500)).await.unwrap());
        let expected = QueuedLetter {
            state: LetterState::Waiting,
            finished_at: None,
            attempts: 0,
            planned_at: after(500),
            due_at: after(500),
            ..dead
        };
        assert_eq!(stage.stored_letter(expected.id).await, expected);
        assert_eq!(ids(&take(&stage, after(500), 10).await), [expected.id]);
        assert_eq!(stage.stored_letter(other.id).await, other);
    }

    async fn a_letter_that_was_not_given_up_is_not_tried_anew(stage: Stage) {
        let waiting = due(&stage, 5000).await;
        let (sent, dropped) = (LetterState::Sent, LetterState::Dropped);
        let done = [finished(&stage, sent).await, finished(&stage, dropped).await];
        for letter in done.iter().chain([&waiting]) {
            assert!(!stage.single().await.retry_letter(letter.id, after(500)).await.unwrap());
            assert_eq!(stage.stored_letter(letter.id).await, *letter);
        }
        let absent = stage.letter().id;
        assert!(!stage.single().await.retry_letter(absent, after(500)).await.unwrap());
    }

    async fn of_racing_operators_one_has_a_letter_tried_anew(stage: Stage) {
        let dead = finished(&stage, LetterState::Dead).await;
        let retried = race(8, |_| {
            let stage = stage.clone();
            async move { stage.single().await.retry_letter(dead.id, after(5)).await.unwrap() }
        })
        .await;
        assert_eq!(retried.iter().filter(|retried| **retried).count(), 1);
    }
}
