//! Delivery of emails: leased, sent once, recorded.

use std::sync::Arc;

use gateward_domain::EmailAddress;
use gateward_domain::email::{EmailKind, EmailState, OutboxEmail};
use gateward_domain::mock::{MockMailer, MockStore, MockTx};
use gateward_domain::ports::{Access, MailError, Store, StoreError};
use gateward_testkit::{MemoryStore, fixtures};
use mockall::Sequence;

use super::mailbox::{address, open_test_app, required, unreachable};
use super::test_app::{policy, ports, signup};
use crate::{App, Delivery, Ports, Signup};

/// An application with the test's own store and mailer.
async fn app(store: Arc<dyn Store>, mailer: MockMailer) -> App {
    let ports = Ports { mailer: Arc::new(mailer), ..ports(store) };
    App::new(ports, policy()).await.unwrap()
}

fn notice(seed: u64, to: &EmailAddress) -> OutboxEmail {
    fixtures::outbox_email(seed, EmailKind::PasswordChanged, to)
}

async fn put(store: &dyn Store, message: &OutboxEmail) {
    let mut tx = store.begin(Access::SingleWrite).await.unwrap();
    assert!(tx.insert_outbox_email(message).await.unwrap());
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn the_mailer_is_asked_once_and_while_no_unit_of_work_is_open() {
    let (mut store, mut mailer, mut order) = (MockStore::new(), MockMailer::new(), Sequence::new());
    let mut composing = MockTx::new();
    composing.expect_commit().times(1).in_sequence(&mut order).return_once(|| Ok(()));
    mailer.expect_send().times(1).in_sequence(&mut order).return_once(|_| Ok(()));
    store
        .expect_begin()
        .withf(|access| *access == Access::Write)
        .times(1)
        .return_once(|_| Ok(Box::new(composing)));
    store
        .expect_begin()
        .withf(|access| *access == Access::SingleWrite)
        .times(1)
        .in_sequence(&mut order)
        .return_once(|_| {
            let mut noting = MockTx::new();
            noting
                .expect_finish_outbox_email()
                .withf(|_, state, failure, _| *state == EmailState::Sent && failure.is_none())
                .times(1)
                .return_once(|_, _, _, _| Ok(true));
            noting.expect_commit().times(1).return_once(|| Ok(()));
            Ok(Box::new(noting))
        });
    let message = notice(1, &address("ada"));
    assert_eq!(app(Arc::new(store), mailer).await.deliver(message).await.unwrap(), Delivery::Sent);
}

#[tokio::test]
async fn an_email_whose_composing_is_not_committed_is_not_sent() {
    let (mut store, mut mailer) = (MockStore::new(), MockMailer::new());
    store.expect_begin().times(1).return_once(|_| {
        let mut tx = MockTx::new();
        tx.expect_commit().times(1).return_once(|| Err(StoreError::Busy));
        Ok(Box::new(tx))
    });
    mailer.expect_send().never();
    let lost = app(Arc::new(store), mailer).await.deliver(notice(1, &address("ada"))).await;
    assert!(matches!(lost, Err(StoreError::Busy)));
}

#[tokio::test]
async fn an_email_is_sent_once_and_noted() {
    let (test_app, memory) = open_test_app(policy()).await;
    test_app.user("ada").await;
    let sent = test_app.post_for(200).await;
    assert_eq!(sent.len(), 1);
    let message = memory.outbox_emails().remove(0);
    assert_eq!((message.id, message.state, message.attempts), (sent[0].id, EmailState::Sent, 1));
    assert_eq!(message.finished_at, Some(fixtures::NOW));
    assert_eq!(test_app.app.count_outbox_emails().await.unwrap().waiting, 0);
}

/// Row F19: the worker stops, before or after the SMTP server accepted the email.
#[tokio::test]
async fn f19_the_email_of_a_dead_worker_is_taken_again_after_its_lease() {
    let (test_app, _) = open_test_app(policy()).await;
    test_app.user("ada").await;
    let taken = test_app.app.lease_outbox_emails(10).await.unwrap();
    for (seconds, count) in [(0, 0), (59, 0), (1, 1)] {
        test_app.clock.advance_seconds(seconds);
        let again = test_app.app.lease_outbox_emails(10).await.unwrap();
        assert_eq!(again.len(), count, "{seconds}");
        for again in again {
            assert_eq!((again.id, again.attempts), (taken[0].id, 2));
        }
    }
}

#[tokio::test]
async fn f19_an_email_whose_end_was_not_noted_goes_out_again_as_the_same() {
    let (test_app, memory) = open_test_app(policy()).await;
    test_app.user("ada").await;
    let taken = test_app.app.lease_outbox_emails(10).await.unwrap().remove(0);
    test_app.recording_mailer.fail(Some(unreachable()));
    test_app.app.deliver(taken).await.unwrap();
    test_app.recording_mailer.fail(None);
    test_app.clock.advance_seconds(60);
    test_app.post().await;
    let tried = test_app.recording_mailer.tried();
    assert_eq!(tried.len(), 2);
    assert!(tried[0] == tried[1] && tried[0].link.is_some(), "the same id, link and code");
    assert_eq!(memory.links().len(), 1);
}

#[tokio::test]
async fn a_worker_whose_lease_is_over_puts_nothing_off() {
    for delivered in [true, false] {
        let (test_app, memory) = open_test_app(policy()).await;
        test_app.user("ada").await;
        let late = test_app.app.lease_outbox_emails(10).await.unwrap().remove(0);
        test_app.clock.advance_seconds(60);
        let next = test_app.app.lease_outbox_emails(10).await.unwrap().remove(0);
        if delivered {
            assert_eq!(test_app.app.deliver(next).await.unwrap(), Delivery::Sent);
        }
        let before = memory.outbox_emails();
        test_app.recording_mailer.fail(Some(unreachable()));
        test_app.app.deliver(late).await.unwrap();
        let mut after = memory.outbox_emails();
        after[0].link_id = before[0].link_id;
        after[0].user_id = before[0].user_id;
        assert_eq!(after, before, "{delivered}");
    }
}

/// Row F21: one refused email does not delay the others.
#[tokio::test]
async fn f21_an_email_that_nobody_takes_blocks_no_other() {
    let store = MemoryStore::new();
    for seed in 0..20 {
        let to = address(if seed == 0 { "poison" } else { "ada" });
        put(&store, &notice(seed, &to)).await;
    }
    let mut mailer = MockMailer::new();
    mailer.expect_send().times(20).returning(|message| {
        if message.to == address("poison") {
            Err(MailError::Refused { permanent: true, response: "550 no such user".to_owned() })
        } else {
            Ok(())
        }
    });
    let app = app(Arc::new(store.clone()), mailer).await;
    for message in app.lease_outbox_emails(100).await.unwrap() {
        app.deliver(message).await.unwrap();
    }
    for message in store.outbox_emails() {
        let poison = message.recipient == address("poison");
        let state = if poison { EmailState::Waiting } else { EmailState::Sent };
        assert_eq!(message.state, state);
        assert_eq!(message.failure.is_some(), poison);
    }
}

/// An email that is scheduled for later waits until then.
#[tokio::test]
async fn emails_that_confirm_one_address_go_out_one_in_a_span() {
    let (test_app, _) = open_test_app(required()).await;
    for name in ["ada", "eve", "bob"] {
        test_app.pending(Signup { email: address("ada"), ..signup(name) }).await;
    }
    for _ in 0..3 {
        assert_eq!(test_app.post().await.len(), 1);
        test_app.clock.advance_seconds(59);
        assert_eq!(test_app.post().await.len(), 0);
        test_app.clock.advance_seconds(1);
    }
}
