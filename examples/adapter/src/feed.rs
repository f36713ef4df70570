//! The port of the feed. Sequence numbers are assigned inside the only write transaction, so they
//! are in commit order, and a cursor is a sequence number.

use async_trait::async_trait;
use gateward_domain::Timestamp;
use gateward_domain::feed::{BadCursor, FeedCursor, FeedEntry, FeedItem, FeedPage};
use gateward_domain::ports::{FeedRepo, FeedWatch, StoreError};
use redb::{ReadableTable, WriteTransaction};
use tokio::sync::watch;

use crate::failed;
use crate::rows::InvalidationEventRow;
use crate::tables::{
    INVALIDATION_ENDS, LAST_SEQUENCE, View, count_of, enter, insert, place_in_time, remove, table,
};
use crate::unit::RedbTx;

#[async_trait]
impl FeedRepo for RedbTx {
    async fn insert_invalidation_events(&mut self, items: &[FeedItem]) -> Result<(), StoreError> {
        let items = items.to_vec();
        self.writes_invalidations();
        self.write(move |transaction| items.into_iter().try_for_each(|item| add(transaction, item)))
            .await
    }

    async fn list_invalidation_events(
        &mut self,
        since: Option<FeedCursor>,
        limit: u32,
    ) -> Result<FeedPage, StoreError> {
        self.read(move |view| {
            let last = view.owner(LAST_SEQUENCE, ())?.unwrap_or(0);
            let place = since.as_ref().and_then(place_of).filter(|place| *place <= last);
            let entries = view.after::<InvalidationEventRow>(place, count_of(limit), |_| true)?;
            Ok(FeedPage { entries, is_restart: since.is_some() && place.is_none() })
        })
        .await
    }

    async fn delete_invalidation_events(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        self.write(move |transaction| {
            let view = View::Own(transaction);
            let over = view.span(INVALIDATION_ENDS, ..place_in_time(before, 0), count_of(limit))?;
            let mut count = 0;
            for place in over {
                let Some(entry) = view.find::<InvalidationEventRow>(place)? else { continue };
                remove(transaction, INVALIDATION_ENDS, place_in_time(entry.item.until, place))?;
                remove(transaction, table::<InvalidationEventRow>(), place)?;
                count += 1;
            }
            Ok(count)
        })
        .await
    }
}

/// Is notified of each commit with invalidation events.
pub struct RedbWatch(pub watch::Receiver<()>);

#[async_trait]
impl FeedWatch for RedbWatch {
    async fn changed(&mut self) -> Result<(), StoreError> {
        let heard = self.0.changed().await;
        heard.map_err(|closed| StoreError::Unavailable(Box::new(closed)))
    }
}

fn place_of(cursor: &FeedCursor) -> Option<u128> {
    cursor.as_str().parse().ok()
}

fn cursor_of(place: u128) -> Result<FeedCursor, StoreError> {
    let cursor = FeedCursor::parse(&place.to_string());
    cursor.map_err(|bad: BadCursor| StoreError::Unavailable(Box::new(bad)))
}

/// Adds an item at the next position.
fn add(transaction: &WriteTransaction, item: FeedItem) -> Result<(), StoreError> {
    let place = next_place(transaction)?;
    enter(transaction, INVALIDATION_ENDS, place_in_time(item.until, place))?;
    insert::<InvalidationEventRow>(
        transaction,
        place,
        &FeedEntry { cursor: cursor_of(place)?, item },
    )
}

/// Assigns a sequence number after all others, including those of deleted invalidation events.
fn next_place(transaction: &WriteTransaction) -> Result<u128, StoreError> {
    let mut places = transaction.open_table(LAST_SEQUENCE).map_err(failed)?;
    let last = places.get(()).map_err(failed)?.map_or(0, |last| last.value());
    places.insert((), last + 1).map_err(failed)?;
    Ok(last + 1)
}
