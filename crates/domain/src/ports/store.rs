//! `Store` and `Tx`: the unit of work.

use std::error::Error;

use async_trait::async_trait;

use super::{
    AuditRepo, EventRepo, FeedRepo, FeedWatch, KeyRepo, KnownDeviceRepo, LinkRepo, OutboxRepo,
    RateLimitRepo, RoleRepo, SignupRepo, TokenStore, UserRepo,
};

/// What a unit of work does. The store uses it to save round trips.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads only.
    Read,
    /// One method that writes and is atomic by itself, and nothing else.
    SingleWrite,
    /// Several writes, all or none. A value read by a `lock_…` method does not change until the
    /// end.
    Write,
}

/// A unique value that another account already has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The username.
    Username,
    /// The email address.
    Email,
}

/// Why a store operation failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another account already has a value that must be unique.
    #[error("{0:?} is taken")]
    Taken(Taken),
    /// The store is at its limit, or a lock is held for too long. A retry helps.
    #[error("the store is busy")]
    Busy,
    /// The store cannot be reached or has failed.
    #[error("the store is unavailable")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// A stored value is not one that this software writes.
    #[error("the value in {table}.{column} is corrupt")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
}

/// The store of everything that must outlive the process.
#[async_trait]
pub trait Store: Send + Sync {
    /// Begins a unit of work.
    async fn begin(&self, access: Access) -> Result<Box<dyn Tx>, StoreError>;

    /// Begins a read-only unit for the reader of the feed. It does not queue behind requests: under
    /// load the cache would become stale, and reading the store instead would add load.
    async fn begin_feed_read(&self) -> Result<Box<dyn Tx>, StoreError> {
        self.begin(Access::Read).await
    }

    /// Opens a channel that reports when to read the feed.
    async fn watch_feed(&self) -> Result<Box<dyn FeedWatch>, StoreError>;
}

/// A unit of work over all repositories. Dropping it rolls it back.
///
/// After a method has failed, every further method and the commit fail too. Inserting an identifier
/// twice returns [`StoreError::Unavailable`].
#[async_trait]
pub trait Tx:
    UserRepo
    + RoleRepo
    + TokenStore
    + KeyRepo
    + EventRepo
    + AuditRepo
    + SignupRepo
    + LinkRepo
    + OutboxRepo
    + KnownDeviceRepo
    + RateLimitRepo
    + FeedRepo
{
    /// Commits the transaction. With [`Access::Read`] and [`Access::SingleWrite`] nothing is left
    /// to do, and the store is not contacted.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}
