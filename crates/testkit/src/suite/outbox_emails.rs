//! Promises about emails in the outbox: every field is stored, one per slot, listed, counted and
//! cleaned up.

use std::cmp::Reverse;
use std::time::Duration;

use gateward_domain::email::{EmailKind, EmailState, OutboxEmail};
use gateward_domain::ports::{OutboxCounts, OutboxFilter, StoreError};
use gateward_domain::{EmailAddress, EmailId, LinkId, SignupId, User};
use tokio::time::sleep;

use super::StoreFixture;
use super::fixture::{after, race};
use crate::SeededEntropy;

/// An email created this many seconds after the others, as its identifier shows.
fn made(fixture: &StoreFixture, seconds: i64) -> OutboxEmail {
    let id = EmailId::new(after(seconds), &SeededEntropy::new(fixture.seed()));
    OutboxEmail { id, ..fixture.email() }
}

fn with_slot(fixture: &StoreFixture, slot: &str) -> OutboxEmail {
    OutboxEmail { slot: Some(slot.to_owned()), ..fixture.email() }
}

/// An email that was finished then.
fn finished(fixture: &StoreFixture, as_what: EmailState, seconds: i64) -> OutboxEmail {
    OutboxEmail { state: as_what, finished_at: Some(after(seconds)), ..fixture.email() }
}

/// Adds an email. Returns whether its slot was free.
async fn add(fixture: &StoreFixture, message: &OutboxEmail) -> bool {
    fixture.single().await.insert_outbox_email(message).await.unwrap()
}

/// Lists the emails that match a filter.
async fn list(fixture: &StoreFixture, filter: OutboxFilter, limit: u32) -> Vec<OutboxEmail> {
    fixture.read().await.list_outbox_emails(filter, limit).await.unwrap()
}

/// Returns the number of emails by state.
async fn counts(fixture: &StoreFixture) -> OutboxCounts {
    fixture.read().await.count_outbox_emails().await.unwrap()
}

