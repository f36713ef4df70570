//! Opening a store: the scheme of the URL picks the adapter.

use std::sync::Arc;

use gateward_domain::ports::Store;

use crate::error::OpenError;
use crate::target::Target;
use crate::{PostgresStore, SqliteStore};

/// Whether a database that is not there is made.
///
/// Only SQLite's can be: a configured file that has vanished must not come back empty, so the
/// caller says whether this may be the first start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateIfMissing {
    /// A new file is made, and the folders above it.
    Yes,
    /// A missing file is an error.
    No,
}

/// How a store is opened.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The most connections to a server; an embedded database has its own few.
    pub pool_size: usize,
    /// Whether a missing file is made.
    pub create: CreateIfMissing,
}

impl Default for Options {
    fn default() -> Self {
        Self { pool_size: 16, create: CreateIfMissing::No }
    }
}

/// Whether a URL can be read. Nothing is opened, and no error repeats the URL.
pub fn check_url(url: &str) -> Result<(), OpenError> {
    Target::parse(url).map(drop)
}

/// Opens the store that the URL names: `sqlite://` with a path, `postgres://` or `postgresql://`.
///
/// A file is opened at once. A server is not asked yet: it may come up later than we do.
pub async fn open(url: &str, options: &Options) -> Result<Arc<dyn Store>, OpenError> {
    Ok(match Target::parse(url)? {
        Target::Sqlite(path) => Arc::new(SqliteStore::at(path, options.create).await?),
        Target::Postgres(settings) => Arc::new(PostgresStore::on(*settings, options.pool_size)?),
    })
}
