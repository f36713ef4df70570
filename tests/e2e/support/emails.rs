//! The form that every email has.

use gateward_e2e::Mail;

/// The sender.
const FROM: &str = "accounts@example.org";

/// The headers of an email, and no others.
const HEADERS: [&str; 8] = [
    "auto-submitted",
    "content-type",
    "date",
    "from",
    "message-id",
    "mime-version",
    "subject",
    "to",
];

/// Asserts that an email is well-formed, goes to one recipient, and contains no user input.
#[track_caller]
pub(crate) fn is_whole(mail: &Mail, to: &str) {
    assert_eq!((mail.to.as_slice(), mail.from.as_str()), ([to.to_owned()].as_slice(), FROM));
    let mut names: Vec<String> =
        mail.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort();
    assert_eq!(names, HEADERS, "{mail:#?}");
    let header = |name: &str| mail.header(name).unwrap();
    assert_eq!((header("to"), header("auto-submitted")), (to, "auto-generated"));
    assert!(header("from").contains(FROM) && header("from").contains("Gateward"), "{mail:#?}");
    assert!(header("subject").contains("Gateward") && header("date").len() > 20, "{mail:#?}");
    assert!(header("message-id").starts_with('<') && header("message-id").ends_with('>'));
    assert!(header("content-type").starts_with("multipart/alternative"), "{mail:#?}");
    assert!(mail.text.contains("Hello,") && mail.html.contains("<html"), "{mail:#?}");
    assert_eq!(mail.raw.matches("Content-Type: text/").count(), 2, "{mail:#?}");
    let html = mail.html.replace("&#x2f;", "/").replace("&#x2F;", "/");
    for secret in mail.links.iter().chain(&mail.code) {
        assert!(html.contains(secret), "{secret} is in the text alone: {mail:#?}");
    }
    for part in [&mail.raw, &mail.text, &mail.html, &mail.subject] {
        assert!(!part.contains("evil.") && !part.contains("href=//"), "{mail:#?}");
    }
}
