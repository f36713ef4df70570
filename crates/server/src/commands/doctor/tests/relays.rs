//! What is found of relays.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;

use super::servers::{nobody, start, start_untrusted};
use super::{codes, settings};
use crate::commands::doctor::mail;

/// Starts a relay that answers a login so.
fn start_relay(to_login: &'static str) -> SocketAddr {
    start(move |mut stream| {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let mut say = |answer: &str| stream.write_all(format!("{answer}\r\n").as_bytes());
        let _ = say("220 relay.example.org");
        while let Some(Ok(line)) = lines.next() {
            let _ = match line.split(' ').next() {
                Some("EHLO") => say("250-relay.example.org\r\n250 AUTH PLAIN"),
                Some("AUTH") => say(to_login),
                Some("QUIT") => say("221 bye"),
                _ => say("554 this is no letter box"),
            };
        }
    })
}

async fn found(urls: &[(&str, &str)]) -> Vec<&'static str> {
    let options = [&[("mail.transport", "smtp")], urls].concat();
    codes(&mail::check(&settings(&options).mail).await)
}

#[tokio::test]
async fn a_relay_that_lets_us_in_is_well() {
    let url = format!("smtp://ada:hunter2@{}", start_relay("235 welcome"));
    assert_eq!(found(&[("mail.smtp_url", &url)]).await, [""; 0]);
}

#[tokio::test]
async fn a_refused_login_and_a_wrong_certificate_are_told_apart() {
    let url = format!("smtp://ada:hunter2@{}", start_relay("535 no"));
    assert_eq!(found(&[("mail.smtp_url", &url)]).await, ["mail_login"]);
    let url = format!("smtps://ada:hunter2@{}", start_untrusted());
    assert_eq!(found(&[("mail.smtp_url", &url)]).await, ["mail_certificate"]);
}

#[tokio::test]
async fn each_of_two_relays_is_looked_at() {
    let first = format!("smtp://{}", nobody());
    let second = format!("smtp://ada:hunter2@{}", start_relay("535 no"));
    let urls = [("mail.smtp_url", &*first), ("mail.fallback_smtp_url", &*second)];
    assert_eq!(found(&urls).await, ["mail_unreachable", "mail_login"]);
}
