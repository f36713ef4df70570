//! Tests of the settings: errors, layers, and secrets.

mod clients;
mod layering;
mod mail;
mod modes;
mod passwords;
mod rate_limits;
mod refusals;
mod secrets;

use std::collections::BTreeMap;
use std::path::Path;

use super::{SettingError, Settings};

/// A valid master key.
const MASTER_KEY: &str = "q83vEjRWeJASNFZ4kKvN7wEjRWeJq83vq83vEjRWeJA=";

/// Another one.
const OTHER_MASTER_KEY: &str = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";

/// A valid production setup.
const PRODUCTION: &[(&str, &str)] = &[
    ("mode", "production"),
    ("http.public_url", "https://auth.example.org"),
    ("keys.master_key", MASTER_KEY),
    ("mail.from", "Example <login@example.org>"),
    ("mail.smtp_url", "smtps://ada:hunter2@smtp.example.org"),
];

/// The variables that set these settings.
fn variables(options: &[(&str, &str)]) -> BTreeMap<String, String> {
    let variable = |option: &str| format!("GATEWARD__{}", option.to_uppercase().replace('.', "__"));
    options.iter().map(|(option, value)| (variable(option), (*value).to_owned())).collect()
}

/// Loads these settings from the environment.
fn with(options: &[(&str, &str)]) -> Result<Settings, Vec<SettingError>> {
    Settings::from_layers(None, &variables(options))
}

/// The same for production.
fn in_production(options: &[(&str, &str)]) -> Result<Settings, Vec<SettingError>> {
    with(&[PRODUCTION, options].concat())
}

/// Asserts that there is an error of this setting that contains these words.
#[track_caller]
fn refused(settings: Result<Settings, Vec<SettingError>>, option: &str, words: &str) {
    let errors = settings.err().unwrap_or_else(|| panic!("{option}: not refused"));
    let found = errors.iter().any(|error| error.option == option && error.message.contains(words));
    assert!(found, "no error of {option} says {words:?}: {errors:?}");
}

/// Writes a file with this mode.
fn write(path: &Path, text: &str, mode: u32) -> String {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    path.display().to_string()
}
