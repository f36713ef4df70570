//! The target of a database URL.

use std::path::PathBuf;

use crate::error::OpenError;
use crate::postgres::Settings;

/// The database that a URL names.
#[derive(Debug)]
pub enum Target {
    /// A file.
    Sqlite(PathBuf),
    /// A server.
    Postgres(Box<Settings>),
}

impl Target {
    /// Parses a URL. Its scheme selects the database.
    pub fn parse(url: &str) -> Result<Self, OpenError> {
        match url.split_once("://") {
            Some(("sqlite", path)) => sqlite_path(path).map(Self::Sqlite),
            Some(("postgres" | "postgresql", _)) => {
                Settings::parse(url).map(|settings| Self::Postgres(Box::new(settings)))
            }
            _ => Err(OpenError::UnknownScheme),
        }
    }
}

/// Parses the path after `sqlite://`: relative to the working directory, absolute after a third
/// slash.
fn sqlite_path(path: &str) -> Result<PathBuf, OpenError> {
    if path.is_empty() || path.ends_with('/') {
        return Err(OpenError::BadUrl("a sqlite:// URL must contain the path of a file"));
    }
    if path.contains(['?', '#', '\0']) {
        return Err(OpenError::BadUrl("a sqlite:// URL cannot have parameters; remove them"));
    }
    if path.contains(":memory:") {
        return Err(OpenError::BadUrl(
            "an in-memory database loses its data on restart; use a file",
        ));
    }
    // The working directory may change later; the path does not.
    std::path::absolute(path).map_err(|_| OpenError::BadUrl("the working directory does not exist"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_third_slash_makes_the_path_absolute() {
        let path = |url| match Target::parse(url) {
            Ok(Target::Sqlite(path)) => path,
            other => panic!("{other:?}"),
        };
        let relative = std::env::current_dir().unwrap().join("data/gateward.db");
        assert_eq!(path("sqlite://data/gateward.db"), relative);
        assert_eq!(path("sqlite:///var/lib/g.db"), PathBuf::from("/var/lib/g.db"));
    }

    #[test]
    fn other_urls_are_refused_without_repeating_them() {
        for url in [
            "mysql://root:hunter2@localhost",
            "sqlite:data.db",
            "sqlite://",
            "sqlite://data/",
            "sqlite://:memory:",
            "sqlite://a.db?mode=rwc",
            "hunter2",
            "postgres://user:hunter2@host:port:port/",
            "postgres://user:hunt/er2@host/db?sslmode=maybe",
        ] {
            let error = Target::parse(url).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("er2"), "{error:?}");
        }
    }
}
