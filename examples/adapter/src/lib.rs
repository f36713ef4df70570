//! Example: a custom storage adapter on redb, an embedded key-value store.
//!
//! - `unit.rs` is the unit of work: who may write when, what commits and what rolls back.
//! - `users.rs`, `roles.rs`, `sessions.rs`, `installation.rs`, `events.rs`, `audit.rs`,
//!   `signups.rs`, `links.rs`, `outbox_emails.rs`, `known_devices.rs`, `rate_limits.rs` and
//!   `feed.rs` are the ports.
//! - `tables/` accesses the tables, `rows/` defines their rows.
//!
//! One process at a time can open a file, and one writer at a time can change it.
//! `docs/adapters.md` describes what an adapter must guarantee and uses this one as its example.

mod audit;
mod events;
mod feed;
mod installation;
mod known_devices;
mod links;
mod outbox_emails;
mod rate_limits;
mod roles;
mod rows;
mod sessions;
mod signups;
mod tables;
#[cfg(test)]
mod tests;
mod unit;
mod users;

use std::fmt;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gateward_domain::ports::{Access, FeedWatch, Store, StoreError, Tx};
use redb::{Builder, Database, ReadableDatabase};
use tokio::sync::{Mutex, watch};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use feed::RedbWatch;
use unit::{Open, RedbTx};

/// Maximum wait of a writer for its turn.
const TURN_TIMEOUT: Duration = Duration::from_secs(10);

/// A store in one file. Clones share it.
#[derive(Clone)]
pub struct RedbStore {
    database: Arc<Database>,
    /// Held by the current writer. The database has such a lock of its own, but blocks the thread
    /// while it waits.
    turn: Arc<Mutex<()>>,
    /// Wakes the watchers of the feed. They are in this process: no other can open the file.
    herald: watch::Sender<()>,
}

impl RedbStore {
    /// Opens the file. Creates it, readable only by its owner, if it does not exist.
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let path = path.into();
        blocking(move || {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false).mode(0o600);
            let file = options.open(path).map_err(|error| failed(redb::Error::Io(error)))?;
            let database = Builder::new().create_file(file).map_err(failed)?;
            let first = database.begin_write().map_err(failed)?;
            tables::create_all(&first)?;
            first.commit().map_err(failed)?;
            let (turn, herald) = (Arc::default(), watch::Sender::default());
            Ok(Self { database: Arc::new(database), turn, herald })
        })
        .await
    }

    /// Waits for the turn to write and begins.
    pub(crate) async fn open_unit(&self) -> Result<Open, StoreError> {
        let turn = timeout(TURN_TIMEOUT, Arc::clone(&self.turn).lock_owned());
        let turn = turn.await.map_err(|_| StoreError::Busy)?;
        let (database, herald) = (Arc::clone(&self.database), self.herald.clone());
        // The turn moves into the closure: if the caller goes away meanwhile, it ends with the
        // transaction.
        blocking(move || Ok(Open::new(database.begin_write().map_err(failed)?, herald, turn))).await
    }
}

impl fmt::Debug for RedbStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RedbStore(…)")
    }
}

#[async_trait]
impl Store for RedbStore {
    async fn begin(&self, access: Access) -> Result<Box<dyn Tx>, StoreError> {
        let tx = match access {
            Access::Read => {
                let database = Arc::clone(&self.database);
                RedbTx::reads(blocking(move || database.begin_read().map_err(failed)).await?)
            }
            Access::SingleWrite => RedbTx::one_write(self.clone()),
            Access::Write => RedbTx::writes(self.open_unit().await?),
        };
        Ok(Box::new(tx))
    }

    async fn watch_feed(&self) -> Result<Box<dyn FeedWatch>, StoreError> {
        Ok(Box::new(RedbWatch(self.herald.subscribe())))
    }
}

/// Runs work that may wait for the disk on a thread for blocking work.
///
/// Work that has started completes even if the caller goes away. Its result is then dropped.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let done = spawn_blocking(work).await;
    done.map_err(|panicked| StoreError::Unavailable(Box::new(panicked)))?
}

/// Converts an error of the database.
pub(crate) fn failed(error: impl Into<redb::Error>) -> StoreError {
    StoreError::Unavailable(Box::new(error.into()))
}
