//! `Mail`: an email as the SMTP server received it, parsed by a different library than wrote it.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mail_parser::{MessageParser, PartType};
use regex::Regex;
use serde_json::Value;

static LINK: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"https?://[^\s<>"]*[^\s<>".,;:!?)]"#).unwrap());
static CODE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b\d{8}\b").unwrap());

/// A fully received email.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The sender on the envelope.
    pub from: String,
    /// The recipients on the envelope.
    pub to: Vec<String>,
    /// The headers in order, unfolded but not decoded.
    pub headers: Vec<(String, String)>,
    /// The subject, decoded.
    pub subject: String,
    /// The part in plain text; empty if there is none.
    pub text: String,
    /// The part in HTML; empty if there is none.
    pub html: String,
    /// The links in the plain text, in order.
    pub links: Vec<String>,
    /// The code in the plain text: the first eight digits that are a separate word outside of
    /// links.
    pub code: Option<String>,
    /// The raw email. Invalid UTF-8 is replaced.
    pub raw: String,
    /// The mode of the server.
    pub mode: String,
    /// Whether the server confirmed the email.
    pub accepted: bool,
    /// Whether it came over TLS.
    pub tls: bool,
    /// The logged-in user, if any.
    pub login: Option<String>,
}

impl Mail {
    /// A header that occurs once; names are compared case-insensitively.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        let (_, value) = found.next()?;
        found.next().is_none().then_some(value)
    }

    /// The only link of the email.
    #[must_use]
    #[track_caller]
    pub fn link(&self) -> &str {
        let [link] = self.links.as_slice() else { panic!("not one link: {self:#?}") };
        link
    }

    /// Reads a line of the server's journal.
    pub(super) fn read(line: &Value, accepted: bool) -> Self {
        let raw = STANDARD.decode(line["raw"].as_str().unwrap()).unwrap();
        let message = MessageParser::new().parse(&raw).expect("a message");
        let mut mail = Self {
            from: line["from"].as_str().unwrap().to_owned(),
            to: line["to"].as_array().unwrap().iter().map(text_of).collect(),
            headers: message.headers_raw().map(unfold).collect(),
            subject: message.subject().unwrap_or_default().to_owned(),
            text: String::new(),
            html: String::new(),
            links: Vec::new(),
            code: None,
            raw: String::from_utf8_lossy(&raw).into_owned(),
            mode: text_of(&line["mode"]),
            accepted,
            tls: line["tls"] == true,
            login: line["login"].as_str().map(ToOwned::to_owned),
        };
        for part in &message.parts {
            match &part.body {
                PartType::Text(text) if mail.text.is_empty() => mail.text = text.to_string(),
                PartType::Html(html) if mail.html.is_empty() => mail.html = html.to_string(),
                _ => {}
            }
        }
        (mail.links, mail.code) = find_secrets(&mail.text);
        mail
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn unfold((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.replace("\r\n", "").trim().to_owned())
}

/// The links of a text, and the first eight digits that are a separate word outside of them.
fn find_secrets(text: &str) -> (Vec<String>, Option<String>) {
    let links = LINK.find_iter(text).map(|found| found.as_str().to_owned()).collect();
    let rest = LINK.replace_all(text, " ");
    (links, CODE.find(&rest).map(|found| found.as_str().to_owned()))
}
