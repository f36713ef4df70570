//! Follows the invalidation feed, and serves it to external token verifiers.

use std::time::Instant;

use gateward_domain::feed::{FeedCursor, FeedPage};
use gateward_domain::ports::{Access, FeedWatch, StoreError};

use crate::{App, KeysError};

/// Number of entries that a node applies at once.
const PAGE: u32 = 500;

/// Maximum age of the loaded keys in seconds, without any event about them. A node that was cut off
/// for longer may have missed events.
const KEYS_SECONDS_MAX: u64 = 60;

/// How far a node has followed the feed.
#[derive(Debug, Default)]
pub struct Following {
    cursor: Option<FeedCursor>,
    /// Monotonic time of the last load of the keys. `None` if they were never loaded, or changed
    /// since.
    keys_read: Option<Instant>,
}

/// The result of one read of the feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Followed {
    /// Whether the read returned any entry.
    pub is_new: bool,
    /// Whether the end of the feed was reached.
    pub is_complete: bool,
}

impl App {
    /// Opens a channel that reports when to read the feed.
    pub async fn watch_feed(&self) -> Result<Box<dyn FeedWatch>, StoreError> {
        self.ports.store.watch_feed().await
    }

    /// Invalidates the cache of this node until it has read the feed again, because events may be
    /// missing.
    pub fn invalidate_auth_cache(&self) {
        self.ports.auth_cache.invalidate();
    }

    /// Applies new entries of the feed, and installs keys that changed. One task per node calls
    /// this in a loop. Nothing else installs keys meanwhile.
    ///
    /// The cache counts as fresh only if all of it succeeds: a node without the current keys does
    /// not know which ones were revoked.
    pub async fn follow_feed(&self, following: &mut Following) -> Result<Followed, KeysError> {
        let auth_cache = &*self.ports.auth_cache;
        let mark = auth_cache.begin_read();
        let mut tx = self.ports.store.begin_feed_read().await?;
        let page = tx.list_invalidation_events(following.cursor.clone(), PAGE).await?;
        tx.commit().await?;
        if page.is_restart {
            tracing::info!("invalidation events restarted, reloading users and keys");
            auth_cache.forget_users();
        }
        let items: Vec<_> = page.entries.iter().map(|entry| entry.item.clone()).collect();
        auth_cache.apply(&items);
        if page.is_restart || items.iter().any(|item| item.invalidation.is_about_keys()) {
            following.keys_read = None;
        }
        // A store that restarted could not continue from that cursor, nor could it next time.
        let last = page.entries.last().map(|entry| entry.cursor.clone());
        following.cursor = last.or_else(|| following.cursor.take().filter(|_| !page.is_restart));
        let is_complete = page.entries.len() < PAGE as usize;
        if is_complete {
            self.reload_due_keys(following, mark.at).await?;
            auth_cache.confirm(mark);
        }
        Ok(Followed { is_new: !items.is_empty(), is_complete })
    }

    /// Reloads the keys if they may have changed since they were loaded.
    async fn reload_due_keys(
        &self,
        following: &mut Following,
        now: Instant,
    ) -> Result<(), KeysError> {
        let age = following.keys_read.map(|at| now.saturating_duration_since(at).as_secs());
        if age.is_none_or(|seconds| seconds >= KEYS_SECONDS_MAX) {
            self.reload_keys().await?;
            following.keys_read = Some(now);
        }
        Ok(())
    }

    /// Returns the entries of the feed after `since`, for an external token verifier.
    pub async fn read_feed(
        &self,
        since: Option<FeedCursor>,
        limit: u32,
    ) -> Result<FeedPage, StoreError> {
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let page = tx.list_invalidation_events(since, limit).await?;
        tx.commit().await?;
        Ok(page)
    }
}
