//! `Variables`: the values of `{{NAME}}` in an input.
//!
//! Tokens and identifiers differ between runs. An input that names them stays valid.

use std::collections::BTreeMap;

/// The values by name.
#[derive(Default)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Sets a value.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// A value that was set.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).unwrap_or_else(|| panic!("no variable {name}"))
    }

    /// Replaces each `{{NAME}}`. Unknown names stay.
    #[must_use]
    pub fn fill(&self, text: &[u8]) -> Vec<u8> {
        let mut filled = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = find(rest, b"{{") {
            let after = &rest[start + 2..];
            let value = find(after, b"}}").and_then(|end| {
                let name = std::str::from_utf8(&after[..end]).ok()?;
                Some((self.0.get(name)?.as_str(), &after[end + 2..]))
            });
            filled.extend_from_slice(&rest[..start]);
            let (value, next) = value.unwrap_or(("{{", after));
            filled.extend_from_slice(value.as_bytes());
            rest = next;
        }
        filled.extend_from_slice(rest);
        filled
    }
}

/// Where a part starts.
pub(crate) fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}
