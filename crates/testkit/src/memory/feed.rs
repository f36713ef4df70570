//! What a [`MemoryStore`](super::MemoryStore) does with news, and how it wakes those who watch.

use async_trait::async_trait;
use gateward_domain::Timestamp;
use gateward_domain::feed::{FeedCursor, FeedEntry, FeedItem, FeedPage};
use gateward_domain::ports::{Feed, FeedWatch, StoreError};
use tokio::sync::watch;

use super::MemoryTx;
use super::state::State;

#[async_trait]
impl Feed for MemoryTx {
    async fn insert_news(&mut self, items: &[FeedItem]) -> Result<(), StoreError> {
        self.write(|state| {
            state.insert_news(items);
            Ok(())
        })
        .await
    }

    async fn list_news(
        &mut self,
        since: Option<FeedCursor>,
        limit: u32,
    ) -> Result<FeedPage, StoreError> {
        Ok(self.read(|state| state.list_news(since.as_ref(), limit)))
    }

    async fn delete_news(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.write(|state| Ok(state.delete_news(before, limit))).await
    }
}

impl State {
    /// Writers stand in one line, so the order of the places is that of the commits.
    fn insert_news(&mut self, items: &[FeedItem]) {
        for item in items {
            self.last_news += 1;
            self.news.insert(self.last_news, item.clone());
        }
    }

    fn list_news(&self, since: Option<&FeedCursor>, limit: u32) -> FeedPage {
        let place: Option<u64> = since.and_then(|since| since.as_str().parse().ok());
        let place = place.filter(|place| *place <= self.last_news);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let after = self.news.range(place.map_or(0, |place| place + 1)..).take(limit);
        FeedPage {
            entries: after.map(|(place, item)| entry(*place, item)).collect(),
            is_anew: since.is_some() && place.is_none(),
        }
    }

    fn delete_news(&mut self, before: Timestamp, limit: u32) -> u64 {
        let over = self.news.iter().filter(|(_, item)| item.until < before);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let places: Vec<u64> = over.map(|(place, _)| *place).take(limit).collect();
        places.iter().map(|place| u64::from(self.news.remove(place).is_some())).sum()
    }
}

fn entry(place: u64, item: &FeedItem) -> FeedEntry {
    let cursor = FeedCursor::parse(&place.to_string()).unwrap();
    FeedEntry { cursor, item: item.clone() }
}

/// Hears of each commit with news.
pub(super) struct MemoryWatch(pub watch::Receiver<()>);

#[async_trait]
impl FeedWatch for MemoryWatch {
    async fn changed(&mut self) -> Result<(), StoreError> {
        let heard = self.0.changed().await;
        heard.map_err(|closed| StoreError::Unavailable(Box::new(closed)))
    }
}
