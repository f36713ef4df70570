//! Settings of emails: transports, SMTP servers, senders, templates and rate limits.

use super::*;
use crate::settings::Transport;

/// A good SMTP server of production.
const RELAY: &str = "smtps://ada:hunter2@smtp.example.org";

#[test]
fn development_keeps_emails_in_its_inbox() {
    let mail = with(&[]).unwrap().mail;
    assert!(matches!(mail.transport, Transport::Inbox));
    assert_eq!(mail.settings.from.to_string(), "Gateward <gateward@localhost.invalid>");
    assert_eq!(mail.settings.public_url, "http://127.0.0.1:8080");
    let smtp = [("mail.transport", "smtp"), ("mail.smtp_url", "smtp://127.0.0.1:2525")];
    let mail = with(&smtp).unwrap().mail;
    assert!(matches!(mail.transport, Transport::Smtp { fallback: None, .. }));
}

#[test]
fn production_refuses_the_inbox() {
    let inbox = in_production(&[("mail.transport", "inbox")]);
    refused(inbox, "mail.transport", "in production it must be \"smtp\"");
}

#[test]
fn production_wants_a_sender_and_an_smtp_server() {
    for (missing, words) in [("mail.from", "set the sender"), ("mail.smtp_url", "is not set")] {
        let options: Vec<_> =
            PRODUCTION.iter().copied().filter(|(name, _)| *name != missing).collect();
        refused(with(&options), missing, words);
    }
    let Transport::Smtp { smtp_server, fallback } = in_production(&[]).unwrap().mail.transport
    else {
        panic!("production sends emails")
    };
    assert_eq!((smtp_server.to_string(), fallback), ("smtp.example.org:465".to_owned(), None));
}

#[test]
fn smtp_servers_may_stand_in_files() {
    let folder = tempfile::tempdir().unwrap();
    let url = write(&folder.path().join("url"), &format!("{RELAY}\n"), 0o600);
    let options = [
        ("mail.transport", "smtp"),
        ("mail.smtp_url_file", url.as_str()),
        ("mail.fallback_smtp_url_file", url.as_str()),
    ];
    let Transport::Smtp { smtp_server, fallback } = with(&options).unwrap().mail.transport else {
        panic!("emails are sent")
    };
    assert_eq!(fallback, Some(smtp_server));
    let both = with(&[("mail.smtp_url", RELAY), ("mail.smtp_url_file", &url)]);
    refused(both, "mail.smtp_url", "keep one of them");
    let open = write(&folder.path().join("open"), RELAY, 0o644);
    refused(with(&[("mail.smtp_url_file", &open)]), "mail.smtp_url_file", "run: chmod 600");
}

#[test]
fn templates_that_are_unsound_are_refused_by_their_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display().to_string();
    let templates = || with(&[("mail.templates", &path)]);
    assert_eq!(templates().unwrap().mail.settings.templates.as_deref(), Some(folder.path()));
    let file = |name: &str, text: &str| write(&folder.path().join(name), text, 0o644);
    file("email.txt", "{{ titel }}");
    refused(templates(), "mail.templates", "email.txt");
    file("email.txt", "{{ title }}");
    refused(templates(), "mail.templates", "does not contain its link or its code");
    std::fs::remove_file(folder.path().join("email.txt")).unwrap();
    file("en.toml", "lang = \"en\"\n");
    refused(templates(), "mail.templates", "en.toml");
    std::fs::remove_file(folder.path().join("en.toml")).unwrap();
    file("leter.txt", "");
    refused(templates(), "mail.templates", "replaces no built-in file");
}

#[test]
fn rate_limits_that_are_off_lift_the_limit_of_emails_and_not_that_of_codes() {
    let numbers = |options: &[(&str, &str)]| {
        let policy = with(options).unwrap().policy;
        (policy.email_interval_seconds, policy.code_attempts_max)
    };
    assert_eq!(numbers(&[]), (Some(60), 5));
    assert_eq!(numbers(&[("rate_limit.enabled", "false")]), (None, 5));
    let codes = ("rate_limit.code_attempts_max", "3");
    assert_eq!(numbers(&[("rate_limit.enabled", "false"), codes]), (None, 3));
    let emails = ("rate_limit.email_interval_seconds", "0");
    let off = with(&[("rate_limit.enabled", "false"), emails]);
    refused(off, "rate_limit.email_interval_seconds", "must be from 1 to");
}

#[test]
fn links_begin_with_the_public_url_less_its_slash() {
    let policy = with(&[("http.public_url", "http://127.0.0.1:8080/")]).unwrap().policy;
    assert_eq!(policy.public_url, "http://127.0.0.1:8080");
}
