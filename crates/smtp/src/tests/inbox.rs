//! The development inbox.

use gateward_domain::mail::{Letter, LetterText};
use gateward_domain::ports::{Inbox, MailError, Mailer};
use gateward_testkit::fixtures::NOW;

use super::{clock, letter, settings};
use crate::DevInbox;
use crate::inbox::LETTERS_MAX;
use crate::samples::sample;

#[tokio::test]
async fn a_letter_is_kept_with_its_links_and_its_code() {
    let inbox = DevInbox::new(settings(), clock()).unwrap();
    let sent = letter("ada@example.org");
    inbox.send(&sent).await.unwrap();
    let letters = inbox.letters();
    let [kept] = letters.as_slice() else { panic!("one letter") };
    assert_eq!(kept.to, sent.to);
    assert_eq!(kept.subject, "Choose a new password for Example");
    assert_eq!(kept.links, [sent.link.unwrap()]);
    assert_eq!(kept.code.as_deref(), Some("01234567"));
    assert_eq!(kept.sent_at, NOW);
    assert!(kept.headers.contains("To: ada@example.org\r\n"), "{}", kept.headers);
    assert!(kept.headers.contains("Auto-Submitted: auto-generated\r\n"), "{}", kept.headers);
    assert!(kept.text.contains("01234567") && kept.html.contains("01234567"));
}

#[tokio::test]
async fn a_letter_without_link_is_kept_without() {
    let inbox = DevInbox::new(settings(), clock()).unwrap();
    inbox.send(&sample(LetterText::AccountExists)).await.unwrap();
    let letters = inbox.letters();
    assert_eq!((letters[0].links.len(), &letters[0].code), (0, &None));
}

#[tokio::test]
async fn the_inbox_is_bounded_and_the_newest_comes_first() {
    let inbox = DevInbox::new(settings(), clock()).unwrap();
    for number in 0..=LETTERS_MAX {
        inbox.send(&letter(&format!("user-{number}@example.org"))).await.unwrap();
    }
    let letters = inbox.letters();
    assert_eq!(letters.len(), LETTERS_MAX);
    assert_eq!(letters[0].to.local(), format!("user-{LETTERS_MAX}"));
    assert_eq!(letters[LETTERS_MAX - 1].to.local(), "user-1");
}

#[tokio::test]
async fn a_letter_that_cannot_be_made_is_unfit() {
    let inbox = DevInbox::new(settings(), clock()).unwrap();
    let refused = inbox.send(&Letter { link: None, ..letter("ada@example.org") }).await;
    assert!(matches!(refused, Err(MailError::Unfit(_))), "{refused:?}");
    assert!(inbox.letters().is_empty());
}
