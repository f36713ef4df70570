//! Emails that cannot be sent: retried, failed, retried by an operator, cleaned up.

use gateward_domain::email::{EmailState, EmailTemplate};
use gateward_domain::ports::{MailError, OutboxFilter};
use gateward_domain::{EventKind, RequestInfo};

use super::mailbox::{
    address, by_token, open_test_app, refused, required, reset, saying, texts, unreachable,
};
use super::test_app::{TestApp, policy, signup};
use crate::Delivery;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// Leases and delivers the one due email. Returns the result.
async fn deliver(test_app: &TestApp) -> Delivery {
    let mut due = test_app.app.lease_outbox_emails(10).await.unwrap();
    assert_eq!(due.len(), 1);
    test_app.app.deliver(due.remove(0)).await.unwrap()
}

/// Row F18: the delays grow up to a minute, and randomness reduces each by at most half.
#[tokio::test]
async fn f18_an_email_is_tried_again_after_pauses_that_grow_up_to_a_minute() {
    for failure in [unreachable(), refused(false), refused(true)] {
        let (test_app, memory) = open_test_app(policy()).await;
        test_app.user("ada").await;
        let outcome = match failure {
            MailError::Unreachable(_) => Delivery::Unreachable,
            _ => Delivery::Postponed,
        };
        test_app.recording_mailer.fail(Some(failure.clone()));
        let mut pauses = Vec::new();
        for attempt in 1..=40 {
            assert_eq!(deliver(&test_app).await, outcome);
            let message = memory.outbox_emails().remove(0);
            assert_eq!((message.state, message.attempts), (EmailState::Waiting, attempt));
            assert_eq!(message.failure, Some(failure.to_string()));
            let pause = message.next_attempt_at.seconds_since(test_app.app.now());
            let longest = 2_i64.pow(attempt.min(10)).min(50);
            assert!((longest - longest / 2..=longest).contains(&pause), "{attempt}: {pause}");
            pauses.push(pause);
            test_app.clock.advance_seconds(pause);
        }
        pauses.drain(..6);
        pauses.sort_unstable();
        pauses.dedup();
        assert!(pauses.len() > 3, "randomness parts emails that failed together: {pauses:?}");
        test_app.recording_mailer.fail(None);
        assert_eq!(deliver(&test_app).await, Delivery::Sent);
    }
}

#[tokio::test]
async fn f18_no_email_of_an_outage_is_lost_and_none_waits_longer_than_a_minute_after_it() {
    let (test_app, _) = open_test_app(policy()).await;
    test_app.recording_mailer.fail(Some(unreachable()));
    for number in 0..20 {
        test_app.user(&format!("ada{number}")).await;
        test_app.clock.advance_seconds(180);
        test_app.post().await;
    }
    test_app.recording_mailer.fail(None);
    test_app.clock.advance_seconds(60);
    assert_eq!(test_app.post().await.len(), 20);
}

#[tokio::test]
async fn an_email_is_given_up_after_three_days_or_six_hours_of_refusals_for_good() {
    let patience = [
        (unreachable(), 3 * DAY),
        (refused(false), 3 * DAY),
        (refused(true), 6 * HOUR),
        (MailError::Unfit("no such template".to_owned()), 6 * HOUR),
    ];
    for (failure, seconds) in patience {
        let (test_app, memory) = open_test_app(policy()).await;
        let user = test_app.user("ada").await;
        let scheduled_at = memory.outbox_emails()[0].scheduled_at;
        test_app.recording_mailer.fail(Some(failure.clone()));
        deliver(&test_app).await;
        test_app.clock.set(scheduled_at.plus_seconds(seconds - 61));
        assert_ne!(deliver(&test_app).await, Delivery::Failed, "{failure}");
        test_app.clock.set(scheduled_at.plus_seconds(seconds));
        assert_eq!(deliver(&test_app).await, Delivery::Failed, "{failure}");
        let message = memory.outbox_emails().remove(0);
        assert_eq!(message.state, EmailState::Failed);
        assert_eq!(message.failure, Some(failure.to_string()));
        let told = memory.events();
        let told: Vec<_> =
            told.iter().filter(|event| event.kind == EventKind::EmailFailed).collect();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].user_id, Some(user.id));
        test_app.recording_mailer.fail(None);
        test_app.clock.advance_seconds(DAY);
        assert_eq!(texts(&test_app.post().await), [""; 0], "it is not tried any more");
    }
}

