//! A language file: the words of every email.

use std::collections::BTreeMap;

use gateward_domain::email::EmailTemplate;
use serde::Deserialize;

use crate::TemplateError;

/// The words that all emails share, and those of each.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Language {
    pub lang: String,
    pub time: String,
    pub months: [String; 12],
    pub greeting: String,
    pub when: String,
    #[serde(rename = "where")]
    pub from_where: String,
    pub link_by_hand: String,
    pub code_by_hand: String,
    pub expires_at: String,
    pub footer: String,
    pub emails: BTreeMap<String, Words>,
}

/// The words of one email.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Words {
    pub subject: String,
    pub title: String,
    pub paragraphs: Vec<String>,
    pub button: Option<String>,
    pub closing: String,
}

impl Language {
    /// Reads a language file, which must have every email and nothing else.
    pub(crate) fn parse(file: &str, text: &str) -> Result<Self, TemplateError> {
        let wrong = |problem: String| TemplateError::Language { file: file.to_owned(), problem };
        let language: Self = toml::from_str(text).map_err(|error| wrong(told(&error, text)))?;
        if let Some(name) =
            language.emails.keys().find(|name| EmailTemplate::from_name(name).is_none())
        {
            return Err(wrong(format!("there is no email `{name}`; remove emails.{name}")));
        }
        for email in EmailTemplate::ALL {
            let Some(words) = language.emails.get(email.as_str()) else {
                return Err(wrong(format!("emails.{email} is missing")));
            };
            match (&words.button, carries_link(*email)) {
                (None, true) => return Err(wrong(format!("emails.{email}.button is missing"))),
                (Some(_), false) => {
                    let problem = format!("emails.{email} has no link; remove its button");
                    return Err(wrong(problem));
                }
                _ => {}
            }
        }
        Ok(language)
    }

    /// Every text with the name of its key.
    pub(crate) fn texts(&self) -> Vec<(String, &str)> {
        let shared = [
            ("greeting", &self.greeting),
            ("when", &self.when),
            ("where", &self.from_where),
            ("link_by_hand", &self.link_by_hand),
            ("code_by_hand", &self.code_by_hand),
            ("expires_at", &self.expires_at),
            ("footer", &self.footer),
            ("time", &self.time),
        ];
        let shared = shared.map(|(key, text)| (key.to_owned(), text.as_str()));
        let emails = self.emails.iter().flat_map(|(name, words)| words.texts(name));
        shared.into_iter().chain(emails).collect()
    }
}

impl Words {
    fn texts(&self, name: &str) -> Vec<(String, &str)> {
        let mut texts = vec![
            (format!("emails.{name}.subject"), self.subject.as_str()),
            (format!("emails.{name}.title"), self.title.as_str()),
            (format!("emails.{name}.closing"), self.closing.as_str()),
        ];
        texts.extend(self.button.iter().map(|text| (format!("emails.{name}.button"), &**text)));
        for (number, text) in self.paragraphs.iter().enumerate() {
            texts.push((format!("emails.{name}.paragraphs.{number}"), text));
        }
        texts
    }
}

/// Whether an email has a link that does something.
pub(crate) const fn carries_link(text: EmailTemplate) -> bool {
    match text {
        EmailTemplate::ConfirmSignup
        | EmailTemplate::ConfirmEmail
        | EmailTemplate::ConfirmChange
        | EmailTemplate::ResetPassword
        | EmailTemplate::EmailChange
        | EmailTemplate::NewDevice
        | EmailTemplate::Invitation => true,
        EmailTemplate::AccountExists
        | EmailTemplate::AddressInUse
        | EmailTemplate::EmailChanged
        | EmailTemplate::EmailUndone
        | EmailTemplate::PasswordChanged
        | EmailTemplate::PasswordReset
        | EmailTemplate::UsernameChanged
        | EmailTemplate::TokenReused
        | EmailTemplate::AccountDeleted => false,
    }
}

/// What the parser says, in one line, with the line of the file, and where that opens a table, its
/// name.
fn told(error: &toml::de::Error, text: &str) -> String {
    let message = error.message().replace('\n', ", ");
    let Some(span) = error.span() else { return message };
    let before = text.get(..span.start).unwrap_or(text);
    let table = text.get(..span.end).unwrap_or(text).lines().rev();
    let table = table.map(str::trim).find(|line| line.starts_with('[') && line.ends_with(']'));
    let number = before.matches('\n').count() + 1;
    format!("line {number}{}: {message}", table.map(|name| format!(", {name}")).unwrap_or_default())
}
