//! `FeedRepo`: what all nodes must learn, and `FeedWatch`: when it is worth looking.

use async_trait::async_trait;

use super::StoreError;
use crate::Timestamp;
use crate::feed::{FeedCursor, FeedItem, FeedPage};

/// The feed of what all nodes, and those who check tokens elsewhere, must learn.
#[async_trait]
pub trait FeedRepo: Send {
    /// Adds items, in the transaction of the changes that they tell of, and wakes whoever watches
    /// once it is committed.
    async fn insert_invalidation_events(&mut self, items: &[FeedItem]) -> Result<(), StoreError>;

    /// The entries after `since`, or all there are; at most `limit`.
    ///
    /// Whoever goes on from the cursor of the last entry, page by page, gets every item that is
    /// ever committed, also those of a transaction that began before others and was committed after
    /// them. A cursor that the store cannot go on from (it is not the store's, or the store has
    /// lost writes since) begins anew: nothing is skipped, some is given twice.
    async fn list_invalidation_events(
        &mut self,
        since: Option<FeedCursor>,
        limit: u32,
    ) -> Result<FeedPage, StoreError>;

    /// Deletes at most `limit` items that matter to nobody since `before`.
    async fn delete_invalidation_events(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError>;
}

/// Tells when it is worth looking into the feed. It may be wrong in either direction, so whoever
/// follows looks regularly all the same.
#[async_trait]
pub trait FeedWatch: Send {
    /// Waits until there may be something new. An error means that the channel is closed, and that
    /// another one must be opened.
    ///
    /// It may be given up while it waits; nothing is lost by that.
    async fn changed(&mut self) -> Result<(), StoreError>;
}
