//! The master key in a file: read, and created at the first start.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use gateward_crypto::{MasterKey, MasterKeyError, SystemEntropy};

/// Why the file of a master key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyFileError {
    /// The file has other contents.
    #[error("{path} does not contain a valid master key; restore the original file")]
    Invalid {
        /// The file.
        path: String,
        /// What is wrong with its contents.
        source: MasterKeyError,
    },
    /// Other users can read the file.
    #[error("{path} contains the master key and is readable by other users; run: chmod 600 {path}")]
    Exposed {
        /// The file.
        path: String,
    },
    /// The file cannot be read.
    #[error("cannot read the master key from {path}: {error}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// Another process has created the file at the same time.
    #[error("another process has just created {path}; start again")]
    JustCreated {
        /// The file.
        path: String,
    },
    /// The file cannot be created.
    #[error("cannot create {path}")]
    Uncreatable {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
}

/// Reads the master key from this file, or creates it there at the first start.
///
/// The master key encrypts the signing keys in the store. Keep it as long as the store, and in
/// another place.
pub fn read_or_create_master_key(path: &Path) -> Result<MasterKey, MasterKeyFileError> {
    if let Some(key) = read_master_key(path)? {
        return Ok(key);
    }
    let key = MasterKey::generate(&SystemEntropy::new());
    write_master_key(&key, path)?;
    Ok(key)
}

/// Reads the master key from this file; `None` if there is no file.
pub fn read_master_key(path: &Path) -> Result<Option<MasterKey>, MasterKeyFileError> {
    let shown = || path.display().to_string();
    let exposed = is_exposed(path);
    match exposed.and_then(|exposed| Ok((exposed, fs::read_to_string(path)?))) {
        Ok((false, text)) => MasterKey::from_base64(text.trim())
            .map(Some)
            .map_err(|source| MasterKeyFileError::Invalid { path: shown(), source }),
        Ok((true, _)) => Err(MasterKeyFileError::Exposed { path: shown() }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(MasterKeyFileError::Unreadable { path: shown(), error }),
    }
}

/// Saves a new master key, readable only by its owner. Never overwrites, never writes half a key.
pub fn write_master_key(key: &MasterKey, path: &Path) -> Result<(), MasterKeyFileError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let draft = folder.join(format!("master.key.{}", std::process::id()));
    let written = fs::create_dir_all(folder).and_then(|()| {
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        writeln!(file, "{}", key.to_base64().as_str())?;
        file.sync_all()?;
        fs::hard_link(&draft, path)?;
        // The directory entry must survive a power loss too: without it, all keys are lost.
        File::open(folder)?.sync_all()
    });
    let _ = fs::remove_file(&draft);
    let path_text = path.display().to_string();
    match written {
        // An earlier attempt got this far.
        Err(error)
            if error.kind() == ErrorKind::AlreadyExists
                && fs::read_to_string(path)
                    .is_ok_and(|text| text.trim() == key.to_base64().as_str()) =>
        {
            Ok(())
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(MasterKeyFileError::JustCreated { path: path_text })
        }
        written => {
            written.map_err(|source| MasterKeyFileError::Uncreatable { path: path_text, source })
        }
    }
}

/// Whether users other than its owner can read a file.
///
/// The group may read, but not write, a file of root: so a system can give a secret to a service
/// that must not change it. Postgres has the same rule.
pub fn is_exposed(path: &Path) -> io::Result<bool> {
    let metadata = fs::metadata(path)?;
    let shut = if metadata.uid() == 0 { 0o037 } else { 0o077 };
    Ok(metadata.permissions().mode() & shut != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_master_key_is_created_once_and_refused_when_others_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        assert!(read_master_key(&path).unwrap().is_none());
        let created = read_or_create_master_key(&path).unwrap();
        let read = read_or_create_master_key(&path).unwrap();
        assert_eq!(created.to_base64().as_str(), read.to_base64().as_str());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");

        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = read_or_create_master_key(&path).unwrap_err();
        assert!(matches!(error, MasterKeyFileError::Exposed { .. }), "{error}");
    }

    #[test]
    fn another_master_key_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let created = read_or_create_master_key(&path).unwrap();
        write_master_key(&created, &path).unwrap();
        let other = MasterKey::generate(&SystemEntropy::new());
        let error = write_master_key(&other, &path).unwrap_err();
        assert!(matches!(error, MasterKeyFileError::JustCreated { .. }), "{error}");
        fs::write(&path, "short").unwrap();
        let error = read_master_key(&path).unwrap_err();
        assert!(matches!(error, MasterKeyFileError::Invalid { .. }), "{error}");
    }
}
