//! Secrets: from a setting or from the file that its twin names.

use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

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

/// The bits of a file's mode that let everybody in.
const OTHERS: u32 = 0o007;

/// Reads a secret from its option or from the file that `OPTION_file` names.
///
/// `default` is what the option says when nobody has set it: then the twin decides.
pub(crate) fn read(reader: &mut Reader<'_>, option: &str, default: Option<&str>) -> Option<Secret> {
    let twin = format!("{option}_file");
    let given = reader.text(option).filter(|text| Some(text.as_str()) != default);
    let Some(path) = reader.text(&twin) else {
        return given.or_else(|| default.map(str::to_owned)).map(Secret::new);
    };
    if given.is_some() {
        reader.wrong(option, format!("and {twin} are both set; keep one of them"));
        return None;
    }
    if let Err(message) = check_private(Path::new(&path)) {
        reader.wrong(&twin, message);
        return None;
    }
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(Secret::new(text.trim().to_owned())),
        Err(error) => {
            reader.wrong(&twin, format!("names {path}, which cannot be read: {error}"));
            None
        }
    }
}

/// Whether a file that holds a secret is shut to everybody.
pub(crate) fn check_private(path: &Path) -> Result<(), String> {
    let mode = match std::fs::metadata(path) {
        Ok(metadata) => metadata.permissions().mode(),
        Err(error) => {
            return Err(format!("names {}, which cannot be read: {error}", path.display()));
        }
    };
    if mode & OTHERS != 0 {
        let path = path.display();
        return Err(format!("names {path}, which everybody can open; run: chmod 600 {path}"));
    }
    Ok(())
}
