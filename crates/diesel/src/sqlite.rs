//! SQLite: one writer, a few readers, and the queries compiled for them.

/// Locks the rows of a query until the transaction ends. A no-op, because there is only one writer.
macro_rules! locked {
    ($query:expr) => {
        $query
    };
}

/// The identifiers that a query finds, few of them, for a statement that reads their rows.
macro_rules! found_first {
    ($query:expr) => {
        $query
    };
}

/// The identifiers that a query finds, for a statement that changes their rows. No other statement
/// conflicts, because there is only one writer.
macro_rules! in_turn {
    ($query:expr $(, $key:ty)?) => {
        $query
    };
}

/// The same: no other transaction can have locked any of them.
macro_rules! unclaimed {
    ($query:expr $(, $key:ty)?) => {
        $query
    };
}

mod audit_chain;
mod batch;
mod columns;
mod feed;
mod file;
pub mod inspect;
pub mod migrate;
mod readers;
#[path = "repos/mod.rs"]
mod repos;
mod rotate;
#[path = "rows/mod.rs"]
mod rows;
#[path = "schema.rs"]
mod schema;
mod thread;
mod unit;
mod watch;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use diesel::SqliteConnection;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use gateward_domain::ports::{self, Access, FeedWatch, Store, StoreError};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::error::OpenError;
use crate::open::CreateIfMissing;
use crate::target::Target;
use batch::Rotations;
use readers::Readers;
use thread::Thread;
use unit::Tx;
use watch::Watch;

/// A connection on a thread of its own.
type Conn = SyncConnectionWrapper<SqliteConnection, Thread>;

/// Maximum wait of a writer for its turn. The current writer may wait [`file::BUSY_TIMEOUT`] for
/// another process, so a shorter wait would refuse those behind it needlessly.
const WRITER_TIMEOUT: Duration = Duration::from_secs(6);

/// Number of reading connections. They read in parallel with the writer, usually from memory, so
/// more would only compete for the same processors.
const READERS: usize = 4;

/// A store in a file. Clones share its connections.
///
/// Writers of this process take turns, so that they do not contend for the file's lock. Other
/// processes may use the file as well.
#[derive(Clone)]
pub struct SqliteStore {
    writer: Arc<Mutex<Conn>>,
    readers: Arc<Readers>,
    rotations: Arc<Rotations>,
    path: Arc<Path>,
}

impl SqliteStore {
    /// Opens the store at a `sqlite://` URL.
    pub async fn open(url: &str, create: CreateIfMissing) -> Result<Self, OpenError> {
        match Target::parse(url)? {
            Target::Sqlite(path) => Self::at(path, create).await,
            Target::Postgres(_) => Err(OpenError::BadUrl("this store needs a sqlite:// URL")),
        }
    }

    /// Opens the store in this file.
    pub(crate) async fn at(path: PathBuf, create: CreateIfMissing) -> Result<Self, OpenError> {
        let file = Arc::from(path.as_path());
        let opening = spawn_blocking(move || {
            let writer = file::open_writer(&path, create)?;
            let readers: Result<Vec<_>, _> =
                (0..READERS).map(|_| file::open_reader(&path)).collect();
            Ok((writer, readers?))
        });
        let opened = opening.await.map_err(|panicked| OpenError::Failed(Box::new(panicked)))?;
        let (writer, readers): (SqliteConnection, Vec<SqliteConnection>) = opened?;
        Ok(Self {
            writer: Arc::new(Mutex::new(Conn::with_runtime(writer, Thread::start("writer")))),
            readers: Arc::new(Readers::new(readers)),
            rotations: Arc::default(),
            path: file,
        })
    }

    /// Waits for the turn to write.
    async fn writer(&self) -> Result<OwnedMutexGuard<Conn>, StoreError> {
        let turn = Arc::clone(&self.writer).lock_owned();
        timeout(WRITER_TIMEOUT, turn).await.map_err(|_| StoreError::Busy)
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn begin(&self, access: Access) -> Result<Box<dyn ports::Tx>, StoreError> {
        Ok(Box::new(Tx::begin(self.clone(), access).await?))
    }

    async fn watch_feed(&self) -> Result<Box<dyn FeedWatch>, StoreError> {
        let path = Arc::clone(&self.path);
        let opening = spawn_blocking(move || file::open_reader(&path));
        let opened = opening.await.map_err(|panicked| StoreError::Unavailable(panicked.into()))?;
        let conn = opened.map_err(|error| StoreError::Unavailable(error.into()))?;
        Ok(Box::new(Watch::start(conn).await?))
    }
}

#[cfg(test)]
mod tests;
