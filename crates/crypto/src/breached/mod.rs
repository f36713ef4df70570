//! `BreachedFiles`: a list of breached passwords in files, searched without loading it into memory.

mod line;
mod ranges;
mod sorted;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::digest;
use gateward_domain::Password;
use gateward_domain::ports::{BreachedPasswords, BreachedUnavailable};
use zeroize::Zeroizing;

use self::sorted::Sorted;

/// A list of breached passwords by their SHA-1, as Have I Been Pwned publishes it: a folder with
/// one file per range of hashes, or one file with all hashes in order.
///
/// The files are opened for each lookup, so that a newer list can replace them.
#[derive(Debug)]
pub struct BreachedFiles(Arc<Source>);

/// The location of the list.
#[derive(Debug)]
enum Source {
    /// A folder of range files.
    Ranges(PathBuf),
    /// One file of all hashes.
    Whole(PathBuf),
}

impl BreachedFiles {
    /// Opens a folder or a file, and reads enough of it to check that it is such a list.
    pub fn open(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let source = if path.is_dir() {
            ranges::check(&path)?;
            Source::Ranges(path)
        } else {
            Sorted::open(&path)?.check()?;
            Source::Whole(path)
        };
        Ok(Self(Arc::new(source)))
    }
}

#[async_trait]
impl BreachedPasswords for BreachedFiles {
    /// Reads the files without blocking other tasks. Requires a tokio runtime.
    async fn is_breached(&self, password: &Password) -> Result<bool, BreachedUnavailable> {
        let (source, hash) = (Arc::clone(&self.0), hash_of(password));
        let found = tokio::task::spawn_blocking(move || source.contains(&hash)).await;
        found.map_err(io::Error::from).flatten().map_err(|error| BreachedUnavailable(error.into()))
    }
}

impl Source {
    fn contains(&self, hash: &str) -> io::Result<bool> {
        match self {
            Self::Ranges(folder) => ranges::contains(folder, hash),
            Self::Whole(path) => Sorted::open(path)?.contains(hash),
        }
    }
}

/// Returns the SHA-1 of a password in upper-case hexadecimal digits.
///
/// SHA-1 protects nothing here: the lists are ordered by it. An attacker who creates a collision
/// only gets an unused password refused.
fn hash_of(password: &Password) -> Zeroizing<String> {
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, password.expose().as_bytes());
    let digits = hash.as_ref().iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let digits = digits.filter_map(|digit| char::from_digit(digit.into(), 16));
    Zeroizing::new(digits.map(|digit| digit.to_ascii_uppercase()).collect())
}

/// Adds the path of the list to an error.
fn at(path: &Path) -> impl Fn(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests;
