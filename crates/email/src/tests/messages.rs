//! Emails as messages: headers and parts.

use std::sync::LazyLock;

use gateward_domain::email::{EmailMessage, EmailTemplate};
use gateward_domain::{EmailAddress, EmailId};
use gateward_testkit::SeededEntropy;
use gateward_testkit::fixtures::NOW;
use proptest::prelude::*;

use super::{clock, email, settings};
use crate::message::Composer;
use crate::samples::sample;
use crate::{MailSettings, Sender, SenderError, SetupError};

fn message(settings: MailSettings, email: &EmailMessage) -> String {
    let composer = Composer::new(settings, clock()).unwrap();
    String::from_utf8(composer.compose(email).unwrap().message.formatted()).unwrap()
}

/// The headers of the message: what stands before the first empty line, each in one line.
fn headers(message: &str) -> Vec<String> {
    let head = message.split("\r\n\r\n").next().unwrap();
    head.replace("\r\n ", " ").lines().map(str::to_owned).collect()
}

fn header<'a>(headers: &'a [String], name: &str) -> Vec<&'a str> {
    headers.iter().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).collect()
}

#[test]
fn every_email_has_its_headers_once_and_no_others() {
    for text in EmailTemplate::ALL {
        let id = EmailId::new(NOW, &SeededEntropy::new(7));
        let message = message(settings(), &EmailMessage { id, ..sample(*text) });
        let headers = headers(&message);
        let one = |name| {
            let values = header(&headers, name);
            assert_eq!(values.len(), 1, "{text}, {name}: {message}");
            values[0].to_owned()
        };
        assert_eq!(one("To"), "ada@example.org");
        assert_eq!(one("From"), "Example <login@example.org>");
        assert_eq!(one("Date"), "Fri, 20 Nov 2026 04:10:00 +0000");
        assert_eq!(one("Message-ID"), format!("<{id}@login.example.org>"));
        assert_eq!(one("MIME-Version"), "1.0");
        assert_eq!(one("Auto-Submitted"), "auto-generated");
        assert!(one("Content-Type").starts_with("multipart/alternative; boundary="));
        assert!(one("Subject").contains("Example"));
        assert_eq!(headers.len(), 8, "{text}: {message}");
    }
}

#[test]
fn the_parts_are_text_and_then_html_in_utf8() {
    let message = message(settings(), &sample(EmailTemplate::ConfirmEmail));
    let text = message.find("Content-Type: text/plain; charset=utf-8").unwrap();
    let html = message.find("Content-Type: text/html; charset=utf-8").unwrap();
    assert!(text < html);
    assert!(message.contains("\r\n    01234567\r\n"), "{message}");
    // Quoted-printable (RFC 2045, section 6.7).
    let decoded = message.replace("=\r\n", "").replace("=3D", "=");
    assert_eq!(decoded.matches("https://login.example.org/example#token=An-").count(), 3);
    assert!(decoded.contains(">01234567<"), "{decoded}");
}

#[test]
fn an_email_that_is_sent_again_is_the_same_email() {
    let composer = Composer::new(settings(), clock()).unwrap();
    let formatted = || composer.compose(&email("ada@example.org")).unwrap().message.formatted();
    assert_eq!(formatted(), formatted());
}

#[test]
fn an_ip_address_can_be_the_host_of_a_message_id() {
    for (url, host) in [("http://127.0.0.1:8080", "127.0.0.1"), ("http://[::1]:8080/", "[::1]")] {
        let settings = MailSettings { public_url: url.to_owned(), ..settings() };
        let message = message(settings, &sample(EmailTemplate::AccountDeleted));
        assert!(message.contains(&format!("@{host}>\r\n")), "{message}");
    }
    for url in ["", "login.example.org", "mailto:ada@example.org"] {
        let settings = MailSettings { public_url: url.to_owned(), ..settings() };
        let refused = Composer::new(settings, clock()).err();
        assert!(matches!(refused, Some(SetupError::PublicUrl)), "{url:?}: {refused:?}");
    }
}

