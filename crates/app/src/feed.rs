//! Following the feed, and giving it to those who check tokens elsewhere.

use gateward_domain::feed::{FeedCursor, FeedEntry, FeedPage, News};
use gateward_domain::ports::{Access, FeedWatch, StoreError};

use crate::{App, KeysError};

/// How many entries a node learns at once.
const PAGE: u32 = 500;

/// What a look into the feed has brought.
#[derive(Debug)]
pub struct Followed {
    /// What is new, in order.
    pub entries: Vec<FeedEntry>,
    /// Where to go on.
    pub cursor: Option<FeedCursor>,
    /// Whether that is all there is for now.
    pub is_complete: bool,
}

impl App {
    /// Opens a channel that tells when it is worth looking into the feed.
    pub async fn watch_feed(&self) -> Result<Box<dyn FeedWatch>, StoreError> {
        self.ports.store.watch_feed().await
    }

    /// Says that this node may have missed something, until it has looked again.
    pub fn doubt_knowledge(&self) {
        self.ports.knowledge.doubt();
    }

    /// Learns what is new in the feed since `since`. One task of a node does this, again and again,
    /// each time from where the look before left off.
    ///
    /// What fails must be done again from the same place.
    pub async fn follow_feed(&self, since: Option<&FeedCursor>) -> Result<Followed, KeysError> {
        let knowledge = &*self.ports.knowledge;
        let mark = knowledge.begin_read();
        let page = self.read_feed(since.cloned(), PAGE).await?;
        if page.is_anew && since.is_some() {
            tracing::warn!("the database is not where it was; users are read again");
            knowledge.forget_users();
        }
        let items: Vec<_> = page.entries.iter().map(|entry| entry.item.clone()).collect();
        let about_keys = |news: &News| matches!(news, News::KeysChanged | News::KeyRevoked { .. });
        knowledge.learn(&items);
        if items.iter().any(|item| about_keys(&item.news)) {
            self.reload_keys().await?;
        }
        let is_complete = page.entries.len() < PAGE as usize;
        if is_complete {
            knowledge.confirm(mark);
        }
        let last = page.entries.last().map(|entry| entry.cursor.clone());
        // A store that began anew could not go on from there, and could not the next time.
        let cursor = last.or_else(|| since.filter(|_| !page.is_anew).cloned());
        Ok(Followed { entries: page.entries, cursor, is_complete })
    }

    /// The entries of the feed after `since`, for somebody who follows it from elsewhere.
    pub async fn read_feed(
        &self,
        since: Option<FeedCursor>,
        limit: u32,
    ) -> Result<FeedPage, StoreError> {
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let page = tx.list_news(since, limit).await?;
        tx.commit().await?;
        Ok(page)
    }
}
