//! Errors of settings.

use std::fmt;

use super::clients;
use super::layers::Flat;

/// An error of one setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SettingError {
    /// The dotted name of the setting.
    pub(crate) option: String,
    /// What is wrong, and what to do.
    pub(crate) message: String,
    /// Whether the message is a sentence that names the setting already.
    is_sentence: bool,
}

impl SettingError {
    pub(crate) fn new(option: &str, message: impl Into<String>) -> Self {
        Self { option: option.to_owned(), message: message.into(), is_sentence: false }
    }

    /// A file that cannot be parsed. The message quotes nothing of it, because it may hold secrets.
    pub(crate) fn file(path: &str, message: &str) -> Self {
        Self::new(path, format!("is invalid: {message}; fix the file"))
    }

    /// A file that cannot be read.
    pub(crate) fn unreadable(path: &str, error: &std::io::Error) -> Self {
        Self::new(path, format!("cannot be read ({error}); correct the path or the permissions"))
    }

    /// An unknown setting; suggests the nearest one.
    pub(crate) fn unknown(option: &str, source: &str, known: &Flat) -> Self {
        let what = format!("unknown setting `{option}` (from {source})");
        if let Some(remedy) = clients::remedy(option) {
            return Self::sentence(option, what + remedy);
        }
        let started = known.keys().find(|name| name.starts_with(option)).map(|name| (0, name));
        let nearest = known.keys().map(|name| (distance(option, name), name)).min();
        // A typo, not another word.
        let slip = nearest.filter(|(distance, _)| *distance <= option.len() / 8);
        let hint = started.or(slip).map_or_else(
            || "; config/default.toml lists all settings".to_owned(),
            |(_, name)| format!("; did you mean `{name}`?"),
        );
        Self::sentence(option, what + &hint)
    }

    /// An environment variable with too few underscores.
    pub(crate) fn underscores(variable: &str, meant: &str) -> Self {
        Self::sentence(variable, format!("unknown setting `{variable}`; did you mean `{meant}`?"))
    }

    fn sentence(option: &str, message: String) -> Self {
        Self { is_sentence: true, ..Self::new(option, message) }
    }
}

impl fmt::Display for SettingError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_sentence {
            return formatter.write_str(&self.message);
        }
        write!(formatter, "{} {}", self.option, self.message)
    }
}

/// The number of characters by which two strings differ (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, from) in one.chars().enumerate() {
        let mut left = line + 1;
        let mut next = vec![left];
        for (above, to) in row.windows(2).zip(&other) {
            let (Some(diagonal), Some(up)) = (above.first(), above.last()) else { continue };
            let change = diagonal + usize::from(from != *to);
            left = change.min(up + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_is_near() {
        assert_eq!(distance("tokens.acess_ttl", "tokens.access_ttl"), 1);
        assert_eq!(distance("abc", "abc"), 0);
        assert_eq!(distance("", "abc"), 3);
    }
}
