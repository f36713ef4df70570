//! The sources of settings: `.env`, the settings file, the environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gateward_node::is_exposed;

use super::env_file;
use super::error::SettingError;
use super::layers::{is_set, option_of};
use super::show::is_secret;

/// The file with variables in the working folder.
const DOT_ENV: &str = ".env";

/// The input of the settings.
pub(super) struct Sources {
    /// The name and content of the settings file.
    pub(super) file: Option<(String, String)>,
    /// The variables; those of the process override those of `.env`.
    pub(super) environment: BTreeMap<String, String>,
}

/// Reads all sources. A file that contains a secret and is readable by other users is refused; the
/// error names the secret.
pub(super) fn read(file: Option<&Path>) -> Result<Sources, Vec<SettingError>> {
    let mut errors = Vec::new();
    let mut environment = dot_env(Path::new(DOT_ENV), &mut errors);
    for (name, value) in variables(&mut errors) {
        // An empty variable is not set, so it overrides nothing.
        if is_set(&value) || !environment.contains_key(&name) {
            environment.insert(name, value);
        }
    }
    let file = file.map(Path::to_path_buf).or_else(|| {
        environment.get("GATEWARD_CONFIG").filter(|path| is_set(path)).map(PathBuf::from)
    });
    let file = file.and_then(|path| settings_file(&path, &mut errors));
    if errors.is_empty() { Ok(Sources { file, environment }) } else { Err(errors) }
}

/// Reads the settings file.
pub(super) fn settings_file(
    path: &Path,
    errors: &mut Vec<SettingError>,
) -> Option<(String, String)> {
    let name = path.display().to_string();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            errors.push(SettingError::unreadable(&name, &error));
            return None;
        }
    };
    // Invalid TOML is refused when the layers are merged.
    let table: toml::Table = toml::from_str(&text).unwrap_or_default();
    for (key, value) in &table {
        refuse_exposed_in(path, key, value, errors);
    }
    Some((name, text))
}

/// Reads the variables of `.env`.
pub(super) fn dot_env(path: &Path, errors: &mut Vec<SettingError>) -> BTreeMap<String, String> {
    let variables = env_file::read(path, errors);
    for (variable, value) in &variables {
        refuse_exposed(path, &option_of(variable), value, errors);
    }
    variables
}

/// The variables of this process.
#[expect(clippy::disallowed_methods, reason = "this is the place where settings are read")]
fn variables(errors: &mut Vec<SettingError>) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    for (name, value) in std::env::vars_os() {
        let Ok(name) = name.into_string() else { continue };
        match value.into_string() {
            Ok(value) => {
                variables.insert(name, value);
            }
            Err(_) if name.starts_with(env_file::PREFIX) => {
                errors.push(SettingError::new(&name, "is not valid UTF-8; correct the value"));
            }
            Err(_) => {}
        }
    }
    variables
}

/// Refuses a secret in a file that other users can read.
fn refuse_exposed(path: &Path, option: &str, value: &str, errors: &mut Vec<SettingError>) {
    if is_secret(option, value) && is_exposed(path).unwrap_or(true) {
        let path = path.display();
        let message =
            format!("is a secret in {path}, which other users can read; run: chmod 600 {path}");
        errors.push(SettingError::new(option, message));
    }
}

/// The same for all settings of a section.
fn refuse_exposed_in(
    path: &Path,
    option: &str,
    value: &toml::Value,
    errors: &mut Vec<SettingError>,
) {
    for (key, inner) in value.as_table().into_iter().flatten() {
        refuse_exposed_in(path, &format!("{option}.{key}"), inner, errors);
    }
    refuse_exposed(path, option, value.as_str().unwrap_or_default(), errors);
}
