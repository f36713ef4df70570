//! A language file: the words of every letter.

use std::collections::BTreeMap;

use gateward_domain::mail::LetterText;
use serde::Deserialize;

use crate::TemplateError;

/// The words that all letters share, and those of each.
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
    pub good_until: String,
    pub footer: String,
    pub letters: BTreeMap<String, Words>,
}

/// The words of one letter.
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
    /// Reads a language file, which must have every letter and nothing else.
    pub(crate) fn parse(file: &str, text: &str) -> Result<Self, TemplateError> {
        let wrong = |problem: String| TemplateError::Language { file: file.to_owned(), problem };
        let language: Self = toml::from_str(text).map_err(|error| wrong(told(&error, text)))?;
        if let Some(name) =
            language.letters.keys().find(|name| LetterText::from_name(name).is_none())
        {
            return Err(wrong(format!("there is no letter `{name}`; take letters.{name} out")));
        }
        for letter in LetterText::ALL {
            let Some(words) = language.letters.get(letter.as_str()) else {
                return Err(wrong(format!("letters.{letter} is missing")));
            };
            match (&words.button, carries_link(*letter)) {
                (None, true) => return Err(wrong(format!("letters.{letter}.button is missing"))),
                (Some(_), false) => {
                    let problem = format!("letters.{letter} has no link; take its button out");
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
            ("good_until", &self.good_until),
            ("footer", &self.footer),
            ("time", &self.time),
        ];
        let shared = shared.map(|(key, text)| (key.to_owned(), text.as_str()));
        let letters = self.letters.iter().flat_map(|(name, words)| words.texts(name));
        shared.into_iter().chain(letters).collect()
    }
}

impl Words {
    fn texts(&self, name: &str) -> Vec<(String, &str)> {
        let mut texts = vec![
            (format!("letters.{name}.subject"), self.subject.as_str()),
            (format!("letters.{name}.title"), self.title.as_str()),
            (format!("letters.{name}.closing"), self.closing.as_str()),
        ];
        texts.extend(self.button.iter().map(|text| (format!("letters.{name}.button"), &**text)));
        for (number, text) in self.paragraphs.iter().enumerate() {
            texts.push((format!("letters.{name}.paragraphs.{number}"), text));
        }
        texts
    }
}

/// Whether a letter has a link that does something.
pub(crate) const fn carries_link(text: LetterText) -> bool {
    match text {
        LetterText::ConfirmSignup
        | LetterText::ConfirmEmail
        | LetterText::ConfirmChange
        | LetterText::ResetPassword
        | LetterText::EmailChange
        | LetterText::NewClient
        | LetterText::Invitation => true,
        LetterText::AccountExists
        | LetterText::AddressInUse
        | LetterText::EmailChanged
        | LetterText::EmailUndone
        | LetterText::PasswordChanged
        | LetterText::PasswordReset
        | LetterText::UsernameChanged
        | LetterText::TokenReused
        | LetterText::AccountDeleted => false,
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
