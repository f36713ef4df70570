//! Handing emails to SMTP servers that take them, refuse them, hang or are not there.

use std::time::{Duration, Instant};

use gateward_domain::email::EmailTemplate;
use gateward_domain::ports::{MailError, Mailer};
use tokio::net::TcpListener;

use super::server::{HANG, Server};
use super::{clock, email, settings};
use crate::mailer::tellable;
use crate::samples::sample;
use crate::{SmtpMailer, SmtpServer};

fn mailer(smtp_server: &str, fallback: Option<&str>) -> SmtpMailer {
    let fallback = fallback.map(|url| SmtpServer::parse(url).unwrap());
    let smtp_server = SmtpServer::parse(smtp_server).unwrap();
    let mailer = SmtpMailer::new(settings(), smtp_server, fallback, clock()).unwrap();
    mailer.with_deadline(Duration::from_millis(500))
}

/// Sends one email to an SMTP server that answers so.
async fn send(responses: &[(&'static str, &'static str)]) -> Result<(), MailError> {
    let server = Server::start(responses).await;
    mailer(&server.url(), None).send(&email("ada@example.org")).await
}

fn is_unreachable(result: &Result<(), MailError>) -> bool {
    matches!(result, Err(MailError::Unreachable(_)))
}

fn refused(permanent: bool, response: &str) -> Result<(), MailError> {
    Err(MailError::Refused { permanent, response: response.to_owned() })
}

#[tokio::test]
async fn every_email_arrives_once_for_its_one_recipient() {
    let server = Server::start(&[]).await;
    let mailer = mailer(&server.url(), None);
    for text in EmailTemplate::ALL {
        mailer.send(&sample(*text)).await.unwrap();
    }
    let emails = server.heard("EMAIL");
    assert_eq!(emails.len(), EmailTemplate::ALL.len());
    assert_eq!(server.heard("MAIL"), vec!["MAIL FROM:<login@example.org>"; emails.len()]);
    assert_eq!(server.heard("RCPT"), vec!["RCPT TO:<ada@example.org>"; emails.len()]);
    assert_eq!(server.heard("EHLO"), ["EHLO login.example.org"], "one connection did");
}

#[tokio::test]
async fn an_smtp_server_is_logged_in_to_with_the_decoded_password() {
    let server = Server::start(&[]).await;
    let url = format!("smtp://ada%40example.org:p%2Fw@127.0.0.1:{}", server.port);
    mailer(&url, None).send(&email("bob@example.org")).await.unwrap();
    // The base64 of NUL ada@example.org NUL p/w.
    assert_eq!(server.heard("AUTH"), ["AUTH PLAIN AGFkYUBleGFtcGxlLm9yZwBwL3c="]);
}

#[tokio::test]
async fn refusals_say_whether_they_are_for_good() {
    let refusal = send(&[("RCPT", "550 5.1.1 no such user")]).await;
    assert_eq!(refusal, refused(true, "permanent error (550): 5.1.1 no such user"));
    let refusal = send(&[("RCPT", "450 4.2.1 greylisted,\r\n450 come back")]).await;
    assert!(matches!(refusal, Err(MailError::Refused { permanent: false, .. })), "{refusal:?}");
    let refusal = send(&[("EMAIL", "554 spam")]).await;
    assert_eq!(refusal, refused(true, "permanent error (554): spam"));
    let refusal = send(&[("MAIL", "452 disk full")]).await;
    assert_eq!(refusal, refused(false, "transient error (452): disk full"));
}

#[tokio::test]
async fn an_smtp_server_that_would_take_no_email_at_all_is_unreachable() {
    for responses in [
        [("CONNECT", "554 go away")],
        [("CONNECT", "421 too busy")],
        [("CONNECT", "CLOSE")],
        [("CONNECT", "rubbish")],
        [("EHLO", "550 no")],
        [("MAIL", "421 closing")],
        [("MAIL", "530 log in first")],
        [("RCPT", "CLOSE")],
        [("EMAIL", "421 closing")],
        [("EMAIL", "CLOSE")],
    ] {
        let result = send(&responses).await;
        assert!(is_unreachable(&result), "{responses:?}: {result:?}");
    }
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let result = mailer(&format!("smtp://{free}"), None).send(&email("ada@example.org")).await;
    assert!(is_unreachable(&result), "{result:?}");
    assert!(
        result.unwrap_err().to_string().contains(&free.to_string()),
        "the SMTP server is named"
    );
}

#[tokio::test]
async fn a_refused_login_is_unreachable_and_told_without_the_password() {
    for (begin, response) in [
        ("AUTH", "535 5.7.8 hunter2 is wrong: AUTH PLAIN AGFkYQBodW50ZXIy"),
        ("MAIL", "530 5.7.0 ada with hunter2 may not"),
        ("AUTH", "421 hunter2"),
    ] {
        let server = Server::start(&[(begin, response)]).await;
        let url = format!("smtp://ada:hunter2@127.0.0.1:{}", server.port);
        let result = mailer(&url, None).send(&email("bob@example.org")).await;
        assert!(is_unreachable(&result), "{result:?}");
        let said = result.unwrap_err().to_string();
        assert!(!said.contains("hunter2") && !said.contains("AGFkYQ"), "{said}");
    }
}

#[tokio::test]
async fn an_smtp_server_that_hangs_is_given_up_in_time_wherever_it_hangs() {
    for begin in ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "EMAIL"] {
        let started = Instant::now();
        let result = send(&[(begin, HANG)]).await;
        assert!(is_unreachable(&result), "{begin}: {result:?}");
        assert!(started.elapsed() < Duration::from_secs(3), "{begin}");
    }
}

