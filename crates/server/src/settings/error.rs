//! What is wrong with a setting, and what to do about it.

use std::fmt;

use super::clients;
use super::layers::Flat;

/// What is wrong with one setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SettingError {
    /// The option's dotted name.
    pub(crate) option: String,
    /// What is wrong, with the way out.
    pub(crate) message: String,
}

impl SettingError {
    pub(crate) fn new(option: &str, message: impl Into<String>) -> Self {
        Self { option: option.to_owned(), message: message.into() }
    }

    /// A file that cannot be read as settings. The message holds nothing of what stands in it.
    pub(crate) fn file(path: &str, message: &str) -> Self {
        Self::new(path, format!("cannot be read as settings: {message}; mend it"))
    }

    /// A file that cannot be read at all.
    pub(crate) fn unreadable(path: &str, error: &std::io::Error) -> Self {
        Self::new(path, format!("cannot be read ({error}); correct the path or the rights"))
    }

    /// A name that no setting has; the nearest one is named.
    pub(crate) fn unknown(option: &str, source: &str, known: &Flat) -> Self {
        if let Some(remedy) = clients::remedy(option) {
            return Self::new(option, format!("is no option (from {source}){remedy}"));
        }
        let started = known.keys().find(|name| name.starts_with(option)).map(|name| (0, name));
        let nearest = known.keys().map(|name| (distance(option, name), name)).min();
        // A slip of the finger, not another word.
        let slip = nearest.filter(|(distance, _)| *distance <= option.len() / 8);
        let hint = started.or(slip).map_or_else(
            || "; config/default.toml lists all options".to_owned(),
            |(_, name)| format!("; did you mean {name}?"),
        );
        Self::new(option, format!("is no option (from {source}){hint}"))
    }
}

impl fmt::Display for SettingError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.option, self.message)
    }
}

/// How many characters must change to make one text of the other (Levenshtein).
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
    fn a_slip_of_the_finger_is_near() {
        assert_eq!(distance("tokens.acess_ttl", "tokens.access_ttl"), 1);
        assert_eq!(distance("abc", "abc"), 0);
        assert_eq!(distance("", "abc"), 3);
    }
}
