//! Canaries: secrets that must not be found in a log, in any encoding.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use memchr::memmem;
use regex::Regex;
use serde_json::Value;

pub(crate) const PASSWORD: &str = "canary-Zwitscher-of-the-first";

pub(crate) const WRONG_PASSWORD: &str = "canary-Zwitscher-of-the-wrong";

pub(crate) const NEW_PASSWORD: &str = "canary-Zwitscher-of-the-second";

/// A secret in plain text, in hex, and in base64 after none, one or two other bytes.
fn forms(secret: &str) -> Vec<String> {
    let hex = secret.bytes().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    let mut forms = vec![secret.to_owned(), hex.to_uppercase(), hex];
    for before in 0..3_usize {
        let shifted = [vec![0; before], secret.as_bytes().to_vec()].concat();
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let text = engine.encode(&shifted);
            forms.push(text[(before * 4).div_ceil(3)..text.len() - 1].to_owned());
        }
    }
    forms
}

/// Asserts that a secret is in a log in no encoding.
#[track_caller]
pub(crate) fn is_not_in(log: &str, name: &str, secret: &str) {
    for form in forms(secret) {
        if memmem::find(log.as_bytes(), form.as_bytes()).is_some() {
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
