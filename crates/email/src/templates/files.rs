//! The files of the templates: those that are compiled in, and those of a folder.

use std::fs;
use std::path::Path;

use super::{HTML, TEXT, TemplateError};

/// The language file.
pub(super) const LANGUAGE: &str = "en.toml";

/// The texts of the files.
pub(super) struct Files {
    pub language: String,
    pub html: String,
    pub text: String,
}

impl Files {
    pub(super) fn built_in() -> Self {
        Self {
            language: include_str!("../../templates/en.toml").to_owned(),
            html: include_str!("../../templates/email.html").to_owned(),
            text: include_str!("../../templates/email.txt").to_owned(),
        }
    }

    pub(super) fn with_folder(folder: &Path) -> Result<Self, TemplateError> {
        let unreadable =
            |path: &Path, source| TemplateError::Unreadable { path: path.to_owned(), source };
        let mut files = Self::built_in();
        let entries = fs::read_dir(folder).map_err(|error| unreadable(folder, error))?;
        for entry in entries {
            let path = entry.map_err(|error| unreadable(folder, error))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let slot = match name {
                LANGUAGE => &mut files.language,
                HTML => &mut files.html,
                TEXT => &mut files.text,
                // A slip in the name of a file would otherwise leave the built-in one in place.
                _ if is_template(name) => return Err(TemplateError::UnknownFile { path }),
                _ => continue,
            };
            *slot = fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
        }
        Ok(files)
    }
}

/// Whether a name looks like that of a template. Hidden files belong to others: Kubernetes and
/// editors put such there.
fn is_template(name: &str) -> bool {
    let ending = Path::new(name).extension().and_then(|ending| ending.to_str());
    !name.starts_with('.') && matches!(ending, Some("toml" | "html" | "txt"))
}
