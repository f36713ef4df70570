//! The development inbox.

use gateward_domain::email::{EmailMessage, EmailTemplate};
use gateward_domain::ports::{Inbox, MailError, Mailer};
use gateward_testkit::fixtures::NOW;

use super::{clock, email, settings};
use crate::DevInbox;
use crate::inbox::EMAILS_MAX;
use crate::samples::sample;

#[tokio::test]
async fn an_email_is_kept_with_its_links_and_its_code() {
    let inbox = DevInbox::new(settings(), clock()).unwrap();
    let sent = email("ada@example.org");
    inbox.send(&sent).await.unwrap();
    let emails = inbox.emails();
    let [kept] = emails.as_slice() else { panic!("one email") };
    assert_eq!(kept.to, sent.to);
    assert_eq!(kept.subject, "Reset your Example password");
    assert_eq!(kept.links, [sent.link.unwrap()]);
    assert_eq!(kept.code.as_deref(), Some("01234567"));
    assert_eq!(kept.sent_at, NOW);
    assert!(kept.headers.contains("To: ada@example.org\r\n"), "{}", kept.headers);
    assert!(kept.headers.contains("Auto-Submitted: auto-generated\r\n"), "{}", kept.headers);
    assert!(kept.text.contains("01234567") && kept.html.contains("01234567"));
}

#[tokio::test]
async fn an_email_without_link_is_kept_without() {
    let inbox = DevInbox::new(settings(), clock()).unwrap();
    inbox.send(&sample(EmailTemplate::AccountExists)).await.unwrap();
    let emails = inbox.emails();
    assert_eq!((emails[0].links.len(), &emails[0].code), (0, &None));
}

#[tokio::test]
async fn the_inbox_is_bounded_and_the_newest_comes_first() {
    let inbox = DevInbox::new(settings(), clock()).unwrap();
    for number in 0..=EMAILS_MAX {
        inbox.send(&email(&format!("user-{number}@example.org"))).await.unwrap();
    }
    let emails = inbox.emails();
    assert_eq!(emails.len(), EMAILS_MAX);
    assert_eq!(emails[0].to.local(), format!("user-{EMAILS_MAX}"));
    assert_eq!(emails[EMAILS_MAX - 1].to.local(), "user-1");
}

#[tokio::test]
async fn an_email_that_cannot_be_made_is_unfit() {
    let inbox = DevInbox::new(settings(), clock()).unwrap();
    let refused = inbox.send(&EmailMessage { link: None, ..email("ada@example.org") }).await;
    assert!(matches!(refused, Err(MailError::Unfit(_))), "{refused:?}");
    assert!(inbox.emails().is_empty());
}
