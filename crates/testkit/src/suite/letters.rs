//! Promises about letters in the outbox: kept whole, one to a slot, listed, counted and swept.

use std::cmp::Reverse;
use std::time::Duration;

use gateward_domain::mail::{LetterKind, LetterState, QueuedLetter};
use gateward_domain::ports::{LetterFilter, OutboxCounts, StoreError};
use gateward_domain::{Email, LetterId, LinkId, SignupId, User};
use tokio::time::sleep;

use super::Stage;
use super::stage::{after, race};
use crate::SeededEntropy;

/// A letter that was made so many seconds after the others; its identifier says so.
fn made(stage: &Stage, seconds: i64) -> QueuedLetter {
    let id = LetterId::new(after(seconds), &SeededEntropy::new(stage.seed()));
    QueuedLetter { id, ..stage.letter() }
}

/// A letter with this slot.
fn with_slot(stage: &Stage, slot: &str) -> QueuedLetter {
    QueuedLetter { slot: Some(slot.to_owned()), ..stage.letter() }
}

/// A letter that stopped waiting then.
fn finished(stage: &Stage, as_what: LetterState, seconds: i64) -> QueuedLetter {
    QueuedLetter { state: as_what, finished_at: Some(after(seconds)), ..stage.letter() }
}

/// Adds a letter; whether its slot was free.
async fn add(stage: &Stage, letter: &QueuedLetter) -> bool {
    stage.single().await.insert_letter(letter).await.unwrap()
}

/// The letters that a filter lets pass.
async fn list(stage: &Stage, filter: LetterFilter, limit: u32) -> Vec<QueuedLetter> {
    stage.read().await.list_letters(filter, limit).await.unwrap()
}

/// How many letters are where.
async fn counts(stage: &Stage) -> OutboxCounts {
    stage.read().await.count_letters().await.unwrap()
}

