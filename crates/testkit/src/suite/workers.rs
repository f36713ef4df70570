//! Promises about outbox workers: one at a time leases an email, and a failing worker loses none.

use std::collections::BTreeSet;
use std::slice;
use std::time::Duration;

use gateward_domain::email::{EmailState, OutboxEmail};
use gateward_domain::{EmailId, LinkId, Timestamp};
use tokio::time::sleep;

use super::StoreFixture;
use super::fixture::{Change, after, race};
use crate::SeededEntropy;

/// Length of a lease in seconds.
const LEASE_SECONDS: i64 = 90;

/// The final states of an email.
const FINISHED: [EmailState; 3] = [EmailState::Sent, EmailState::Discarded, EmailState::Failed];

/// Leases emails that are due at `now`.
async fn take(fixture: &StoreFixture, now: Timestamp, limit: u32) -> Vec<OutboxEmail> {
    let lease_until = now.plus_seconds(LEASE_SECONDS);
    fixture.single().await.lease_outbox_emails(now, lease_until, limit).await.unwrap()
}

/// Leases due emails until all expected ones were leased. A store may need a moment to roll back a
/// dropped unit, and skips its emails meanwhile.
async fn take_soon(
    fixture: &StoreFixture,
    now: Timestamp,
    expected: &BTreeSet<EmailId>,
) -> BTreeSet<EmailId> {
    let mut taken = BTreeSet::new();
    for _ in 0..500 {
        taken.extend(ids(&take(fixture, now, 10).await));
        if taken.is_superset(expected) {
            break;
        }
        sleep(Duration::from_millis(10)).await;
    }
    taken
}

/// Stores an email that is due this many seconds after the others.
async fn due(fixture: &StoreFixture, seconds: i64) -> OutboxEmail {
    let message = OutboxEmail { next_attempt_at: after(seconds), ..fixture.email() };
    fixture.add_email(&message).await;
    message
}

async fn finished(fixture: &StoreFixture, as_what: EmailState) -> OutboxEmail {
    let finished_at = Some(after(-5));
    let message = OutboxEmail { state: as_what, finished_at, attempts: 7, ..fixture.email() };
    fixture.add_email(&message).await;
    message
}

async fn finish(fixture: &StoreFixture, id: EmailId, as_what: EmailState) -> bool {
    fixture.single().await.finish_outbox_email(id, as_what, None, after(5)).await.unwrap()
}

/// Postpones an email by a minute.
async fn postpone(fixture: &StoreFixture, id: EmailId, attempts: u32) -> Change {
    fixture.single().await.postpone_outbox_email(id, attempts, after(60), "451 4.3.0 later").await
}

fn ids(outbox_emails: &[OutboxEmail]) -> Vec<EmailId> {
    outbox_emails.iter().map(|message| message.id).collect()
}

