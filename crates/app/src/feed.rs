//! Following the feed, and giving it to those who check tokens elsewhere.

use std::time::Instant;

use gateward_domain::feed::{FeedCursor, FeedPage};
use gateward_domain::ports::{Access, FeedWatch, StoreError};

use crate::{App, KeysError};

/// How many entries a node learns at once.
const PAGE: u32 = 500;

/// For how long the keys are believed to be as they were read, in seconds, if nothing else is
/// heard: a node that was cut off for longer may have missed what the feed told.
const KEYS_SECONDS_MAX: u64 = 60;

/// How far a node has followed the feed.
#[derive(Debug, Default)]
pub struct Following {
    cursor: Option<FeedCursor>,
    /// When the keys were read last; not at all, or not since something was told of them.
    keys_read: Option<Instant>,
}

/// What a look into the feed has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Followed {
    /// Whether anything is new.
    pub is_new: bool,
    /// Whether that is all there is for now.
    pub is_complete: bool,
}

impl App {
    /// Opens a channel that tells when it is worth looking into the feed.
    pub async fn watch_feed(&self) -> Result<Box<dyn FeedWatch>, StoreError> {
        self.ports.store.watch_feed().await
    }

    /// Says that this node may have missed something, until it has looked again.
    pub fn invalidate_auth_cache(&self) {
        self.ports.auth_cache.invalidate();
    }

    /// Learns what is new in the feed, and takes keys into use that have changed. One task of a
    /// node does this, again and again; nobody else takes keys into use while it does.
    ///
    /// What this node knows counts as new only when all of it went well: a node that cannot have
    /// the keys of now does not know which ones were revoked.
    pub async fn follow_feed(&self, following: &mut Following) -> Result<Followed, KeysError> {
        let auth_cache = &*self.ports.auth_cache;
        let mark = auth_cache.begin_read();
        let mut tx = self.ports.store.begin_feed_read().await?;
        let page = tx.list_invalidation_events(following.cursor.clone(), PAGE).await?;
        tx.commit().await?;
        if page.is_restart {
            tracing::info!("the feed begins anew; users and keys are read again");
            auth_cache.forget_users();
        }
        let items: Vec<_> = page.entries.iter().map(|entry| entry.item.clone()).collect();
        auth_cache.apply(&items);
        if page.is_restart || items.iter().any(|item| item.invalidation.is_about_keys()) {
            following.keys_read = None;
        }
        // A store that began anew could not go on from there, and could not the next time.
        let last = page.entries.last().map(|entry| entry.cursor.clone());
        following.cursor = last.or_else(|| following.cursor.take().filter(|_| !page.is_restart));
        let is_complete = page.entries.len() < PAGE as usize;
        if is_complete {
            self.reload_due_keys(following, mark.at).await?;
            auth_cache.confirm(mark);
        }
        Ok(Followed { is_new: !items.is_empty(), is_complete })
    }

    /// Takes the keys into use again, if they may have changed since they were read.
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

    /// The entries of the feed after `since`, for somebody who follows it from elsewhere.
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
