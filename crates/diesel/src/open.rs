//! Opens a store. The scheme of the URL selects the adapter.

use std::sync::Arc;

use gateward_domain::ports::Store;

use crate::error::OpenError;
use crate::target::Target;
use crate::{PostgresStore, SqliteStore};

/// Whether a missing database is created.
///
/// This applies to SQLite only. A configured file that has vanished must not be replaced by an
/// empty one, so the caller says whether this may be the first start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateIfMissing {
    /// Create the file and its parent folders.
    Yes,
    /// A missing file is an error.
    No,
}

/// Options for opening a store.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Maximum number of connections to a server. An embedded database has a fixed number of its
    /// own.
    pub pool_size: usize,
    /// Whether to create a missing file.
    pub create: CreateIfMissing,
}

impl Default for Options {
    fn default() -> Self {
        Self { pool_size: 16, create: CreateIfMissing::No }
    }
}

/// Checks that a URL can be parsed. Opens nothing, and no error contains the URL.
pub fn check_url(url: &str) -> Result<(), OpenError> {
    Target::parse(url).map(drop)
}

/// The URL without the password, to be shown. Nothing of a URL that cannot be parsed is shown.
#[must_use]
pub fn shown_url(url: &str) -> String {
    match Target::parse(url) {
        Ok(Target::Sqlite(_)) => url.to_owned(),
        Ok(Target::Postgres(_)) => crate::postgres::shown_url(url),
        Err(_) => "(hidden)".to_owned(),
    }
}

/// Opens the store at a URL: `sqlite://` with a path, `postgres://` or `postgresql://`.
///
/// A file is opened at once. A server is not contacted yet, because it may start later than this
/// process.
pub async fn open(url: &str, options: &Options) -> Result<Arc<dyn Store>, OpenError> {
    Ok(match Target::parse(url)? {
        Target::Sqlite(path) => Arc::new(SqliteStore::at(path, options.create).await?),
        Target::Postgres(settings) => Arc::new(PostgresStore::on(*settings, options.pool_size)?),
    })
}
