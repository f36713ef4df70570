//! Looking at SMTP servers without sending anything.

use std::time::Duration;

use super::server::{HANG, Server};
use super::{clock, settings};
use crate::{SmtpMailer, SmtpServer, SmtpServerFault};

fn mailer(smtp_server: &str, fallback: Option<&str>) -> SmtpMailer {
    let fallback = fallback.map(|url| SmtpServer::parse(url).unwrap());
    let smtp_server = SmtpServer::parse(smtp_server).unwrap();
    let mailer = SmtpMailer::new(settings(), smtp_server, fallback, clock()).unwrap();
    mailer.with_deadline(Duration::from_millis(500))
}

/// Looks at an SMTP server that answers so, with a login.
async fn fault(responses: &[(&'static str, &'static str)]) -> Option<SmtpServerFault> {
    let server = Server::start(responses).await;
    let url = format!("smtp://ada:hunter2@127.0.0.1:{}", server.port);
    let mut checked = mailer(&url, None).check().await;
    assert_eq!(checked.len(), 1);
    checked.remove(0).fault
}

#[tokio::test]
async fn an_smtp_server_is_logged_in_to_and_no_email_is_started() {
    let server = Server::start(&[]).await;
    let url = format!("smtp://ada:hunter2@127.0.0.1:{}", server.port);
    let checked = mailer(&url, None).check().await;
    assert_eq!(checked[0].smtp_server, format!("127.0.0.1:{}", server.port));
    assert_eq!(checked[0].fault, None);
    assert_eq!(server.heard("AUTH").len(), 1);
    assert_eq!(server.heard("QUIT").len(), 1);
    assert!(server.heard("MAIL").is_empty());
}

#[tokio::test]
async fn a_refused_login_is_told_apart_and_without_the_password() {
    for responses in
        [("AUTH", "535 5.7.8 hunter2 is wrong"), ("EHLO", "250-smtp.example.org\r\n250 8BITMIME")]
    {
        let found = fault(&[responses]).await.unwrap();
        assert!(matches!(found, SmtpServerFault::Login(_)), "{responses:?}: {found:?}");
        assert!(!found.to_string().contains("hunter2"), "{found}");
    }
}

#[tokio::test]
async fn an_smtp_server_that_does_not_response_is_unreachable() {
    for responses in [
        ("CONNECT", HANG),
        ("CONNECT", "CLOSE"),
        ("EHLO", "550 no"),
        ("AUTH", HANG),
        ("AUTH", "454 not now"),
    ] {
        let found = fault(&[responses]).await.unwrap();
        assert!(matches!(found, SmtpServerFault::Unreachable(_)), "{responses:?}: {found:?}");
    }
}

#[tokio::test]
async fn the_fallback_is_looked_at_as_well() {
    let (first, second) = (Server::start(&[("CONNECT", "CLOSE")]).await, Server::start(&[]).await);
    let checked = mailer(&first.url(), Some(&second.url())).check().await;
    let faults: Vec<bool> = checked.iter().map(|smtp_server| smtp_server.fault.is_some()).collect();
    assert_eq!(faults, [true, false]);
    assert!(second.heard("MAIL").is_empty());
}
