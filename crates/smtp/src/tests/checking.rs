//! Looking at relays without sending anything.

use std::time::Duration;

use super::server::{HANG, Server};
use super::{clock, settings};
use crate::{Relay, RelayFault, SmtpMailer};

fn mailer(relay: &str, fallback: Option<&str>) -> SmtpMailer {
    let fallback = fallback.map(|url| Relay::parse(url).unwrap());
    let relay = Relay::parse(relay).unwrap();
    let mailer = SmtpMailer::new(settings(), relay, fallback, clock()).unwrap();
    mailer.with_deadline(Duration::from_millis(500))
}

/// Looks at a relay that answers so, with a login.
async fn fault(answers: &[(&'static str, &'static str)]) -> Option<RelayFault> {
    let server = Server::start(answers).await;
    let url = format!("smtp://ada:hunter2@127.0.0.1:{}", server.port);
    let mut checked = mailer(&url, None).check().await;
    assert_eq!(checked.len(), 1);
    checked.remove(0).fault
}

#[tokio::test]
async fn a_relay_is_logged_in_to_and_no_letter_is_begun() {
    let server = Server::start(&[]).await;
    let url = format!("smtp://ada:hunter2@127.0.0.1:{}", server.port);
    let checked = mailer(&url, None).check().await;
    assert_eq!(checked[0].relay, format!("127.0.0.1:{}", server.port));
    assert_eq!(checked[0].fault, None);
    assert_eq!(server.heard("AUTH").len(), 1);
    assert_eq!(server.heard("QUIT").len(), 1);
    assert!(server.heard("MAIL").is_empty());
}

#[tokio::test]
async fn a_refused_login_is_told_apart_and_without_the_password() {
    for answers in
        [("AUTH", "535 5.7.8 hunter2 is wrong"), ("EHLO", "250-relay.example.org\r\n250 8BITMIME")]
    {
        let found = fault(&[answers]).await.unwrap();
        assert!(matches!(found, RelayFault::Login(_)), "{answers:?}: {found:?}");
        assert!(!found.to_string().contains("hunter2"), "{found}");
    }
}

#[tokio::test]
async fn a_relay_that_does_not_answer_is_unreachable() {
    for answers in [
        ("CONNECT", HANG),
        ("CONNECT", "CLOSE"),
        ("EHLO", "550 no"),
        ("AUTH", HANG),
        ("AUTH", "454 not now"),
    ] {
        let found = fault(&[answers]).await.unwrap();
        assert!(matches!(found, RelayFault::Unreachable(_)), "{answers:?}: {found:?}");
    }
}

#[tokio::test]
async fn the_fallback_is_looked_at_as_well() {
    let (first, second) = (Server::start(&[("CONNECT", "CLOSE")]).await, Server::start(&[]).await);
    let checked = mailer(&first.url(), Some(&second.url())).check().await;
    let faults: Vec<bool> = checked.iter().map(|relay| relay.fault.is_some()).collect();
    assert_eq!(faults, [true, false]);
    assert!(second.heard("MAIL").is_empty());
}