promises! {
    __promises_workers;


    async fn emails_are_taken_that_wait_and_are_due(fixture: StoreFixture) {
        let (past, present) = (due(&fixture, -100).await, due(&fixture, 5).await);
        let future = due(&fixture, 6).await;
        for state in FINISHED {
            finished(&fixture, state).await;
        }
        assert_eq!(ids(&take(&fixture, after(5), 100).await), [past.id, present.id]);
        assert_eq!(take(&fixture, after(5), 100).await, []);
        assert_eq!(ids(&take(&fixture, after(6), 100).await), [future.id]);
    }

    async fn those_are_taken_first_that_are_due_first(fixture: StoreFixture) {
        let mut outbox_emails = Vec::new();
        for seconds in [40, 10, 70, 30, 60, 20, 50] {
            outbox_emails.push(due(&fixture, seconds).await);
        }
        outbox_emails.sort_by_key(|message| message.next_attempt_at);
        let expected = ids(&outbox_emails);
        let mut taken = Vec::new();
        for (limit, count) in [(0, 0), (3, 3), (3, 3), (3, 1), (3, 0)] {
            let page = ids(&take(&fixture, after(100), limit).await);
            assert_eq!(page.len(), count);
            taken.extend(page);
        }
        assert_eq!(taken, expected);
    }

    async fn who_takes_an_email_is_counted_and_has_it_for_a_while(fixture: StoreFixture) {
        let message = due(&fixture, 0).await;
        let other = due(&fixture, 5000).await;
        for (attempts, now) in (1..4).zip([5, 5 + LEASE_SECONDS, 5 + 2 * LEASE_SECONDS]) {
            let next_attempt_at = after(now + LEASE_SECONDS);
            let expected = OutboxEmail { attempts, next_attempt_at, ..message.clone() };
            assert_eq!(take(&fixture, after(now), 10).await, slice::from_ref(&expected), "as it is then");
            assert_eq!(fixture.stored_email(message.id).await, expected);
            let last = Timestamp::from_micros(next_attempt_at.micros() - 1);
            assert_eq!(take(&fixture, last, 10).await, [], "another has it");
        }
        assert_eq!(fixture.stored_email(other.id).await, other);
    }

    async fn racing_workers_take_each_email_once(fixture: StoreFixture) {
        let mut outbox_emails = BTreeSet::new();
        for seconds in 0..60 {
            outbox_emails.insert(due(&fixture, -seconds).await.id);
        }
        let taken = race(8, |index| {
            let fixture = fixture.clone();
            async move {
                let mut taken = Vec::new();
                for _ in 0..6 {
                    let batch = if index % 2 == 0 {
                        take(&fixture, after(5), 4).await
                    } else {
                        let mut tx = fixture.write().await;
                        let batch = tx.lease_outbox_emails(after(5), after(95), 4).await.unwrap();
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
        // A worker may leave a locked email to the next one.
        taken.extend(take(&fixture, after(5), 100).await);
        assert!(taken.iter().all(|message| message.attempts == 1));
        assert_eq!(taken.len(), outbox_emails.len(), "none twice");
        assert_eq!(ids(&taken).into_iter().collect::<BTreeSet<_>>(), outbox_emails, "and none is lost");
    }

    async fn an_email_is_taken_once_the_change_that_it_tells_of_is_committed(fixture: StoreFixture) {
        let told = race(12, |index| {
            let (fixture, user) = (fixture.clone(), fixture.stranger());
            async move {
                if index % 3 == 2 {
                    return take(&fixture, after(5), 100).await;
                }
                let message = OutboxEmail { user_id: Some(user.id), ..fixture.email() };
                let mut tx = fixture.write().await;
                assert!(tx.insert_outbox_email(&message).await.unwrap());
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
        taken.extend(take(&fixture, after(5), 100).await);
        assert_eq!(taken.len(), 4, "of as many units as were committed");
        for message in taken {
            let user = fixture.read().await.find_user(message.user_id.unwrap()).await.unwrap();
            assert!(user.is_some());
        }
    }

    async fn emails_are_there_again_when_their_taking_is_undone(fixture: StoreFixture) {
        let message = due(&fixture, 0).await;
        let mut tx = fixture.write().await;
        assert_eq!(tx.lease_outbox_emails(after(5), after(95), 10).await.unwrap().len(), 1);
        drop(tx);
        assert_eq!(fixture.stored_email(message.id).await, message);
        let expected = BTreeSet::from([message.id]);
        assert_eq!(take_soon(&fixture, after(5), &expected).await, expected);
    }

    /// A node that stops in the middle.
    async fn a_worker_that_is_cut_off_takes_no_email_along(fixture: StoreFixture) {
        for round in 0..20 {
            let outbox_emails = [due(&fixture, 0).await.id, due(&fixture, 0).await.id];
            let theirs = fixture.clone();
            let work = tokio::spawn(async move { take(&theirs, after(5), 10).await });
            sleep(Duration::from_micros(round * 150)).await;
            work.abort();
            let _ = work.await;
            let lease_over = after(5 + LEASE_SECONDS);
            let expected = BTreeSet::from(outbox_emails);
            assert_eq!(take_soon(&fixture, lease_over, &expected).await, expected);
            for id in outbox_emails {
                assert!(finish(&fixture, id, EmailState::Sent).await);
            }
        }
    }

    async fn an_email_is_finished_once_and_never_taken_again(fixture: StoreFixture) {
        for (state, failure) in FINISHED.into_iter().zip([None, Some("over"), Some("550 no")]) {
            let message = OutboxEmail { failure: Some("451".to_owned()), ..fixture.email() };
            fixture.add_email(&message).await;
            let failure = failure.map(str::to_owned);
            let mut tx = fixture.single().await;
            let done = tx.finish_outbox_email(message.id, state, failure.clone(), after(7)).await;
            assert!(done.unwrap());
            let finished_at = Some(after(7));
            let expected = OutboxEmail { state, failure, finished_at, ..message };
            assert_eq!(fixture.stored_email(expected.id).await, expected);
            for other in FINISHED {
                assert!(!finish(&fixture, expected.id, other).await);
            }
            assert!(!postpone(&fixture, expected.id, 0).await.unwrap());
            assert_eq!(fixture.stored_email(expected.id).await, expected);
        }
        assert_eq!(take(&fixture, after(1_000_000), 10).await, []);
        assert!(!finish(&fixture, fixture.email().id, EmailState::Sent).await);
    }

    async fn of_racing_workers_one_finishes_an_email(fixture: StoreFixture) {
        for _ in 0..10 {
            let message = due(&fixture, 0).await;
            let done = race(6, |index| {
                let (fixture, id) = (fixture.clone(), message.id);
                let as_what = FINISHED.get(index % 3).copied().unwrap();
                async move { finish(&fixture, id, as_what).await.then_some(as_what) }
            })
            .await;
            let done: Vec<_> = done.into_iter().flatten().collect();
            assert_eq!(done, [fixture.stored_email(message.id).await.state]);
        }
    }

    async fn an_email_is_put_off_by_who_has_it(fixture: StoreFixture) {
        let (message, other) = (due(&fixture, 0).await, due(&fixture, 100_000).await);
        assert!(postpone(&fixture, message.id, 0).await.unwrap(), "as often as it was taken");
        let taken = take(&fixture, after(60), 10).await;
        let expected = OutboxEmail {
            attempts: 1,
            next_attempt_at: after(60 + LEASE_SECONDS),
            failure: Some("451 4.3.0 later".to_owned()),
            ..message
        };
        assert_eq!(taken, slice::from_ref(&expected));
        for attempts in [0, 2] {
            assert!(!postpone(&fixture, expected.id, attempts).await.unwrap());
            assert_eq!(fixture.stored_email(expected.id).await, expected);
        }
        assert!(postpone(&fixture, expected.id, 1).await.unwrap());
        let expected = OutboxEmail { next_attempt_at: after(60), ..expected };
        assert_eq!(fixture.stored_email(expected.id).await, expected, "nothing else changes");
        assert_eq!(fixture.stored_email(other.id).await, other);
        assert!(!postpone(&fixture, fixture.email().id, 0).await.unwrap());
    }

    async fn a_worker_whose_lease_is_over_puts_nothing_off(fixture: StoreFixture) {
        let message = due(&fixture, 0).await;
        take(&fixture, after(5), 10).await;
        let theirs = take(&fixture, after(5 + LEASE_SECONDS), 10).await;
        assert!(!postpone(&fixture, message.id, 1).await.unwrap());
        assert_eq!(theirs, [fixture.stored_email(message.id).await]);
        assert!(postpone(&fixture, message.id, 2).await.unwrap());
    }

    async fn a_finished_email_stays_finished_whoever_puts_it_off_meanwhile(fixture: StoreFixture) {
        for _ in 0..20 {
            let message = due(&fixture, 0).await;
            let changed = race(2, |index| {
                let fixture = fixture.clone();
                async move {
                    if index == 0 {
                        finish(&fixture, message.id, EmailState::Sent).await
                    } else {
                        postpone(&fixture, message.id, 0).await.unwrap();
                        true
                    }
                }
            })
            .await;
            assert_eq!(changed, [true, true]);
            let found = fixture.stored_email(message.id).await;
            assert_eq!((found.state, found.finished_at), (EmailState::Sent, Some(after(5))));
        }
        assert_eq!(take(&fixture, after(1_000_000), 100).await, []);
    }

    async fn an_email_that_was_given_up_waits_anew(fixture: StoreFixture) {
        let link = LinkId::new(after(0), &SeededEntropy::new(fixture.seed()));
        let slot = Some("forgot_password 1 ada@example.org".to_owned());
        let dead = OutboxEmail {
            state: EmailState::Failed,
            finished_at: Some(after(50)),
            attempts: 9,
            link_id: Some(link),
            slot,
            ..fixture.email()
        };
        let other = finished(&fixture, EmailState::Failed).await;
        fixture.add_email(&dead).await;
        assert!(fixture.single().await.retry_outbox_email(dead.id, after(500)).await.unwrap());
        let expected = OutboxEmail {
            state: EmailState::Waiting,
            finished_at: None,
            attempts: 0,
            scheduled_at: after(500),
            next_attempt_at: after(500),
            ..dead
        };
        assert_eq!(fixture.stored_email(expected.id).await, expected);
        assert_eq!(ids(&take(&fixture, after(500), 10).await), [expected.id]);
        assert_eq!(fixture.stored_email(other.id).await, other);
    }

    async fn an_email_that_was_not_given_up_is_not_tried_anew(fixture: StoreFixture) {
        let waiting = due(&fixture, 5000).await;
        let (sent, dropped) = (EmailState::Sent, EmailState::Discarded);
        let done = [finished(&fixture, sent).await, finished(&fixture, dropped).await];
        for message in done.iter().chain([&waiting]) {
            assert!(!fixture.single().await.retry_outbox_email(message.id, after(500)).await.unwrap());
            assert_eq!(fixture.stored_email(message.id).await, *message);
        }
        let absent = fixture.email().id;
        assert!(!fixture.single().await.retry_outbox_email(absent, after(500)).await.unwrap());
    }

    async fn of_racing_operators_one_has_an_email_tried_anew(fixture: StoreFixture) {
        let dead = finished(&fixture, EmailState::Failed).await;
        let retried = race(8, |_| {
            let fixture = fixture.clone();
            async move { fixture.single().await.retry_outbox_email(dead.id, after(5)).await.unwrap() }
        })
        .await;
        assert_eq!(retried.iter().filter(|retried| **retried).count(), 1);
    }
}
