//! Where settings come from besides the program: `.env`, the file of settings, the environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::error::SettingError;
use super::secret::is_exposed;
use super::show::is_secret;

/// The file of variables in the working folder.
const DOT_ENV: &str = ".env";

/// What the process was told.
pub(super) struct Sources {
    /// The name and the text of the file of settings.
    pub(super) file: Option<(String, String)>,
    /// The variables, those of `.env` below those of the process.
    pub(super) environment: BTreeMap<String, String>,
}

/// Reads all that this process was told. A file that holds a secret and is open to others is
/// refused by the name of the secret.
pub(super) fn read(file: Option<&Path>) -> Result<Sources, Vec<SettingError>> {
    let mut errors = Vec::new();
    let mut environment = dot_env(Path::new(DOT_ENV), &mut errors);
    environment.extend(variables(&mut errors));
    let file = file
        .map(Path::to_path_buf)
        .or_else(|| environment.get("GATEWARD_CONFIG").map(PathBuf::from));
    let file = file.and_then(|path| settings_file(&path, &mut errors));
    if errors.is_empty() { Ok(Sources { file, environment }) } else { Err(errors) }
}

/// Reads the file of settings.
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
    // Text that is no TOML is refused where the layers are laid.
    let table: toml::Table = toml::from_str(&text).unwrap_or_default();
    for (key, value) in &table {
        refuse_exposed_in(path, key, value, errors);
    }
    Some((name, text))
}

/// Reads a file of variables, if it is there.
pub(super) fn dot_env(path: &Path, errors: &mut Vec<SettingError>) -> BTreeMap<String, String> {
    let name = path.display().to_string();
    let lines = match dotenvy::from_path_iter(path) {
        Ok(lines) => lines,
        Err(error) => {
            if !error.not_found() {
                errors.push(SettingError::file(&name, "correct its rights"));
            }
            return BTreeMap::new();
        }
    };
    let mut variables = BTreeMap::new();
    for line in lines {
        match line {
            Ok((variable, value)) => {
                refuse_exposed(path, &super::layers::option_of(&variable), &value, errors);
                variables.insert(variable, value);
            }
            // The error would repeat the line, and a secret may stand in it.
            Err(_) => errors.push(SettingError::file(&name, "a line is not like NAME=VALUE")),
        }
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
            Err(_) if name.starts_with("GATEWARD_") => {
                errors.push(SettingError::new(&name, "is not UTF-8; set it to a text"));
            }
            Err(_) => {}
        }
    }
    variables
}

/// Refuses a secret in a file that others can open.
fn refuse_exposed(path: &Path, option: &str, value: &str, errors: &mut Vec<SettingError>) {
    if is_secret(option, value) && is_exposed(path).unwrap_or(true) {
        let path = path.display();
        let message = format!(
            "is a secret and stands in {path}, which others can open; run: chmod 600 {path}"
        );
        errors.push(SettingError::new(option, message));
    }
}

/// The same for all that a section holds.
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
