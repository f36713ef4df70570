//! The feed on Postgres: new entries, and late ones.

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{Array, BigInt, Nullable, Text};
use diesel_async::RunQueryDsl;
use gateward_domain::feed::{FeedCursor, FeedEntry, FeedPage};
use gateward_domain::ports::StoreError;

use super::Tx;
use super::columns::sql;
use super::cursor::{FeedPosition, Moment};
use super::rows::InvalidationEventRow;
use super::schema::invalidation_events;

/// Number of rows that one statement inserts: a statement accepts 65535 values.
const ROWS_MAX: usize = 1000;

/// The position of a row, and the row.
type PlacedRow = (i64, i64, InvalidationEventRow);

impl Tx {
    /// Inserts rows. The database wakes the listeners.
    pub(super) async fn insert_invalidation_event_rows(
        &mut self,
        rows: Vec<InvalidationEventRow>,
    ) -> Result<(), StoreError> {
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let some: Vec<_> = rows.by_ref().take(ROWS_MAX).collect();
            let insert = diesel::insert_into(invalidation_events::table).values(some);
            change!(self, "invalidation_events", conn => insert.execute(conn))?;
        }
        Ok(())
    }

    /// Returns the entries after a cursor, or from the start if the server cannot continue from it.
    pub(super) async fn invalidation_events_after(
        &mut self,
        since: Option<FeedCursor>,
        limit: u32,
    ) -> Result<FeedPage, StoreError> {
        let position = since.as_ref().and_then(FeedPosition::of);
        if let Some(position) = position {
            let (moment, rows) = self.read_invalidation_events(&position, limit).await?;
            if position.is_of(&moment) {
                return Ok(FeedPage {
                    entries: entries(position, &moment, rows)?,
                    is_restart: false,
                });
            }
        }
        let position = FeedPosition::default();
        let (moment, rows) = self.read_invalidation_events(&position, limit).await?;
        Ok(FeedPage { entries: entries(position, &moment, rows)?, is_restart: since.is_some() })
    }

    /// Returns the rows after a position, and the moment at which they are read.
    async fn read_invalidation_events(
        &mut self,
        position: &FeedPosition,
        limit: u32,
    ) -> Result<(Moment, Vec<PlacedRow>), StoreError> {
        type Found = (i64, i64, Vec<i64>, Option<PlacedRow>);

        let found = read!(self, "invalidation_events", conn => InvalidationEventsAfter::new(position, limit).load::<Found>(conn))?;
        let mut rows = Vec::with_capacity(found.len());
        let mut moment = None;
        for (server, next_xid, running, row) in found {
            moment.get_or_insert(Moment { server, next_xid, running });
            rows.extend(row);
        }
        let moment = moment.ok_or_else(|| StoreError::Unavailable("no moment".into()))?;
        Ok((moment, rows))
    }
}

/// Builds the entries of rows that were read from a position.
fn entries(
    mut position: FeedPosition,
    moment: &Moment,
    rows: Vec<PlacedRow>,
) -> Result<Vec<FeedEntry>, StoreError> {
    let mut entries = Vec::with_capacity(rows.len());
    for (xid, seq, row) in rows {
        position = position.after(xid, seq, moment);
        // With that many transactions the server is at its limit.
        let cursor = position.cursor().ok_or(StoreError::Busy)?;
        entries.push(FeedEntry { cursor, item: row.into() });
    }
    Ok(entries)
}

/// The rows after a position, with the moment's transactions beside each; without rows, once.
///
/// It is one statement, so that the rows match the moment: at this isolation level each statement
/// has a snapshot of its own. Numbers that the server has not assigned yet belong to a restored
/// database (see `watch.rs`) or to the reader's own transaction.
struct InvalidationEventsAfter {
    xid: i64,
    seq: i64,
    late: Vec<i64>,
    known: Vec<i64>,
    limit: i64,
}

impl InvalidationEventsAfter {
    fn new(position: &FeedPosition, limit: u32) -> Self {
        Self {
            xid: position.xid,
            seq: position.seq,
            late: position.late.iter().map(|late| late.xid).collect(),
            known: position.late.iter().map(|late| late.known).collect(),
            limit: limit.into(),
        }
    }
}

impl QueryFragment<Pg> for InvalidationEventsAfter {
    /// Each value is bound at its first use and written as `$n` at later ones.
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "SELECT now.server, now.next_xid, now.running, invalidation_events.xid, invalidation_events.seq, invalidation_events.kind, \
             invalidation_events.subject, invalidation_events.revoked_before, invalidation_events.reason, invalidation_events.happened_at, invalidation_events.expires_at \
             FROM (SELECT \
             (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint AS server, \
             pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next_xid, \
             ARRAY(SELECT xip::text::bigint FROM pg_snapshot_xip(pg_current_snapshot()) AS xip \
             UNION SELECT own::text::bigint FROM pg_current_xact_id_if_assigned() AS own \
             WHERE own IS NOT NULL ORDER BY 1) AS running, \
             pg_current_xact_id_if_assigned()::text::bigint AS own) AS now \
             LEFT JOIN LATERAL ((SELECT invalidation_events.* FROM unnest(",
        );
        out.push_bind_param::<Array<BigInt>, _>(&self.late)?; // $1
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.known)?; // $2
        out.push_sql(
            ") AS late (xid, known) JOIN invalidation_events ON invalidation_events.xid = late.xid AND invalidation_events.seq > late.known \
             ORDER BY invalidation_events.xid, invalidation_events.seq LIMIT ",
        );
        out.push_bind_param::<BigInt, _>(&self.limit)?; // $3
        out.push_sql(") UNION ALL (SELECT invalidation_events.* FROM invalidation_events WHERE (invalidation_events.xid, invalidation_events.seq) > (");
        out.push_bind_param::<BigInt, _>(&self.xid)?; // $4
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&self.seq)?; // $5
        out.push_sql(
            ") AND (invalidation_events.xid < now.next_xid OR invalidation_events.xid = now.own) \
             ORDER BY invalidation_events.xid, invalidation_events.seq LIMIT $3) ORDER BY xid, seq LIMIT $3) AS invalidation_events ON true \
             ORDER BY invalidation_events.xid, invalidation_events.seq",
        );
        Ok(())
    }
}

impl QueryId for InvalidationEventsAfter {
    type QueryId = Self;

    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for InvalidationEventsAfter {
    type SqlType = (
        BigInt,
        BigInt,
        Array<BigInt>,
        Nullable<(
            BigInt,
            BigInt,
            (Text, Nullable<Text>, Nullable<sql::Moment>, Nullable<Text>, sql::Moment, sql::Moment),
        )>,
    );
}
