//! The feed on SQLite: there is only one writer, so sequence numbers are in commit order.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use gateward_domain::Timestamp;
use gateward_domain::feed::{FeedCursor, FeedEntry, FeedItem, FeedPage};
use gateward_domain::ports::StoreError;

use super::Tx;
use super::columns::Time;
use super::rows::InvalidationEventRow;
use super::schema::invalidation_events;
use crate::run::StatementKind;

diesel::table! {
    /// The last sequence numbers that SQLite has assigned.
    sqlite_sequence (name) {
        name -> Text,
        seq -> BigInt,
    }
}

/// The position of a reader: after the entry with this sequence number, which happened at this
/// time. After the file was restored, the same number may belong to another entry.
#[derive(Clone, Copy)]
struct FeedPosition {
    seq: i64,
    at: Timestamp,
}

impl FeedPosition {
    /// Parses a cursor from untrusted input.
    fn of(cursor: &FeedCursor) -> Option<Self> {
        let (seq, at) = cursor.as_str().split_once('.')?;
        Some(Self { seq: seq.parse().ok()?, at: Timestamp::from_micros(at.parse().ok()?) })
    }

    /// Encodes the cursor.
    fn cursor(self) -> Option<FeedCursor> {
        FeedCursor::parse(&format!("{}.{}", self.seq, self.at.micros())).ok()
    }
}

impl Tx {
    pub(super) async fn insert_invalidation_event_rows(
        &mut self,
        rows: Vec<InvalidationEventRow>,
    ) -> Result<(), StoreError> {
        let insert = move |conn: &mut SqliteConnection| {
            for row in rows {
                let insert = diesel::insert_into(invalidation_events::table).values(row);
                diesel::RunQueryDsl::execute(insert, conn)?;
            }
            Ok(())
        };
        let result = self.start(StatementKind::Write).await?.spawn_blocking(insert).await;
        self.finish("invalidation_events", result)
    }

    /// Returns the entries after a cursor, or from the start if it does not belong to this file.
    pub(super) async fn invalidation_events_after(
        &mut self,
        since: Option<FeedCursor>,
        limit: u32,
    ) -> Result<FeedPage, StoreError> {
        let position = match since.as_ref().and_then(FeedPosition::of) {
            Some(position) if self.is_known(position).await? => Some(position),
            _ => None,
        };
        let entries =
            self.entries_after(position.map_or(0, |position| position.seq), limit).await?;
        Ok(FeedPage { entries, is_restart: since.is_some() && position.is_none() })
    }

    /// Returns whether the entry at this position was written into this file, as far as can be
    /// determined: it may have been deleted since.
    async fn is_known(&mut self, position: FeedPosition) -> Result<bool, StoreError> {
        let (last, at) = read!(self, "invalidation_events", conn => {
            let last = sqlite_sequence::table.filter(sqlite_sequence::name.eq("invalidation_events"));
            let entry = invalidation_events::table.filter(invalidation_events::seq.eq(position.seq));
            diesel::select((
                last.select(sqlite_sequence::seq).single_value(),
                entry.select(invalidation_events::happened_at).single_value(),
            ))
            .get_result::<(Option<i64>, Option<Time>)>(conn)
        })?;
        Ok(position.seq <= last.unwrap_or(0) && at.is_none_or(|at| at.0 == position.at))
    }

    /// Returns the entries after this sequence number.
    async fn entries_after(&mut self, seq: i64, limit: u32) -> Result<Vec<FeedEntry>, StoreError> {
        let rows = read!(self, "invalidation_events", conn => {
            invalidation_events::table
                .filter(invalidation_events::seq.gt(seq))
                .order(invalidation_events::seq)
                .limit(i64::from(limit))
                .select((invalidation_events::seq, InvalidationEventRow::as_select()))
                .load::<(i64, InvalidationEventRow)>(conn)
        })?;
        Ok(rows.into_iter().filter_map(|(seq, row)| entry(seq, row)).collect())
    }
}

/// Converts a row to an entry.
fn entry(seq: i64, row: InvalidationEventRow) -> Option<FeedEntry> {
    let item = FeedItem::from(row);
    Some(FeedEntry { cursor: FeedPosition { seq, at: item.at }.cursor()?, item })
}