proptest! {
    #[test]
    fn h2_no_address_makes_a_header_or_a_second_recipient(
        local in prop_oneof!["[a-z.!#$%&'*+/=?^_`{|}~-]{1,64}", "[\\p{L}\\p{N}.]{1,12}", "(=\\?utf-8\\?q\\?|%0d%0a|bcc)+"],
        domain in prop_oneof![Just("example.org".to_owned()), "[\\p{L}\\p{N}-]{1,12}\\.org"],
    ) {
        let Ok(to) = EmailAddress::parse(&format!("{local}@{domain}")) else { return Ok(()) };
        let made = COMPOSER.compose(&EmailMessage { to: to.clone(), ..sample(EmailTemplate::ResetPassword) });
        let message = made.unwrap_or_else(|error| panic!("{to}: {error}")).message;
        let recipients: Vec<String> =
            message.envelope().to().iter().map(ToString::to_string).collect();
        prop_assert_eq!(recipients, [to.as_str()]);
        let headers = headers(&String::from_utf8(message.formatted()).unwrap());
        prop_assert_eq!(header(&headers, "To"), [to.as_str()]);
        prop_assert_eq!(headers.len(), 8);
    }
}

static COMPOSER: LazyLock<Composer> = LazyLock::new(|| Composer::new(settings(), clock()).unwrap());

#[test]
fn addresses_in_other_scripts_stay_what_they_are() {
    for (address, to) in [
        ("info@BÜCHER.example", "info@xn--bcher-kva.example"),
        ("Jürgen@bücher.example", "jürgen@xn--bcher-kva.example"),
        ("用户@例子.example", "用户@xn--fsqu00a.example"),
    ] {
        let headers = headers(&message(settings(), &email(address)));
        assert_eq!(header(&headers, "To"), [to]);
    }
}

#[test]
fn a_sender_is_one_address_with_or_without_a_name() {
    for (text, name, shown) in [
        ("login@example.org", None, "login@example.org"),
        ("<login@example.org>", None, "login@example.org"),
        (" Example <Login@Example.org> ", Some("Example"), "Example <login@example.org>"),
        (
            "My Example <a@bücher.example>",
            Some("My Example"),
            "My Example <a@xn--bcher-kva.example>",
        ),
        (
            "\"Example, Inc.\" <a@example.org>",
            Some("Example, Inc."),
            "\"Example, Inc.\" <a@example.org>",
        ),
        ("Bücher <a@example.org>", Some("Bücher"), "Bücher <a@example.org>"),
    ] {
        let sender: Sender = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((sender.name(), sender.to_string().as_str()), (name, shown));
    }
    for text in [
        "",
        "Example",
        "a@example.org, b@example.org",
        "A <a@example.org>, B <b@example.org>",
        "A <a@example.org> B <b@example.org>",
        "A <a@example.org>\r\nBcc: b@example.org",
        "A\nB <a@example.org>",
        "A <a@b@example.org>",
        "a@localhost",
    ] {
        assert_eq!(Sender::parse(text), Err(SenderError::Form), "{text:?}");
    }
    assert_eq!(Sender::parse("jürgen@example.org"), Err(SenderError::NotAscii));
    let long = format!("{} <a@example.org>", "a".repeat(101));
    assert_eq!(Sender::parse(&long), Err(SenderError::NameTooLong));
}

#[test]
fn a_name_beyond_ascii_is_encoded() {
    let from = Sender::parse("\"Bücher: ja\" <a@example.org>").unwrap();
    let message =
        message(MailSettings { from, ..settings() }, &sample(EmailTemplate::ResetPassword));
    let headers = headers(&message);
    for name in ["From", "Subject"] {
        let values = header(&headers, name);
        assert!(values[0].is_ascii() && values[0].contains("=?utf-8?"), "{values:?}");
    }
    assert_eq!(headers.len(), 8);
}
