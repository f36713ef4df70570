//! `BreachedFiles`: a list of breached passwords in files, looked up without reading it into
//! memory.

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

/// A list of breached passwords by their SHA-1, as Have I Been Pwned publishes it: a folder with a
/// file for each range of hashes, or one file of all hashes in their order.
///
/// The files are opened anew for each look-up, so that a newer list can be put in their place.
#[derive(Debug)]
pub struct BreachedFiles(Arc<Source>);

/// Where the list is.
#[derive(Debug)]
enum Source {
    /// A folder of range files.
    Ranges(PathBuf),
    /// One file of all hashes.
    Whole(PathBuf),
}

impl BreachedFiles {
    /// Takes a folder or a file, and looks at as much of it as tells whether it is such a list.
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
    /// Reads the files where they keep no other task waiting; only within a tokio runtime.
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

/// The SHA-1 of a password in upper-case hexadecimal digits.
///
/// SHA-1 protects nothing here. It is what the lists are ordered by, and whoever could make two
/// passwords with one hash would have a password refused that nobody uses.
fn hash_of(password: &Password) -> Zeroizing<String> {
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, password.expose().as_bytes());
    let digits = hash.as_ref().iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let digits = digits.filter_map(|digit| char::from_digit(digit.into(), 16));
    Zeroizing::new(digits.map(|digit| digit.to_ascii_uppercase()).collect())
}

/// An error in a list at this path.
fn at(path: &Path) -> impl Fn(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests;