promises! {
    __promises_outbox_emails;


    async fn every_field_of_an_email_comes_back(fixture: StoreFixture) {
        let (entropy, user) = (SeededEntropy::new(fixture.seed()), fixture.user().await);
        let full = OutboxEmail {
            recipient: EmailAddress::parse(&format!("jürgen+{:x}@bücher.example", fixture.seed())).unwrap(),
            user_id: Some(user.id),
            // The reference may point to a deleted row.
            signup_id: Some(SignupId::new(after(0), &entropy)),
            link_id: Some(LinkId::new(after(0), &entropy)),
            created_at: after(-60),
            ip: Some("2001:db8::7:1".parse().unwrap()),
            slot: Some("forgot_password 1 jürgen@bücher.example".to_owned()),
            scheduled_at: after(-30),
            next_attempt_at: after(30),
            attempts: 3,
            state: EmailState::Failed,
            finished_at: Some(after(90)),
            failure: Some("550 5.1.1 '; DROP TABLE outbox_emails; -- 🦀".to_owned()),
            ..fixture.email()
        };
        for message in [fixture.email(), full] {
            fixture.add_email(&message).await;
            assert_eq!(fixture.stored_email(message.id).await, message);
            assert!(list(&fixture, OutboxFilter::default(), 10).await.contains(&message));
        }
        let absent = fixture.email().id;
        assert_eq!(fixture.read().await.find_outbox_email(absent).await.unwrap(), None);
    }

    async fn every_kind_and_state_of_an_email_comes_back(fixture: StoreFixture) {
        for kind in EmailKind::ALL {
            let message = OutboxEmail { kind: *kind, ..fixture.email() };
            fixture.add_email(&message).await;
            assert_eq!(fixture.stored_email(message.id).await, message);
        }
        for state in EmailState::ALL {
            let finished_at = (*state != EmailState::Waiting).then_some(after(5));
            let message = OutboxEmail { state: *state, finished_at, ..fixture.email() };
            fixture.add_email(&message).await;
            assert_eq!(fixture.stored_email(message.id).await, message);
        }
    }

    async fn an_email_whose_slot_is_taken_is_not_written_and_the_unit_goes_on(fixture: StoreFixture) {
        let (first, second) = (with_slot(&fixture, "one"), with_slot(&fixture, "one"));
        let (other, user) = (with_slot(&fixture, "two"), fixture.stranger());
        assert!(add(&fixture, &first).await);
        assert!(!add(&fixture, &second).await);
        let mut tx = fixture.write().await;
        assert!(!tx.insert_outbox_email(&second).await.unwrap());
        assert!(tx.insert_outbox_email(&other).await.unwrap());
        tx.insert_user(&user).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(fixture.read().await.find_outbox_email(second.id).await.unwrap(), None);
        assert_eq!(fixture.stored_email(first.id).await, first);
        assert_eq!(fixture.stored_email(other.id).await, other);
        assert_eq!(fixture.stored_user(&user).await, user);
    }

    async fn emails_without_a_slot_are_all_written(fixture: StoreFixture) {
        let recipient = fixture.stranger().email;
        let mut tx = fixture.write().await;
        for _ in 0..3 {
            let message = OutboxEmail { recipient: recipient.clone(), ..fixture.email() };
            assert!(tx.insert_outbox_email(&message).await.unwrap());
        }
        tx.commit().await.unwrap();
        assert_eq!(counts(&fixture).await.waiting, 3);
    }

    async fn an_email_is_not_written_over_another(fixture: StoreFixture) {
        let message = fixture.email();
        fixture.add_email(&message).await;
        for slot in [None, Some("one".to_owned())] {
            let same_id = OutboxEmail { id: message.id, slot, ..fixture.email() };
            let response = fixture.single().await.insert_outbox_email(&same_id).await;
            assert!(matches!(response, Err(StoreError::Unavailable(_))), "{response:?}");
        }
        assert_eq!(fixture.stored_email(message.id).await, message);
    }

    async fn a_slot_is_taken_as_long_as_its_email_is_there(fixture: StoreFixture) {
        let message = with_slot(&fixture, "one");
        fixture.add_email(&message).await;
        let sent = EmailState::Sent;
        let mut tx = fixture.single().await;
        assert!(tx.finish_outbox_email(message.id, sent, None, after(5)).await.unwrap());
        assert!(!add(&fixture, &with_slot(&fixture, "one")).await, "sent or not");
        assert_eq!(fixture.single().await.delete_outbox_emails(sent, after(6), 10).await.unwrap(), 1);
        assert!(add(&fixture, &with_slot(&fixture, "one")).await);
    }

    async fn of_racing_emails_exactly_one_gets_a_slot(fixture: StoreFixture) {
        let written = race(20, |index| {
            let (fixture, message) = (fixture.clone(), with_slot(&fixture, "one"));
            async move {
                if index % 2 == 0 {
                    return (add(&fixture, &message).await, None);
                }
                let user = fixture.stranger();
                let mut tx = fixture.write().await;
                let written = tx.insert_outbox_email(&message).await.unwrap();
                tx.insert_user(&user).await.unwrap();
                tx.commit().await.unwrap();
                (written, Some(user))
            }
        })
        .await;
        assert_eq!(written.iter().filter(|(written, _)| *written).count(), 1);
        assert_eq!(list(&fixture, OutboxFilter::default(), 100).await.len(), 1);
        for user in written.into_iter().filter_map(|(_, user)| user) {
            assert_eq!(fixture.stored_user(&user).await, user, "the rest is done all the same");
        }
    }

    async fn whether_a_slot_is_free_is_known_when_the_unit_before_has_ended(fixture: StoreFixture) {
        for committed in [false, true] {
            let slot = format!("slot {committed}");
            let (first, second) = (with_slot(&fixture, &slot), with_slot(&fixture, &slot));
            let mut holder = fixture.write().await;
            assert!(holder.insert_outbox_email(&first).await.unwrap());
            let theirs = fixture.clone();
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

    async fn a_waiting_email_is_given_its_link_and_its_account(fixture: StoreFixture) {
        let user = fixture.user().await;
        let (message, other) = (fixture.email(), fixture.email());
        let done = finished(&fixture, EmailState::Failed, 5);
        for message in [&message, &other, &done] {
            fixture.add_email(message).await;
        }
        let link = LinkId::new(after(5), &SeededEntropy::new(fixture.seed()));
        for user_id in [None, Some(user.id)] {
            let mut tx = fixture.single().await;
            assert!(tx.set_outbox_email_link(message.id, link, user_id).await.unwrap());
            let expected = OutboxEmail { link_id: Some(link), user_id, ..message.clone() };
            assert_eq!(fixture.stored_email(message.id).await, expected);
        }
        for id in [done.id, fixture.email().id] {
            let mut tx = fixture.single().await;
            assert!(!tx.set_outbox_email_link(id, link, Some(user.id)).await.unwrap());
        }
        assert_eq!(fixture.stored_email(done.id).await, done);
        assert_eq!(fixture.stored_email(other.id).await, other);
    }

    async fn emails_are_listed_newest_first_and_page_by_page(fixture: StoreFixture) {
        let mut outbox_emails = Vec::new();
        for seconds in [40, 10, 70, 30, 60, 20, 50] {
            // If both orders were the same, a wrong one would pass.
            let at = after(-seconds);
            let message = OutboxEmail { scheduled_at: at, next_attempt_at: at, ..made(&fixture, seconds) };
            fixture.add_email(&message).await;
            outbox_emails.push(message);
        }
        outbox_emails.sort_by_key(|message| Reverse(message.id));
        for limit in [1, 2, 3, 7, 100] {
            let (mut listed, mut filter) = (Vec::new(), OutboxFilter::default());
            // A list that repeats itself is longer than expected, but the test ends.
            for _ in 0..9 {
                let page = list(&fixture, filter, limit).await;
                assert!(page.len() <= usize::try_from(limit).unwrap());
                let Some(last) = page.last() else { break };
                filter.before = Some(last.id);
                listed.extend(page);
            }
            assert_eq!(listed, outbox_emails, "{limit} at a time");
        }
        assert_eq!(list(&fixture, OutboxFilter::default(), 0).await, []);
    }

    async fn a_filter_lets_pass_what_all_of_it_lets_pass(fixture: StoreFixture) {
        let (user, other) = (fixture.user().await, fixture.user().await);
        let mut outbox_emails = Vec::new();
        for (seconds, (state, about)) in (0..).zip([
            (EmailState::Waiting, Some(&user)),
            (EmailState::Sent, Some(&user)),
            (EmailState::Failed, Some(&user)),
            (EmailState::Failed, Some(&other)),
            (EmailState::Failed, None),
            (EmailState::Discarded, None),
            (EmailState::Failed, Some(&user)),
        ]) {
            let finished_at = (state != EmailState::Waiting).then_some(after(5));
            let user_id = about.map(|user: &User| user.id);
            let message = OutboxEmail { state, user_id, finished_at, ..made(&fixture, seconds) };
            fixture.add_email(&message).await;
            outbox_emails.insert(0, message);
        }
        let states = [None, Some(EmailState::Failed), Some(EmailState::Waiting)];
        let befores = [None, outbox_emails.first().map(|it| it.id), outbox_emails.last().map(|it| it.id)];
        for state in states {
            for user_id in [None, Some(user.id), Some(fixture.stranger().id)] {
                for before in befores {
                    let filter = OutboxFilter { state, user_id, before };
                    let passes = |message: &&OutboxEmail| {
                        state.is_none_or(|state| message.state == state)
                            && (user_id.is_none() || message.user_id == user_id)
                            && before.is_none_or(|before| message.id < before)
                    };
                    let expected: Vec<_> = outbox_emails.iter().filter(passes).cloned().collect();
                    assert_eq!(list(&fixture, filter, 100).await, expected, "{filter:?}");
                }
            }
        }
    }

    async fn emails_are_counted_and_the_longest_wait_is_known(fixture: StoreFixture) {
        assert_eq!(counts(&fixture).await, OutboxCounts::default());
        for state in [EmailState::Sent, EmailState::Discarded, EmailState::Failed, EmailState::Failed]
        {
            let done = finished(&fixture, state, 5);
            fixture.add_email(&OutboxEmail { scheduled_at: after(-500), ..done }).await;
        }
        let none_waits = OutboxCounts { waiting: 0, failed: 2, oldest_scheduled_at: None };
        assert_eq!(counts(&fixture).await, none_waits);
        for (planned, due) in [(-50, 10), (-70, 20), (-60, -300)] {
            let (scheduled_at, next_attempt_at) = (after(planned), after(due));
            fixture.add_email(&OutboxEmail { scheduled_at, next_attempt_at, ..fixture.email() }).await;
        }
        let oldest_scheduled_at = Some(after(-70));
        let expected = OutboxCounts { waiting: 3, failed: 2, oldest_scheduled_at };
        assert_eq!(counts(&fixture).await, expected);
    }

    async fn emails_of_a_state_are_cleaned_up_that_have_stopped_waiting_long_ago(fixture: StoreFixture) {
        let waiting = fixture.email();
        fixture.add_email(&waiting).await;
        let mut outbox_emails = Vec::new();
        for state in [EmailState::Sent, EmailState::Discarded, EmailState::Failed] {
            for seconds in [50, 99, 100, 101] {
                let message = finished(&fixture, state, seconds);
                fixture.add_email(&message).await;
                outbox_emails.push(message);
            }
        }
        let before = after(100);
        for state in [EmailState::Sent, EmailState::Failed] {
            assert_eq!(fixture.single().await.delete_outbox_emails(state, before, 100).await.unwrap(), 2);
            outbox_emails.retain(|message| message.state != state || message.finished_at >= Some(before));
            let mut left = list(&fixture, OutboxFilter::default(), 100).await;
            left.retain(|message| message.id != waiting.id);
            outbox_emails.sort_by_key(|message| Reverse(message.id));
            assert_eq!(left, outbox_emails, "the moment is not before it");
        }
        let mut tx = fixture.single().await;
        assert_eq!(tx.delete_outbox_emails(EmailState::Waiting, before, 100).await.unwrap(), 0);
        assert_eq!(fixture.stored_email(waiting.id).await, waiting);
    }

    async fn no_more_emails_are_cleaned_up_than_asked(fixture: StoreFixture) {
        for _ in 0..7 {
            fixture.add_email(&finished(&fixture, EmailState::Sent, 5)).await;
        }
        for (limit, deleted) in [(0, 0), (3, 3), (3, 3), (3, 1), (3, 0)] {
            let mut tx = fixture.single().await;
            let count = tx.delete_outbox_emails(EmailState::Sent, after(6), limit).await.unwrap();
            assert_eq!(count, deleted);
        }
    }

    async fn racing_cleanups_count_each_email_once(fixture: StoreFixture) {
        for _ in 0..24 {
            fixture.add_email(&finished(&fixture, EmailState::Sent, 5)).await;
        }
        let counts = race(4, |_| {
            let fixture = fixture.clone();
            async move {
                let mut counts = Vec::new();
                for _ in 0..8 {
                    let mut tx = fixture.single().await;
                    let count = tx.delete_outbox_emails(EmailState::Sent, after(6), 5).await;
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
