//! `FeedRepo`, the feed of invalidation events, and `FeedWatch`, which reports when to read it.

use async_trait::async_trait;

use super::StoreError;
use crate::Timestamp;
use crate::feed::{FeedCursor, FeedItem, FeedPage};

/// The feed of invalidation events for all nodes and for external token verifiers.
#[async_trait]
pub trait FeedRepo: Send {
    /// Inserts items, in the transaction of the changes they report, and wakes every watcher after
    /// the commit.
    async fn insert_invalidation_events(&mut self, items: &[FeedItem]) -> Result<(), StoreError>;

    /// Returns at most `limit` entries after `since`, or from the start.
    ///
    /// A reader that continues page by page from the cursor of the last entry receives every item
    /// that is ever committed, including those of a transaction that began before others and was
    /// committed after them. If the store cannot continue from a cursor (it is not the store's own,
    /// or the store has lost writes since), it restarts from the beginning: nothing is skipped, and
    /// some entries are returned twice.
    async fn list_invalidation_events(
        &mut self,
        since: Option<FeedCursor>,
        limit: u32,
    ) -> Result<FeedPage, StoreError>;

    /// Deletes at most `limit` items that became irrelevant before `before`.
    async fn delete_invalidation_events(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError>;
}

/// Reports when to read the feed. It may miss changes and may report none, so a reader also polls.
#[async_trait]
pub trait FeedWatch: Send {
    /// Waits until there may be new entries. An error means that the channel is closed: open
    /// another one.
    ///
    /// Cancel-safe: dropping the future loses nothing.
    async fn changed(&mut self) -> Result<(), StoreError>;
}
