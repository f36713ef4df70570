//! Splits names into words and compares them with the list.

use super::list::Word;

/// The words of a name in lower case: `HTTPServer2_x` gives `http`, `server`, `2` and `x`.
pub fn split(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut chars = name.chars().peekable();
    let mut before = '_';
    while let Some(char) = chars.next() {
        let next_is_lowercase = chars.peek().is_some_and(|next| next.is_lowercase());
        if char.is_alphanumeric() {
            let starts = !before.is_alphanumeric()
                || before.is_numeric() != char.is_numeric()
                || (char.is_uppercase() && (before.is_lowercase() || next_is_lowercase));
            match words.last_mut() {
                Some(word) if !starts => word.extend(char.to_lowercase()),
                _ => words.push(char.to_lowercase().collect()),
            }
        }
        before = char;
    }
    words
}

/// Is this the word itself, or its plural, past tense, participle or gerund?
fn is_form_of(word: &str, base: &str) -> bool {
    if word == base {
        return true;
    }
    let vowel_before_y = ["ay", "ey", "oy", "uy"].iter().any(|ending| base.ends_with(ending));
    let (stem, endings): (_, &[&str]) = match (base.strip_suffix('e'), base.strip_suffix('y')) {
        (Some(stem), _) => (stem, &["es", "ed", "en", "ing"]),
        (_, Some(stem)) if !vowel_before_y => (stem, &["ies", "ied", "ying"]),
        _ => (base, &["s", "es", "ed", "ing"]),
    };
    word.strip_prefix(stem).is_some_and(|ending| endings.contains(&ending))
}

/// A list, made ready for comparing.
pub struct Vocabulary(Vec<(Vec<String>, &'static Word)>);

impl Vocabulary {
    pub fn new(list: &'static [Word]) -> Self {
        Self(list.iter().map(|word| (split(word.old), word)).collect())
    }

    /// The words of the list that a name holds.
    pub fn found_in(&self, name: &str) -> Vec<&'static Word> {
        let words = split(name);
        let holds = |old: &[String]| {
            words
                .windows(old.len())
                .any(|part| part.iter().zip(old).all(|(word, base)| is_form_of(word, base)))
        };
        self.0.iter().filter(|(old, _)| holds(old)).map(|(_, word)| *word).collect()
    }
}
