//! Invalidation events in a [`MemoryStore`](super::MemoryStore), and how it wakes watchers.

use async_trait::async_trait;
use gateward_domain::Timestamp;
use gateward_domain::feed::{FeedCursor, FeedEntry, FeedItem, FeedPage};
use gateward_domain::ports::{FeedRepo, FeedWatch, StoreError};
use tokio::sync::watch;

use super::MemoryTx;
use super::state::State;

#[async_trait]
impl FeedRepo for MemoryTx {
    async fn insert_invalidation_events(&mut self, items: &[FeedItem]) -> Result<(), StoreError> {
        self.write(|state| {
            state.insert_invalidation_events(items);
            Ok(())
        })
        .await
    }

    async fn list_invalidation_events(
        &mut self,
        since: Option<FeedCursor>,
        limit: u32,
    ) -> Result<FeedPage, StoreError> {
        Ok(self.read(|state| state.list_invalidation_events(since.as_ref(), limit)))
    }

    async fn delete_invalidation_events(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        self.write(|state| Ok(state.delete_invalidation_events(before, limit))).await
    }
}

impl State {
    /// Writers take turns, so sequence numbers are in commit order.
    fn insert_invalidation_events(&mut self, items: &[FeedItem]) {
        for item in items {
            self.last_sequence += 1;
            self.invalidation_events.insert(self.last_sequence, item.clone());
        }
    }

    fn list_invalidation_events(&self, since: Option<&FeedCursor>, limit: u32) -> FeedPage {
        let sequence: Option<u64> = since.and_then(|since| since.as_str().parse().ok());
        let sequence = sequence.filter(|sequence| *sequence <= self.last_sequence);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let after = self
            .invalidation_events
            .range(sequence.map_or(0, |sequence| sequence + 1)..)
            .take(limit);
        FeedPage {
            entries: after.map(|(sequence, item)| entry(*sequence, item)).collect(),
            is_restart: since.is_some() && sequence.is_none(),
        }
    }

    fn delete_invalidation_events(&mut self, before: Timestamp, limit: u32) -> u64 {
        let over = self.invalidation_events.iter().filter(|(_, item)| item.until < before);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let sequences: Vec<u64> = over.map(|(sequence, _)| *sequence).take(limit).collect();
        sequences
            .iter()
            .map(|sequence| u64::from(self.invalidation_events.remove(sequence).is_some()))
            .sum()
    }
}

fn entry(sequence: u64, item: &FeedItem) -> FeedEntry {
    let cursor = FeedCursor::parse(&sequence.to_string()).unwrap();
    FeedEntry { cursor, item: item.clone() }
}

/// Is notified of each commit with invalidation events.
pub(super) struct MemoryWatch(pub watch::Receiver<()>);

#[async_trait]
impl FeedWatch for MemoryWatch {
    async fn changed(&mut self) -> Result<(), StoreError> {
        let heard = self.0.changed().await;
        heard.map_err(|closed| StoreError::Unavailable(Box::new(closed)))
    }
}
