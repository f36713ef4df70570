//! `Reader`: reads values from the layers, one by one, and collects errors.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use config::ValueKind;

use super::error::SettingError;
use super::layers::Flat;

/// Reads values from the layers. The types were checked when the layers were merged.
pub(crate) struct Reader<'a> {
    flat: &'a Flat,
    pub(crate) errors: Vec<SettingError>,
}

impl<'a> Reader<'a> {
    /// Reads these layers; `errors` are those of the merge.
    pub(crate) const fn new(flat: &'a Flat, errors: Vec<SettingError>) -> Self {
        Self { flat, errors }
    }

    /// Records an error of a setting; the same error is reported once.
    pub(crate) fn wrong(&mut self, option: &str, message: impl Into<String>) {
        let error = SettingError::new(option, message);
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }

    /// Records that a setting is missing, unless its value was refused already.
    pub(crate) fn missing(&mut self, option: &str, message: impl Into<String>) {
        if !self.is_wrong(option) && !self.is_wrong(&format!("{option}_file")) {
            self.wrong(option, message);
        }
    }

    /// The errors of settings that are refused: at least one, or a program that ends for them would
    /// not say why.
    pub(crate) fn refused(self) -> Vec<SettingError> {
        assert!(!self.errors.is_empty(), "settings are refused without an error");
        self.errors
    }

    /// Whether a setting has an error. Its value then says nothing about other settings.
    pub(crate) fn is_wrong(&self, option: &str) -> bool {
        self.errors.iter().any(|error| error.option == option)
    }

    /// A string; an empty one means "not set".
    pub(crate) fn text(&mut self, option: &str) -> Option<String> {
        let setting = self.flat.get(option)?;
        let Ok(text) = setting.value.clone().into_string() else {
            self.wrong(option, "must be a string");
            return None;
        };
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// Whether it was set: its value does not come from `config/default.toml`.
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

    /// True or false; false until the errors are reported if it cannot be read.
    pub(crate) fn flag(&mut self, option: &str) -> bool {
        let setting = self.flat.get(option);
        let flag = setting.and_then(|setting| setting.value.clone().into_bool().ok());
        if flag.is_none() {
            self.wrong(option, "must be true or false");
        }
        flag.unwrap_or(false)
    }

    /// Strings; none if it is not set.
    pub(crate) fn list(&mut self, option: &str) -> Vec<String> {
        const WRONG: &str = "must be a list of strings, such as [\"one\", \"two\"]";
        let Some(setting) = self.flat.get(option) else { return Vec::new() };
        let Ok(items) = setting.value.clone().into_array() else {
            self.wrong(option, WRONG);
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in items {
            match item.kind {
                ValueKind::String(text) => texts.push(text),
                _ => self.wrong(option, WRONG),
            }
        }
        texts
    }

    /// A whole number within bounds; the lower bound until the errors are reported if it is wrong.
    pub(crate) fn number(&mut self, option: &str, bounds: RangeInclusive<i64>) -> i64 {
        let setting = self.flat.get(option);
        let number = setting.and_then(|setting| setting.value.clone().into_int().ok());
        if let Some(number) = number.filter(|number| bounds.contains(number)) {
            return number;
        }
        let (least, most) = bounds.into_inner();
        self.wrong(
            option,
            match number {
                Some(number) => format!("is {number}; it must be from {least} to {most}"),
                None => format!("must be a whole number from {least} to {most}"),
            },
        );
        least
    }

    /// The same as an unsigned number.
    pub(crate) fn count<T: TryFrom<i64> + Default>(
        &mut self,
        option: &str,
        bounds: RangeInclusive<i64>,
    ) -> T {
        let number = self.number(option, bounds);
        T::try_from(number).unwrap_or_else(|_| {
            self.wrong(option, format!("is {number}, which is out of range"));
            T::default()
        })
    }

    /// One of a list of words.
    pub(crate) fn choice<T: Copy>(&mut self, option: &str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(option).unwrap_or_default();
        let chosen = choices.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice);
        if chosen.is_none() && !self.is_wrong(option) {
            let words: Vec<String> =
                choices.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            self.wrong(option, format!("is \"{text}\"; it must be one of {}", words.join(", ")));
        }
        chosen
    }
}
