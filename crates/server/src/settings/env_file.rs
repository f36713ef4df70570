//! `.env`: a file with environment variables.
//!
//! Programs that share such a file read it in different ways. So only our variables count, and their
//! values are taken literally: what would need interpretation is refused.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::error::SettingError;

/// The names of our variables begin so.
pub(super) const PREFIX: &str = "GATEWARD_";

/// The maximum size in bytes: a hundred times what all settings need.
const SIZE_MAX: u64 = 1024 * 1024;

/// Reads our variables of a file, none if there is no file.
pub(super) fn read(path: &Path, errors: &mut Vec<SettingError>) -> BTreeMap<String, String> {
    let name = path.display().to_string();
    let bytes = match content(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return BTreeMap::new(),
        Err(error) => {
            errors.push(SettingError::unreadable(&name, &error));
            return BTreeMap::new();
        }
    };
    let mut variables = BTreeMap::new();
    let lines =
        bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes).split(|byte| *byte == b'\n');
    for (number, line) in (1..).zip(lines) {
        match variable(line) {
            Ok(Some((variable, value))) => {
                variables.insert(variable, value);
            }
            Ok(None) => {}
            // The line is not quoted, because it may contain a secret.
            Err(message) => {
                errors.push(SettingError::file(&name, &format!("line {number}: {message}")));
            }
        }
    }
    variables
}

fn content(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(SIZE_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > SIZE_MAX {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 1 MiB"));
    }
    Ok(bytes)
}

/// The variable of a line, if it is one of ours.
fn variable(line: &[u8]) -> Result<Option<(String, String)>, &'static str> {
    let line = line.trim_ascii();
    let line = line.strip_prefix(b"export ").unwrap_or(line).trim_ascii_start();
    if !line.starts_with(PREFIX.as_bytes()) {
        return Ok(None);
    }
    let line = std::str::from_utf8(line).map_err(|_| "the value is not valid UTF-8")?;
    let (name, value) = line.split_once('=').ok_or("there is no '=' after the name")?;
    let value = value.trim();
    refuse_interpretation(value)?;
    Ok(Some((name.trim_end().to_owned(), value.to_owned())))
}

/// Refuses a value that other readers of such files change.
fn refuse_interpretation(value: &str) -> Result<(), &'static str> {
    let enclosed = |quote| value.len() > 1 && value.starts_with(quote) && value.ends_with(quote);
    if ['"', '\'', '`'].into_iter().any(enclosed) {
        return Err("the value is in quotes, which would be a part of it; remove them");
    }
    if value.starts_with('#') || value.contains(" #") || value.contains("\t#") {
        return Err("the value contains a comment; put it on a line of its own");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: impl AsRef<[u8]>) -> (BTreeMap<String, String>, Vec<SettingError>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        std::fs::write(&path, text).unwrap();
        let mut errors = Vec::new();
        (read(&path, &mut errors), errors)
    }

    #[test]
    fn our_values_are_literal() {
        for (line, value) in [
            ("GATEWARD_X=pa$word", "pa$word"),
            ("GATEWARD_X=pa'ss'x", "pa'ss'x"),
            ("GATEWARD_X=a\\nb", "a\\nb"),
            ("GATEWARD_X=${HOME}", "${HOME}"),
            ("GATEWARD_X=a=b#c", "a=b#c"),
            ("GATEWARD_X=", ""),
            (
                "  export GATEWARD_X = \"Example, Inc.\" <login@example.org> \r",
                "\"Example, Inc.\" <login@example.org>",
            ),
            ("\u{feff}GATEWARD_X=1", "1"),
            ("GATEWARD_X=1\nGATEWARD_X=2", "2"),
        ] {
            let (variables, errors) = read_text(line);
            assert_eq!(errors, [], "{line}");
            assert_eq!(variables["GATEWARD_X"], value, "{line}");
        }
    }

    #[test]
    fn lines_of_other_programs_do_not_matter() {
        let others = "APP_NAME=My App\nFOO: bar\n# GATEWARD_X=1\n\nQ=\"a\nb\"\nGATEWAR_X=1\n";
        let (variables, errors) = read_text([others.as_bytes(), b"L=\xff\n"].concat());
        assert_eq!(errors, []);
        assert!(variables.is_empty(), "{variables:?}");
    }

    #[test]
    fn a_value_that_could_be_read_in_two_ways_is_refused_by_its_line() {
        for (line, words) in [
            ("GATEWARD_X=\"s3cret\"", "line 2: the value is in quotes"),
            ("GATEWARD_X='s3cret'", "line 2: the value is in quotes"),
            ("GATEWARD_X=s3cret # the old one", "line 2: the value contains a comment"),
            ("GATEWARD_X: s3cret", "line 2: there is no '='"),
        ] {
            let (variables, errors) = read_text(format!("# ours\n{line}\nGATEWARD_Y=1\n"));
            let [error] = &errors[..] else { panic!("{errors:?}") };
            let error = error.to_string();
            assert!(error.contains(".env is invalid") && error.contains(words), "{error}");
            assert!(!error.contains("s3cret"), "{error}");
            assert_eq!(variables.len(), 1, "{line}");
        }
        let (_, errors) = read_text(b"GATEWARD_X=\xff");
        assert!(errors[0].to_string().contains("line 1: the value is not valid UTF-8"));
    }

    #[test]
    fn what_cannot_be_read_is_one_error() {
        let folder = tempfile::tempdir().unwrap();
        let mut errors = Vec::new();
        assert!(read(folder.path(), &mut errors).is_empty());
        let [error] = &errors[..] else { panic!("{errors:?}") };
        assert!(error.to_string().contains("cannot be read (Is a directory"), "{error}");
        let (_, errors) = read_text("x".repeat(1024 * 1024 + 1));
        assert!(errors[0].to_string().contains("larger than 1 MiB"), "{errors:?}");
        assert!(read(&folder.path().join("nothing"), &mut Vec::new()).is_empty());
    }
}
