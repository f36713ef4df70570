//! `FeedRepo`: the feed of invalidation events.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use gateward_domain::Timestamp;
use gateward_domain::feed::{FeedCursor, FeedItem, FeedPage};
use gateward_domain::ports::{FeedRepo, StoreError};

use super::super::Tx;
use super::super::columns::Time;
use super::super::rows::InvalidationEventRow;
use super::super::schema::invalidation_events;

#[async_trait]
impl FeedRepo for Tx {
    async fn insert_invalidation_events(&mut self, items: &[FeedItem]) -> Result<(), StoreError> {
        let rows: Vec<_> = items.iter().map(InvalidationEventRow::from).collect();
        atomically!(self, self.insert_invalidation_event_rows(rows))
    }

    async fn list_invalidation_events(
        &mut self,
        since: Option<FeedCursor>,
        limit: u32,
    ) -> Result<FeedPage, StoreError> {
        self.invalidation_events_after(since, limit).await
    }

    async fn delete_invalidation_events(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let old = diesel::alias!(invalidation_events as old);
        let over = old
            .filter(old.field(invalidation_events::expires_at).lt(Time(before)))
            .order(old.field(invalidation_events::expires_at))
            .limit(i64::from(limit))
            .select(old.field(invalidation_events::seq));
        let delete = diesel::delete(
            invalidation_events::table.filter(invalidation_events::seq.eq_any(over)),
        );
        let count = change!(self, "invalidation_events", conn => delete.execute(conn))?;
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }
}