promises! {
    __promises_letters;


    async fn every_field_of_a_letter_comes_back(stage: Stage) {
        let (entropy, user) = (SeededEntropy::new(stage.seed()), stage.user().await);
        let full = QueuedLetter {
            recipient: Email::parse(&format!("jürgen+{:x}@bücher.example", stage.seed())).unwrap(),
            user_id: Some(user.id),
            // What is gone may still be named.
            signup_id: Some(SignupId::new(after(0), &entropy)),
            link_id: Some(LinkId::new(after(0), &entropy)),
            caused_at: after(-60),
            ip: Some("2001:db8::7:1".parse().unwrap()),
            slot: Some("forgot_password 1 jürgen@bücher.example".to_owned()),
            planned_at: after(-30),
            due_at: after(30),
            attempts: 3,
            state: LetterState::Dead,
            finished_at: Some(after(90)),
            failure: Some("550 5.1.1 '; DROP TABLE letters; -- 🦀".to_owned()),
            ..stage.letter()
        };
        for letter in [stage.letter(), full] {
            stage.add_letter(&letter).await;
            assert_eq!(stage.stored_letter(letter.id).await, letter);
            assert!(list(&stage, LetterFilter::default(), 10).await.contains(&letter));
        }
        let absent = stage.letter().id;
        assert_eq!(stage.read().await.find_letter(absent).await.unwrap(), None);
    }

    async fn every_kind_and_state_of_a_letter_comes_back(stage: Stage) {
        for kind in LetterKind::ALL {
            let letter = QueuedLetter { kind: *kind, ..stage.letter() };
            stage.add_letter(&letter).await;
            assert_eq!(stage.stored_letter(letter.id).await, letter);
        }
        for state in LetterState::ALL {
            let finished_at = (*state != LetterState::Waiting).then_some(after(5));
            let letter = QueuedLetter { state: *state, finished_at, ..stage.letter() };
            stage.add_letter(&letter).await;
            assert_eq!(stage.stored_letter(letter.id).await, letter);
        }
    }

    async fn a_letter_whose_slot_is_taken_is_not_written_and_the_unit_goes_on(stage: Stage) {
        let (first, second) = (with_slot(&stage, "one"), with_slot(&stage, "one"));
        let (other, user) = (with_slot(&stage, "two"), stage.stranger());
        assert!(add(&stage, &first).await);
        assert!(!add(&stage, &second).await);
        let mut tx = stage.write().await;
        assert!(!tx.insert_letter(&second).await.unwrap());
        assert!(tx.insert_letter(&other).await.unwrap());
        tx.insert_user(&user).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(stage.read().await.find_letter(second.id).await.unwrap(), None);
        assert_eq!(stage.stored_letter(first.id).await, first);
        assert_eq!(stage.stored_letter(other.id).await, other);
        assert_eq!(stage.stored_user(&user).await, user);
    }

    async fn letters_without_a_slot_are_all_written(stage: Stage) {
        let recipient = stage.stranger().email;
        let mut tx = stage.write().await;
        for _ in 0..3 {
            let letter = QueuedLetter { recipient: recipient.clone(), ..stage.letter() };
            assert!(tx.insert_letter(&letter).await.unwrap());
        }
        tx.commit().await.unwrap();
        assert_eq!(counts(&stage).await.waiting, 3);
    }

    async fn a_letter_is_not_written_over_another(stage: Stage) {
        let letter = stage.letter();
        stage.add_letter(&letter).await;
        for slot in [None, Some("one".to_owned())] {
            let same_id = QueuedLetter { id: letter.id, slot, ..stage.letter() };
            let answer = stage.single().await.insert_letter(&same_id).await;
            assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
        }
        assert_eq!(stage.stored_letter(letter.id).await, letter);
    }

    async fn a_slot_is_taken_as_long_as_its_letter_is_there(stage: Stage) {
        let letter = with_slot(&stage, "one");
        stage.add_letter(&letter).await;
        let sent = LetterState::Sent;
        let mut tx = stage.single().await;
        assert!(tx.finish_letter(letter.id, sent, None, after(5)).await.unwrap());
        assert!(!add(&stage, &with_slot(&stage, "one")).await, "sent or not");
        assert_eq!(stage.single().await.delete_letters(sent, after(6), 10).await.unwrap(), 1);
        assert!(add(&stage, &with_slot(&stage, "one")).await);
    }

    async fn of_racing_letters_exactly_one_gets_a_slot(stage: Stage) {
        let written = race(20, |index| {
            let (stage, letter) = (stage.clone(), with_slot(&stage, "one"));
            async move {
                if index % 2 == 0 {
                    return (add(&stage, &letter).await, None);
                }
                let user = stage.stranger();
                let mut tx = stage.write().await;
                let written = tx.insert_letter(&letter).await.unwrap();
                tx.insert_user(&user).await.unwrap();
                tx.commit().await.unwrap();
                (written, Some(user))
            }
        })
        .await;
        assert_eq!(written.iter().filter(|(written, _)| *written).count(), 1);
        assert_eq!(list(&stage, LetterFilter::default(), 100).await.len(), 1);
        for user in written.into_iter().filter_map(|(_, user)| user) {
            assert_eq!(stage.stored_user(&user).await, user, "the rest is done all the same");
        }
    }

    async fn whether_a_slot_is_free_is_known_when_the_unit_before_has_ended(stage: Stage) {
        for committed in [false, true] {
            let slot = format!("slot {committed}");
            let (first, second) = (with_slot(&stage, &slot), with_slot(&stage, &slot));
            let mut holder = stage.write().await;
            assert!(holder.insert_letter(&first).await.unwrap());
            let theirs = stage.clone();
            let waiting = tokio::spawn(async move { add(&theirs, &second).await });
            sleep(Duration::from_millis(50)).await;
            if committed {
                holder.commit().await.unwrap();
            } else {
                drop(holder);
            }
            assert_eq!(waiting.await.unwrap(), !committed);
        }
    }

    async fn a_waiting_letter_is_given_its_link_and_its_account(stage: Stage) {
        let user = stage.user().await;
        let (letter, other) = (stage.letter(), stage.letter());
        let done = finished(&stage, LetterState::Dead, 5);
        for letter in [&letter, &other, &done] {
            stage.add_letter(letter).await;
        }
        let link = LinkId::new(after(5), &SeededEntropy::new(stage.seed()));
        for user_id in [None, Some(user.id)] {
            let mut tx = stage.single().await;
            assert!(tx.set_letter_link(letter.id, link, user_id).await.unwrap());
            let expected = QueuedLetter { link_id: Some(link), user_id, ..letter.clone() };
            assert_eq!(stage.stored_letter(letter.id).await, expected);
        }
        for id in [done.id, stage.letter().id] {
            let mut tx = stage.single().await;
            assert!(!tx.set_letter_link(id, link, Some(user.id)).await.unwrap());
        }
        assert_eq!(stage.stored_letter(done.id).await, done);
        assert_eq!(stage.stored_letter(other.id).await, other);
    }

    async fn letters_are_listed_newest_first_and_page_by_page(stage: Stage) {
        let mut letters = Vec::new();
        for seconds in [40, 10, 70, 30, 60, 20, 50] {
            // Of two orders that are alike, one would hide the other.
            let at = after(-seconds);
            let letter = QueuedLetter { planned_at: at, due_at: at, ..made(&stage, seconds) };
            stage.add_letter(&letter).await;
            letters.push(letter);
        }
        letters.sort_by_key(|letter| Reverse(letter.id));
        for limit in [1, 2, 3, 7, 100] {
            let (mut listed, mut filter) = (Vec::new(), LetterFilter::default());
            // A list that goes in a circle is longer than it should be, and not endless.
            for _ in 0..9 {
                let page = list(&stage, filter, limit).await;
                assert!(page.len() <= usize::try_from(limit).unwrap());
                let Some(last) = page.last() else { break };
                filter.before = Some(last.id);
                listed.extend(page);
            }
            assert_eq!(listed, letters, "{limit} at a time");
        }
        assert_eq!(list(&stage, LetterFilter::default(), 0).await, []);
    }

    async fn a_filter_lets_pass_what_all_of_it_lets_pass(stage: Stage) {
        let (user, other) = (stage.user().await, stage.user().await);
        let mut letters = Vec::new();
        for (seconds, (state, about)) in (0..).zip([
            (LetterState::Waiting, Some(&user)),
            (LetterState::Sent, Some(&user)),
            (LetterState::Dead, Some(&user)),
            (LetterState::Dead, Some(&other)),
            (LetterState::Dead, None),
            (LetterState::Dropped, None),
            (LetterState::Dead, Some(&user)),
        ]) {
            let finished_at = (state != LetterState::Waiting).then_some(after(5));
            let user_id = about.map(|user: &User| user.id);
            let letter = QueuedLetter { state, user_id, finished_at, ..made(&stage, seconds) };
            stage.add_letter(&letter).await;
            letters.insert(0, letter);
        }
        let states = [None, Some(LetterState::Dead), Some(LetterState::Waiting)];
        let befores = [None, letters.first().map(|it| it.id), letters.last().map(|it| it.id)];
        for state in states {
            for user_id in [None, Some(user.id), Some(stage.stranger().id)] {
                for before in befores {
                    let filter = LetterFilter { state, user_id, before };
                    let passes = |letter: &&QueuedLetter| {
                        state.is_none_or(|state| letter.state == state)
                            && (user_id.is_none() || letter.user_id == user_id)
                            && before.is_none_or(|before| letter.id < before)
                    };
                    let expected: Vec<_> = letters.iter().filter(passes).cloned().collect();
                    assert_eq!(list(&stage, filter, 100).await, expected, "{filter:?}");
                }
            }
        }
    }

    async fn letters_are_counted_and_the_longest_wait_is_known(stage: Stage) {
        assert_eq!(counts(&stage).await, OutboxCounts::default());
        for state in [LetterState::Sent, LetterState::Dropped, LetterState::Dead, LetterState::Dead]
        {
            let done = finished(&stage, state, 5);
            stage.add_letter(&QueuedLetter { planned_at: after(-500), ..done }).await;
        }
        let none_waits = OutboxCounts { waiting: 0, dead: 2, oldest_planned_at: None };
        assert_eq!(counts(&stage).await, none_waits);
        for (planned, due) in [(-50, 10), (-70, 20), (-60, -300)] {
            let (planned_at, due_at) = (after(planned), after(due));
            stage.add_letter(&QueuedLetter { planned_at, due_at, ..stage.letter() }).await;
        }
        let oldest_planned_at = Some(after(-70));
        let expected = OutboxCounts { waiting: 3, dead: 2, oldest_planned_at };
        assert_eq!(counts(&stage).await, expected);
    }

    async fn letters_of_a_state_are_swept_that_have_stopped_waiting_long_ago(stage: Stage) {
        let waiting = stage.letter();
        stage.add_letter(&waiting).await;
        let mut letters = Vec::new();
        for state in [LetterState::Sent, LetterState::Dropped, LetterState::Dead] {
            for seconds in [50, 99, 100, 101] {
                let letter = finished(&stage, state, seconds);
                stage.add_letter(&letter).await;
                letters.push(letter);
            }
        }
        let before = after(100);
        for state in [LetterState::Sent, LetterState::Dead] {
            assert_eq!(stage.single().await.delete_letters(state, before, 100).await.unwrap(), 2);
            letters.retain(|letter| letter.state != state || letter.finished_at >= Some(before));
            let mut left = list(&stage, LetterFilter::default(), 100).await;
            left.retain(|letter| letter.id != waiting.id);
            letters.sort_by_key(|letter| Reverse(letter.id));
            assert_eq!(left, letters, "the moment is not before it");
        }
        let mut tx = stage.single().await;
        assert_eq!(tx.delete_letters(LetterState::Waiting, before, 100).await.unwrap(), 0);
        assert_eq!(stage.stored_letter(waiting.id).await, waiting);
    }

    async fn no_more_letters_are_swept_than_asked(stage: Stage) {
        for _ in 0..7 {
            stage.add_letter(&finished(&stage, LetterState::Sent, 5)).await;
        }
        for (limit, deleted) in [(0, 0), (3, 3), (3, 3), (3, 1), (3, 0)] {
            let mut tx = stage.single().await;
            let count = tx.delete_letters(LetterState::Sent, after(6), limit).await.unwrap();
            assert_eq!(count, deleted);
        }
    }

    async fn racing_sweeps_count_each_letter_once(stage: Stage) {
        for _ in 0..24 {
            stage.add_letter(&finished(&stage, LetterState::Sent, 5)).await;
        }
        let counts = race(4, |_| {
            let stage = stage.clone();
            async move {
                let mut counts = Vec::new();
                for _ in 0..8 {
                    let mut tx = stage.single().await;
                    let count = tx.delete_letters(LetterState::Sent, after(6), 5).await;
                    counts.push(count.unwrap());
                }
                counts
            }
        })
        .await
        .concat();
        assert_eq!(counts.iter().sum::<u64>(), 24, "{counts:?}");
        assert!(counts.iter().all(|count| *count <= 5), "{counts:?}");
    }
}