#[tokio::test]
async fn an_operator_has_an_email_tried_again_that_was_given_up() {
    let (test_app, memory) = open_test_app(policy()).await;
    test_app.owner("ada", |_| ()).await;
    test_app.app.forgot_password(&address("ada"), &RequestInfo::default()).await.unwrap();
    let id = memory.outbox_emails()[0].id;
    assert!(!test_app.app.retry_outbox_email(id).await.unwrap(), "it waits");
    test_app.recording_mailer.fail(Some(refused(true)));
    deliver(&test_app).await;
    test_app.clock.advance_seconds(6 * HOUR);
    assert_eq!(deliver(&test_app).await, Delivery::Failed);

    assert!(test_app.app.retry_outbox_email(id).await.unwrap());
    assert!(!test_app.app.retry_outbox_email(id).await.unwrap(), "once");
    assert_eq!(deliver(&test_app).await, Delivery::Postponed, "it has all its time again");
    test_app.recording_mailer.fail(None);
    test_app.clock.advance_seconds(60);
    let message = saying(&test_app.post().await, EmailTemplate::ResetPassword);
    assert_eq!(message.id, id);
    test_app.app.reset_password(reset(by_token(&message), "another horse")).await.unwrap();
}

/// A deleted link was not used: it is created again, as long as the email can be retried.
#[tokio::test]
async fn an_email_that_is_tried_again_after_a_week_carries_a_link_that_is_good() {
    let (test_app, memory) = open_test_app(policy()).await;
    test_app.user("ada").await;
    test_app.recording_mailer.fail(Some(refused(true)));
    deliver(&test_app).await;
    test_app.clock.advance_seconds(6 * HOUR);
    assert_eq!(deliver(&test_app).await, Delivery::Failed);
    test_app.clock.advance_seconds(7 * DAY);
    test_app.app.clean_up().await.unwrap();
    assert!(test_app.app.retry_outbox_email(memory.outbox_emails()[0].id).await.unwrap());
    test_app.recording_mailer.fail(None);
    let message = saying(&test_app.post().await, EmailTemplate::ConfirmEmail);
    assert!(message.expires_at.unwrap() > test_app.app.now());
}

#[tokio::test]
async fn an_operator_has_all_emails_tried_again_that_were_given_up() {
    let (test_app, _) = open_test_app(policy()).await;
    for name in ["ada", "bob", "eve"] {
        test_app.user(name).await;
    }
    test_app.recording_mailer.fail(Some(refused(true)));
    test_app.clock.advance_seconds(6 * HOUR);
    test_app.post().await;
    let counts = test_app.app.count_outbox_emails().await.unwrap();
    assert_eq!((counts.waiting, counts.failed), (0, 3));
    assert_eq!(test_app.app.retry_failed_emails().await.unwrap(), 3);
    let counts = test_app.app.count_outbox_emails().await.unwrap();
    assert_eq!((counts.waiting, counts.failed), (3, 0));
    assert_eq!(counts.oldest_scheduled_at, Some(test_app.app.now()));
    test_app.recording_mailer.fail(None);
    assert_eq!(test_app.post().await.len(), 3);
    assert_eq!(test_app.app.retry_failed_emails().await.unwrap(), 0);
}

#[tokio::test]
async fn an_operator_finds_an_email_and_lists_those_in_one_state() {
    let (test_app, memory) = open_test_app(policy()).await;
    let ada = test_app.user("ada").await;
    test_app.post().await;
    test_app.clock.advance_seconds(1);
    test_app.user("eve").await;
    let [first, second] = memory.outbox_emails().try_into().unwrap();
    assert_eq!(test_app.app.find_outbox_email(first.id).await.unwrap(), Some(first.clone()));
    let list = async |filter| test_app.app.list_outbox_emails(filter, 10).await.unwrap();
    assert_eq!(list(OutboxFilter::default()).await, [second.clone(), first.clone()]);
    let waiting = OutboxFilter { state: Some(EmailState::Waiting), ..OutboxFilter::default() };
    assert_eq!(list(waiting).await, [second]);
    let of_ada = OutboxFilter { user_id: Some(ada.id), ..OutboxFilter::default() };
    assert_eq!(list(of_ada).await, [first]);
}

#[tokio::test]
async fn signups_links_and_emails_are_cleaned_up_when_nobody_needs_them() {
    let (test_app, memory) = open_test_app(required()).await;
    test_app.pending(signup("ada")).await;
    test_app.post().await;
    let at = async |seconds: i64| {
        test_app.clock.set(gateward_testkit::fixtures::NOW.plus_seconds(seconds));
        test_app.app.clean_up().await.unwrap();
        (memory.signups().len(), memory.outbox_emails().len())
    };
    assert_eq!(at(4 * DAY + HOUR).await, (1, 1));
    assert_eq!(at(4 * DAY + HOUR + 1).await, (0, 1));
    assert_eq!(memory.links().len(), 1, "an email that waits may still ask for it");
    assert_eq!(at(7 * DAY).await, (0, 1));
    assert_eq!(at(7 * DAY + 1).await, (0, 0));
    at(60 * DAY).await;
    assert!(memory.links().is_empty());
}
