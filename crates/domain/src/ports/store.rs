//! `Store` and `Tx`: the unit of work.

use std::error::Error;

use async_trait::async_trait;

use super::{
    AuditRepo, EventRepo, FeedRepo, FeedWatch, KeyRepo, KnownDeviceRepo, LinkRepo, OutboxRepo,
    RateLimitRepo, RoleRepo, SignupRepo, TokenStore, UserRepo,
};

/// What a unit of work is going to do, so that a store can save round trips.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads only.
    Read,
    /// One method that writes, which is atomic by itself, and nothing else.
    SingleWrite,
    /// Several writes, all or none; what was read by a `lock_…` method stays as it was read.
    Write,
}

/// What is another's already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// The username.
    Username,
    /// The address.
    Email,
}

/// Why a store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A name that must be unique is another's.
    #[error("{0:?} is taken")]
    Taken(Taken),
    /// The store is at its limit, or somebody holds a lock for too long; trying again helps.
    #[error("the store is busy")]
    Busy,
    /// The store cannot be reached or has failed.
    #[error("the store is unavailable")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// A stored value is not what was ever written.
    #[error("the value in {table}.{column} is corrupt")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
}

/// A store of everything that must outlive the process.
#[async_trait]
pub trait Store: Send + Sync {
    /// Begins a unit of work.
    async fn begin(&self, access: Access) -> Result<Box<dyn Tx>, StoreError>;

    /// Begins a unit that reads, for whoever follows the feed. It does not wait behind requests:
    /// what a node knows would grow old when it is busy, and asking the store instead would make it
    /// busier.
    async fn begin_feed_read(&self) -> Result<Box<dyn Tx>, StoreError> {
        self.begin(Access::Read).await
    }

    /// Opens a channel that tells when it is worth looking into the feed.
    async fn watch_feed(&self) -> Result<Box<dyn FeedWatch>, StoreError>;
}

/// A unit of work: all the small ports at once. Dropping it undoes it.
///
/// A unit in which a method has failed is over: whatever is asked of it afterwards fails too, and
/// so does its commit. An identifier that is inserted twice is [`StoreError::Unavailable`].
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
    /// Makes it last. With [`Access::Read`] and [`Access::SingleWrite`] there is nothing left to
    /// do, and nothing is asked of the store.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}
