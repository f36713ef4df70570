//! The feed on SQLite: only one writes, so the order of the numbers is that of the commits.

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
    /// The last numbers that SQLite has given.
    sqlite_sequence (name) {
        name -> Text,
        seq -> BigInt,
    }
}

/// Where a reader stands: after the entry of this number, which happened at this time. A number
/// alone may be another entry's, once the file was restored.
#[derive(Clone, Copy)]
struct FeedPosition {
    seq: i64,
    at: Timestamp,
}

impl FeedPosition {
    /// Reads the text of a cursor, which may be anybody's.
    fn of(cursor: &FeedCursor) -> Option<Self> {
        let (seq, at) = cursor.as_str().split_once('.')?;
        Some(Self { seq: seq.parse().ok()?, at: Timestamp::from_micros(at.parse().ok()?) })
    }

    /// The text.
    fn cursor(self) -> Option<FeedCursor> {
        FeedCursor::parse(&format!("{}.{}", self.seq, self.at.micros())).ok()
    }
}

impl Tx {
    /// Adds rows.
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

    /// The entries after a cursor, or after none if it is not of this file.
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

    /// Whether the entry of this place was written into this file, as far as can be told: it may
    /// have been deleted since.
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

    /// The entries after this number.
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

/// The entry of a row.
fn entry(seq: i64, row: InvalidationEventRow) -> Option<FeedEntry> {
    let item = FeedItem::from(row);
    Some(FeedEntry { cursor: FeedPosition { seq, at: item.at }.cursor()?, item })
}
