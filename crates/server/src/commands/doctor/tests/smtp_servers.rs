//! What is found of SMTP servers.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;

use super::servers::{nobody, start, start_untrusted};
use super::{codes, settings};
use crate::commands::doctor::mail;

/// Starts an SMTP server that responds to a login like this.
fn start_smtp_server(to_login: &'static str) -> SocketAddr {
    start(move |mut stream| {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let mut say = |response: &str| stream.write_all(format!("{response}\r\n").as_bytes());
        let _ = say("220 smtp.example.org");
        while let Some(Ok(line)) = lines.next() {
            let _ = match line.split(' ').next() {
                Some("EHLO") => say("250-smtp.example.org\r\n250 AUTH PLAIN"),
                Some("AUTH") => say(to_login),
                Some("QUIT") => say("221 bye"),
                _ => say("554 this is no email box"),
            };
        }
    })
}

async fn found(urls: &[(&str, &str)]) -> Vec<&'static str> {
    let options = [&[("mail.transport", "smtp")], urls].concat();
    codes(&mail::check(&settings(&options).mail).await)
}

#[tokio::test]
async fn an_smtp_server_that_lets_us_in_is_well() {
    let url = format!("smtp://ada:hunter2@{}", start_smtp_server("235 welcome"));
    assert_eq!(found(&[("mail.smtp_url", &url)]).await, [""; 0]);
}

#[tokio::test]
async fn a_refused_login_and_a_wrong_certificate_are_told_apart() {
    let url = format!("smtp://ada:hunter2@{}", start_smtp_server("535 no"));
    assert_eq!(found(&[("mail.smtp_url", &url)]).await, ["mail_login"]);
    let url = format!("smtps://ada:hunter2@{}", start_untrusted());
    assert_eq!(found(&[("mail.smtp_url", &url)]).await, ["mail_certificate"]);
}

#[tokio::test]
async fn each_of_two_smtp_servers_is_looked_at() {
    let first = format!("smtp://{}", nobody());
    let second = format!("smtp://ada:hunter2@{}", start_smtp_server("535 no"));
    let urls = [("mail.smtp_url", &*first), ("mail.fallback_smtp_url", &*second)];
    assert_eq!(found(&urls).await, ["mail_unreachable", "mail_login"]);
}
