//! URLs of relays, good and bad.

use crate::relay::Encryption;
use crate::{Relay, RelayError};

#[test]
fn good_urls_say_where_and_how() {
    for (url, at, encryption, login) in [
        ("smtps://smtp.example.org", "smtp.example.org:465", Encryption::Tls, None),
        (
            "smtps://u:p@smtp.example.org:2465/",
            "smtp.example.org:2465",
            Encryption::Tls,
            Some(("u", "p")),
        ),
        ("SMTPS://Smtp.Example.ORG", "smtp.example.org:465", Encryption::Tls, None),
        (
            "smtp://smtp.example.org?tls=required",
            "smtp.example.org:587",
            Encryption::StartTls,
            None,
        ),
        (
            "smtp://u:p@smtp.example.org:25/?tls=required",
            "smtp.example.org:25",
            Encryption::StartTls,
            Some(("u", "p")),
        ),
        ("smtp://localhost", "localhost:25", Encryption::None, None),
        ("smtp://localhost?tls=required", "localhost:587", Encryption::StartTls, None),
        ("smtp://127.8.9.1:1025", "127.8.9.1:1025", Encryption::None, None),
        ("smtp://u:p@[::1]:1025\n", "[::1]:1025", Encryption::None, Some(("u", "p"))),
        ("smtps://192.0.2.7", "192.0.2.7:465", Encryption::Tls, None),
        ("smtps://[2001:db8::7]", "[2001:db8::7]:465", Encryption::Tls, None),
        ("smtps://bücher.example", "xn--bcher-kva.example:465", Encryption::Tls, None),
        (
            "smtps://ada%40example.org:p%2Fw%3F%23%25%3A%40%C3%BC@smtp.example.org",
            "smtp.example.org:465",
            Encryption::Tls,
            Some(("ada@example.org", "p/w?#%:@ü")),
        ),
    ] {
        let relay = Relay::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
        let found = relay.login.as_ref().map(|login| (&*login.user, &*login.password));
        assert_eq!((relay.to_string().as_str(), relay.encryption, found), (at, encryption, login));
    }
}

#[test]
fn bad_urls_are_refused_with_the_remedy_and_without_the_password() {
    for (url, error) in [
        ("", RelayError::Form),
        ("smtp.example.org", RelayError::Form),
        ("smtps://u:hunter2@host:port", RelayError::Form),
        ("smtps://u:hunter2@host:99999", RelayError::Form),
        ("smtps://u:hunter2/x@host", RelayError::Form),
        ("smtps://u:hun\r\nter2@host", RelayError::Form),
        ("https://u:hunter2@host", RelayError::Scheme),
        ("smtp+tls://u:hunter2@host", RelayError::Scheme),
        ("smtps:u:hunter2@host", RelayError::Rest),
        ("smtps://", RelayError::Host),
        ("smtps://u:hunter2@host:0", RelayError::Port),
        ("smtps://u:hunter2@host/path", RelayError::Rest),
        ("smtps://u:2/hunter2@host", RelayError::Rest),
        ("smtps://host#hunter2", RelayError::Rest),
        ("smtps://u:hunter2@host?tls=required", RelayError::Option),
        ("smtp://u:hunter2@host?tls=opportunistic", RelayError::Option),
        ("smtp://u:hunter2@localhost?tls=none", RelayError::Option),
        ("smtp://host?tls=required&x=hunter2", RelayError::Option),
        ("smtps://u@host", RelayError::Login),
        ("smtps://:hunter2@host", RelayError::Login),
        ("smtps://u:hunter2%@host", RelayError::Login),
        ("smtps://u:hunter2%zz@host", RelayError::Login),
        ("smtps://u:hunter2%ff@host", RelayError::Login),
        ("smtps://u:hunter2%0d%0aRSET@host", RelayError::Login),
        ("smtp://u:hunter2@host", RelayError::Plain),
        ("smtp://u:hunter2@10.0.0.1", RelayError::Plain),
        ("smtp://u:hunter2@[::2]", RelayError::Plain),
        ("smtp://u:hunter2@localhost.example.org", RelayError::Plain),
        ("smtp://u:hunter2@127.0.0.1.example.org", RelayError::Plain),
    ] {
        let refused = Relay::parse(url);
        assert_eq!(refused, Err(error), "{url:?}");
        let said = format!("{error} {error:?}");
        assert!(!said.contains("hunter2") && said.contains("SMTP URL"), "{said}");
    }
}

#[test]
fn what_is_shown_of_a_relay_holds_no_login() {
    let relay = Relay::parse("smtps://ada:hunter2@smtp.example.org").unwrap();
    let shown = format!("{relay} {relay:?}");
    assert!(!shown.contains("hunter2") && !shown.contains("ada"), "{shown}");
}
