//! Secrets: from a setting or from the file that its twin names.

use std::fmt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use gateward_crypto::MasterKey;

use super::reader::Reader;

/// A text that is never shown.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// Whether a secret or its twin is set.
pub(crate) fn is_set(reader: &mut Reader<'_>, option: &str) -> bool {
    reader.text(option).is_some() || reader.text(&format!("{option}_file")).is_some()
}

/// Reads a secret from its option or from the file that `OPTION_file` names.
///
/// An option that nobody has set gives way to its twin.
pub(crate) fn read(reader: &mut Reader<'_>, option: &str) -> Option<Secret> {
    let twin = format!("{option}_file");
    let value = reader.text(option);
    let Some(path) = reader.text(&twin) else { return value.map(Secret::new) };
    if value.is_some() && reader.is_set(option) {
        reader.wrong(option, format!("and {twin} are both set; keep one of them"));
        return None;
    }
    // Whoever mixes the two up must not find the secret in the log.
    if path.contains("://") || MasterKey::from_base64(&path).is_ok() {
        reader.wrong(
            &twin,
            format!("holds a secret; it wants the path of a file that holds it, or set {option}"),
        );
        return None;
    }
    match read_private(Path::new(&path)) {
        Ok(text) => Some(Secret::new(text.trim().to_owned())),
        Err(message) => {
            reader.wrong(&twin, message);
            None
        }
    }
}

/// Reads a file that must be shut to others.
fn read_private(path: &Path) -> Result<String, String> {
    refuse_exposed(path)?;
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(&error))?;
    if text.trim().is_empty() {
        return Err(format!("names {}, which is empty; write the secret into it", path.display()));
    }
    Ok(text)
}

/// Says so if others can open the file.
pub(crate) fn refuse_exposed(path: &Path) -> Result<(), String> {
    if is_exposed(path).map_err(|error| unreadable(&error))? {
        let path = path.display();
        return Err(format!("names {path}, which others can open; run: chmod 600 {path}"));
    }
    Ok(())
}

/// The path is not repeated: where no file is, it may be the secret itself.
fn unreadable(error: &std::io::Error) -> String {
    format!("names a file that cannot be read ({error}); correct the path or the rights")
}

/// Whether others than its owner can open a file.
///
/// A group may read what belongs to root, and do no more: so a system hands a secret to a service
/// that shall not be able to change it. Postgres has the same rule.
pub(crate) fn is_exposed(path: &Path) -> std::io::Result<bool> {
    let metadata = std::fs::metadata(path)?;
    let shut = if metadata.uid() == 0 { 0o037 } else { 0o077 };
    Ok(metadata.permissions().mode() & shut != 0)
}
