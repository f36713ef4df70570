//! URLs of SMTP servers, good and bad.

use crate::smtp_server::Encryption;
use crate::{SmtpServer, SmtpUrlError};

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
        let smtp_server = SmtpServer::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
        let found = smtp_server.login.as_ref().map(|login| (&*login.user, &*login.password));
        assert_eq!(
            (smtp_server.to_string().as_str(), smtp_server.encryption, found),
            (at, encryption, login)
        );
    }
}

#[test]
fn bad_urls_are_refused_with_the_remedy_and_without_the_password() {
    for (url, error) in [
        ("", SmtpUrlError::Form),
        ("smtp.example.org", SmtpUrlError::Form),
        ("smtps://u:hunter2@host:port", SmtpUrlError::Form),
        ("smtps://u:hunter2@host:99999", SmtpUrlError::Form),
        ("smtps://u:hunter2/x@host", SmtpUrlError::Form),
        ("smtps://u:hun\r\nter2@host", SmtpUrlError::Form),
        ("https://u:hunter2@host", SmtpUrlError::Scheme),
        ("smtp+tls://u:hunter2@host", SmtpUrlError::Scheme),
        ("smtps:u:hunter2@host", SmtpUrlError::Rest),
        ("smtps://", SmtpUrlError::Host),
        ("smtps://u:hunter2@host:0", SmtpUrlError::Port),
        ("smtps://u:hunter2@host/path", SmtpUrlError::Rest),
        ("smtps://u:2/hunter2@host", SmtpUrlError::Rest),
        ("smtps://host#hunter2", SmtpUrlError::Rest),
        ("smtps://u:hunter2@host?tls=required", SmtpUrlError::Option),
        ("smtp://u:hunter2@host?tls=opportunistic", SmtpUrlError::Option),
        ("smtp://u:hunter2@localhost?tls=none", SmtpUrlError::Option),
        ("smtp://host?tls=required&x=hunter2", SmtpUrlError::Option),
        ("smtps://u@host", SmtpUrlError::Login),
        ("smtps://:hunter2@host", SmtpUrlError::Login),
        ("smtps://u:hunter2%@host", SmtpUrlError::Login),
        ("smtps://u:hunter2%zz@host", SmtpUrlError::Login),
        ("smtps://u:hunter2%ff@host", SmtpUrlError::Login),
        ("smtps://u:hunter2%0d%0aRSET@host", SmtpUrlError::Login),
        ("smtp://u:hunter2@host", SmtpUrlError::Plain),
        ("smtp://u:hunter2@10.0.0.1", SmtpUrlError::Plain),
        ("smtp://u:hunter2@[::2]", SmtpUrlError::Plain),
        ("smtp://u:hunter2@localhost.example.org", SmtpUrlError::Plain),
        ("smtp://u:hunter2@127.0.0.1.example.org", SmtpUrlError::Plain),
    ] {
        let refused = SmtpServer::parse(url);
        assert_eq!(refused, Err(error), "{url:?}");
        let said = format!("{error} {error:?}");
        assert!(!said.contains("hunter2") && said.contains("SMTP URL"), "{said}");
    }
}

#[test]
fn what_is_shown_of_an_smtp_server_holds_no_login() {
    let smtp_server = SmtpServer::parse("smtps://ada:hunter2@smtp.example.org").unwrap();
    let shown = format!("{smtp_server} {smtp_server:?}");
    assert!(!shown.contains("hunter2") && !shown.contains("ada"), "{shown}");
}