#[tokio::test]
async fn a_connection_that_was_given_up_on_carries_no_other_email() {
    let server = Server::start(&[("RCPT TO:<slow", HANG)]).await;
    let mailer = mailer(&server.url(), None);
    assert!(is_unreachable(&mailer.send(&email("slow@example.org")).await));
    mailer.send(&email("ada@example.org")).await.unwrap();
    assert_eq!(server.heard("CONNECT").len(), 2);
}

#[tokio::test]
async fn tls_that_is_required_is_not_done_without() {
    let server = Server::start(&[]).await;
    for url in [
        format!("smtp://u:p@127.0.0.1:{}?tls=required", server.port),
        format!("smtps://u:p@127.0.0.1:{}", server.port),
    ] {
        let result = mailer(&url, None).send(&email("ada@example.org")).await;
        assert!(is_unreachable(&result), "{url}: {result:?}");
    }
    assert!(server.heard("MAIL").is_empty() && server.heard("AUTH").is_empty());
}

#[tokio::test]
async fn the_fallback_takes_what_the_first_smtp_server_does_not_take_now() {
    for responses in [[("CONNECT", HANG)], [("CONNECT", "CLOSE")], [("RCPT", "450 later")]] {
        let (first, second) = (Server::start(&responses).await, Server::start(&[]).await);
        let mailer = mailer(&first.url(), Some(&second.url()));
        mailer.send(&email("ada@example.org")).await.unwrap();
        assert_eq!(second.heard("EMAIL").len(), 1, "{responses:?}");
    }
}

#[tokio::test]
async fn the_fallback_is_not_asked_about_a_refusal_for_good() {
    let first = Server::start(&[("RCPT", "550 no such user")]).await;
    let second = Server::start(&[]).await;
    let mailer = mailer(&first.url(), Some(&second.url()));
    let result = mailer.send(&email("ada@example.org")).await;
    assert_eq!(result, refused(true, "permanent error (550): no such user"));
    assert!(second.heard("CONNECT").is_empty());
}

#[tokio::test]
async fn of_two_smtp_servers_that_fail_the_more_hopeful_word_counts() {
    for (first, second, permanent) in [
        ([("CONNECT", "CLOSE")], [("CONNECT", "CLOSE")], None),
        ([("CONNECT", "CLOSE")], [("RCPT", "450 later")], Some(false)),
        ([("CONNECT", "CLOSE")], [("RCPT", "550 never")], Some(false)),
        ([("RCPT", "450 later")], [("CONNECT", "CLOSE")], Some(false)),
        ([("RCPT", "450 later")], [("RCPT", "550 never")], Some(false)),
    ] {
        let (first, second) = (Server::start(&first).await, Server::start(&second).await);
        let mailer = mailer(&first.url(), Some(&second.url()));
        let found = match mailer.send(&email("ada@example.org")).await {
            Err(MailError::Refused { permanent, .. }) => Some(permanent),
            Err(MailError::Unreachable(said)) => {
                for port in [first.port, second.port] {
                    assert!(said.contains(&port.to_string()), "{said}");
                }
                None
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(found, permanent);
    }
}

#[tokio::test]
async fn an_address_beyond_ascii_goes_by_smtputf8_or_not_at_all() {
    let utf8 = ("EHLO", "250-smtp.example.org\r\n250-8BITMIME\r\n250 SMTPUTF8");
    let server = Server::start(&[utf8]).await;
    mailer(&server.url(), None).send(&email("jürgen@bücher.example")).await.unwrap();
    let sender = "MAIL FROM:<login@example.org> SMTPUTF8 BODY=8BITMIME";
    assert_eq!(server.heard("MAIL"), [sender]);
    assert_eq!(server.heard("RCPT"), ["RCPT TO:<jürgen@xn--bcher-kva.example>"]);

    let server = Server::start(&[]).await;
    let mailer = mailer(&server.url(), None);
    let result = mailer.send(&email("jürgen@bücher.example")).await;
    assert!(matches!(result, Err(MailError::Refused { permanent: true, .. })), "{result:?}");
    mailer.send(&email("info@bücher.example")).await.unwrap();
    assert_eq!(server.heard("MAIL"), ["MAIL FROM:<login@example.org>"]);
}

#[tokio::test]
async fn the_next_email_goes_over_a_new_connection_when_the_smtp_server_hung_up() {
    let server = Server::start(&[("NOOP", "CLOSE")]).await;
    let mailer = mailer(&server.url(), None);
    for _ in 0..2 {
        mailer.send(&email("ada@example.org")).await.unwrap();
    }
    assert_eq!((server.heard("EMAIL").len(), server.heard("CONNECT").len()), (2, 2));
}

#[test]
fn responses_are_one_short_line_without_what_the_email_holds() {
    let email = email("ada@example.org");
    assert_eq!(tellable("550 no\r\n\tsuch\u{0}user\u{1b}[31m", &email), "550 no such user [31m");
    assert_eq!(tellable(&"ü".repeat(1000), &email).chars().count(), 200);
    let link = email.link.clone().unwrap();
    let token = link.split_once('=').unwrap().1;
    let said =
        format!("<ada@example.org> {link} token={token} 01234567 {}{token}", "x".repeat(150));
    let told = tellable(&said, &email);
    assert!(told.starts_with("<…> … token=… … xxx"), "{told}");
    assert!(!told.contains("An-Ex"), "{told}");
}
