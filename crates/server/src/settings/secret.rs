//! Secrets: from a setting, or from the file of its `_file` setting.

use std::fmt;
use std::path::Path;

use gateward_crypto::MasterKey;
use gateward_node::is_exposed;

use super::reader::Reader;

/// A string that is never shown.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) const fn new(text: String) -> Self {
        Self(text)
    }

    /// Returns the secret.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// Whether a secret or its `_file` setting is set.
pub(crate) fn is_set(reader: &mut Reader<'_>, option: &str) -> bool {
    reader.text(option).is_some() || reader.text(&format!("{option}_file")).is_some()
}

/// Reads a secret from its setting or from the file of its `_file` setting.
///
/// A default value gives way to the file.
pub(crate) fn read(reader: &mut Reader<'_>, option: &str) -> Option<Secret> {
    let twin = format!("{option}_file");
    let value = reader.text(option);
    let Some(path) = reader.text(&twin) else { return value.map(Secret::new) };
    if value.is_some() && reader.is_set(option) {
        reader.wrong(option, format!("and {twin} are both set; keep one of them"));
        return None;
    }
    // An operator who mixes the two up must not find the secret in the log.
    if path.contains("://") || MasterKey::from_base64(&path).is_ok() {
        reader.wrong(
            &twin,
            format!(
                "contains the secret itself; set it to the path of a file with the secret, or set \
                 {option} instead"
            ),
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

/// Reads a file that other users must not be able to read.
fn read_private(path: &Path) -> Result<String, String> {
    refuse_exposed(path)?;
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(&error))?;
    if text.trim().is_empty() {
        return Err(format!(
            "points to {}, which is empty; write the secret into it",
            path.display()
        ));
    }
    Ok(text)
}

/// An error if other users can read the file.
pub(crate) fn refuse_exposed(path: &Path) -> Result<(), String> {
    if is_exposed(path).map_err(|error| unreadable(&error))? {
        let path = path.display();
        return Err(format!("points to {path}, which other users can read; run: chmod 600 {path}"));
    }
    Ok(())
}

/// The path is not quoted: if there is no file, it may be the secret itself.
fn unreadable(error: &std::io::Error) -> String {
    format!("points to a file that cannot be read ({error}); correct the path or the permissions")
}
