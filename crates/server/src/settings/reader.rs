//! `Reader`: takes values out of the layers, one by one, and notes what is wrong.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use config::ValueKind;

use super::error::SettingError;
use super::layers::Flat;

/// Takes values out of the layers. The types were checked when the layers were merged.
pub(crate) struct Reader<'a> {
    flat: &'a Flat,
    pub(crate) errors: Vec<SettingError>,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(flat: &'a Flat) -> Self {
        Self { flat, errors: Vec::new() }
    }

    /// Notes that an option is wrong.
    pub(crate) fn wrong(&mut self, option: &str, message: impl Into<String>) {
        self.errors.push(SettingError::new(option, message));
    }

    /// A text; an empty one is not set.
    pub(crate) fn text(&self, option: &str) -> Option<String> {
        let setting = self.flat.get(option)?;
        let text = setting.value.clone().into_string().ok()?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// Whether somebody has set it: its value is not that of `config/default.toml`.
    pub(crate) fn is_set(&self, option: &str) -> bool {
        self.flat.get(option).is_some_and(|setting| setting.source != super::layers::DEFAULT_SOURCE)
    }

    /// The names of the sections within a section.
    pub(crate) fn names_in(&self, section: &str) -> BTreeSet<String> {
        let inside = |option: &'a String| {
            Some(option.strip_prefix(section)?.strip_prefix('.')?.split_once('.')?.0)
        };
        self.flat.keys().filter_map(inside).map(str::to_owned).collect()
    }

    /// Truth.
    pub(crate) fn flag(&self, option: &str) -> bool {
        self.flat
            .get(option)
            .is_some_and(|setting| setting.value.clone().into_bool().unwrap_or(false))
    }

    /// Texts.
    pub(crate) fn list(&mut self, option: &str) -> Vec<String> {
        let items = self.flat.get(option).map(|setting| setting.value.clone().into_array());
        let mut texts = Vec::new();
        for item in items.and_then(Result::ok).unwrap_or_default() {
            match item.kind {
                ValueKind::String(text) => texts.push(text),
                _ => self.wrong(option, "must be a list of texts, such as [\"one\", \"two\"]"),
            }
        }
        texts
    }

    /// A whole number within bounds.
    pub(crate) fn number(&mut self, option: &str, bounds: RangeInclusive<i64>) -> i64 {
        let setting = self.flat.get(option);
        let number = setting.and_then(|setting| setting.value.clone().into_int().ok()).unwrap_or(0);
        if !bounds.contains(&number) {
            let (least, most) = bounds.into_inner();
            self.wrong(option, format!("is {number}; it must be from {least} to {most}"));
            return least;
        }
        number
    }

    /// The same as an unsigned number.
    pub(crate) fn count<T: TryFrom<i64> + Default>(
        &mut self,
        option: &str,
        bounds: RangeInclusive<i64>,
    ) -> T {
        T::try_from(self.number(option, bounds)).unwrap_or_default()
    }

    /// One of some words.
    pub(crate) fn choice<T: Copy>(&mut self, option: &str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(option).unwrap_or_default();
        let chosen = choices.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice);
        if chosen.is_none() {
            let words: Vec<String> =
                choices.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            self.wrong(option, format!("is \"{text}\"; it must be one of {}", words.join(", ")));
        }
        chosen
    }
}
