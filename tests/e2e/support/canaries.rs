//! Canaries: secrets that must not be found in a log, in any encoding.

use memchr::memmem;
use regex::Regex;
use serde_json::Value;

use crate::support::stolen_database::forms;

pub(crate) const PASSWORD: &str = "canary-Zwitscher-of-the-first";

pub(crate) const WRONG_PASSWORD: &str = "canary-Zwitscher-of-the-wrong";

pub(crate) const NEW_PASSWORD: &str = "canary-Zwitscher-of-the-second";

/// Asserts that a secret is in a log in no encoding.
#[track_caller]
pub(crate) fn is_not_in(log: &str, name: &str, secret: &str) {
    for form in forms(secret.as_bytes()) {
        if memmem::find(log.as_bytes(), &form).is_some() {
            let form = String::from_utf8(form).unwrap();
            let told = log.lines().find(|line| line.contains(&form));
            panic!("{name} is in the log as {form}: {told:?}");
        }
    }
}

/// Row 16.4.1: every line is whole, and only this program starts one.
pub(crate) fn whole_lines(log: &str, format: &str) {
    if format == "json" {
        for line in log.lines() {
            let line: Value = serde_json::from_str(line).expect(line);
            for member in ["timestamp", "level", "message", "target"] {
                assert!(line[member].is_string(), "{line}");
            }
        }
        return;
    }
    let begin = Regex::new(r"^\d{4}-\d\d-\d\dT[\d:.]+Z +(TRACE|DEBUG|INFO|WARN|ERROR) ").unwrap();
    // The text for people at the start is between two empty lines.
    let greeting = Regex::new(r"(?s)\nGateward is ready\..*?\n\n").unwrap();
    for line in greeting.replace(log, "").lines() {
        assert!(begin.is_match(line), "{line:?}");
    }
}
