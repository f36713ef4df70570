//! The feed on Postgres: what is new, and what is late.

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{Array, BigInt, Nullable, Text};
use diesel_async::RunQueryDsl;
use gateward_domain::feed::{FeedCursor, FeedEntry, FeedPage};
use gateward_domain::ports::StoreError;

use super::Tx;
use super::columns::sql;
use super::cursor::{Moment, Place};
use super::rows::NewsRow;
use super::schema::news;

/// How many rows one statement inserts: a statement takes 65535 values.
const ROWS_MAX: usize = 1000;

/// Where a row stands, and the row.
type Placed = (i64, i64, NewsRow);

impl Tx {
    /// Adds rows; the database wakes those who listen.
    pub(super) async fn insert_news_rows(&mut self, rows: Vec<NewsRow>) -> Result<(), StoreError> {
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let some: Vec<_> = rows.by_ref().take(ROWS_MAX).collect();
            let insert = diesel::insert_into(news::table).values(some);
            change!(self, "news", conn => insert.execute(conn))?;
        }
        Ok(())
    }

    /// The entries after a cursor, or after none if the server cannot go on from it.
    pub(super) async fn news_after(
        &mut self,
        since: Option<FeedCursor>,
        limit: u32,
    ) -> Result<FeedPage, StoreError> {
        let place = since.as_ref().and_then(Place::of);
        if let Some(place) = place {
            let (moment, rows) = self.read_news(&place, limit).await?;
            if place.is_of(&moment) {
                return Ok(FeedPage { entries: entries(place, &moment, rows)?, is_anew: false });
            }
        }
        let place = Place::default();
        let (moment, rows) = self.read_news(&place, limit).await?;
        Ok(FeedPage { entries: entries(place, &moment, rows)?, is_anew: since.is_some() })
    }

    /// The rows after a place, and the moment in which they are read.
    async fn read_news(
        &mut self,
        place: &Place,
        limit: u32,
    ) -> Result<(Moment, Vec<Placed>), StoreError> {
        type Found = (i64, i64, Vec<i64>, Option<Placed>);

        let found = read!(self, "news", conn => NewsAfter::new(place, limit).load::<Found>(conn))?;
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

/// The entries of rows that were read from a place.
fn entries(
    mut place: Place,
    moment: &Moment,
    rows: Vec<Placed>,
) -> Result<Vec<FeedEntry>, StoreError> {
    let mut entries = Vec::with_capacity(rows.len());
    for (xid, seq, row) in rows {
        place = place.after(xid, seq, moment);
        // With that many transactions the server is at its limit.
        let cursor = place.cursor().ok_or(StoreError::Busy)?;
        entries.push(FeedEntry { cursor, item: row.into() });
    }
    Ok(entries)
}

/// The rows after a place, with the moment's transactions beside each; without rows, once.
///
/// It is one statement, so that the rows are those that the moment sees: at this isolation each
/// statement has a snapshot of its own. The numbers that the server has not given yet are those of a
/// restored database (see `watch.rs`), and the reader's own transaction's.
struct NewsAfter {
    xid: i64,
    seq: i64,
    late: Vec<i64>,
    known: Vec<i64>,
    limit: i64,
}

impl NewsAfter {
    fn new(place: &Place, limit: u32) -> Self {
        Self {
            xid: place.xid,
            seq: place.seq,
            late: place.late.iter().map(|late| late.xid).collect(),
            known: place.late.iter().map(|late| late.known).collect(),
            limit: limit.into(),
        }
    }
}

impl QueryFragment<Pg> for NewsAfter {
    /// Each value is bound where it comes first, and stands as `$n` where it comes again.
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "SELECT now.server, now.next_xid, now.running, news.xid, news.seq, news.kind, \
             news.subject, news.cut_off, news.reason, news.happened_at, news.matters_until \
             FROM (SELECT \
             (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint AS server, \
             pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next_xid, \
             ARRAY(SELECT xip::text::bigint FROM pg_snapshot_xip(pg_current_snapshot()) AS xip \
             UNION SELECT own::text::bigint FROM pg_current_xact_id_if_assigned() AS own \
             WHERE own IS NOT NULL ORDER BY 1) AS running, \
             pg_current_xact_id_if_assigned()::text::bigint AS own) AS now \
             LEFT JOIN LATERAL ((SELECT news.* FROM unnest(",
        );
        out.push_bind_param::<Array<BigInt>, _>(&self.late)?; // $1
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.known)?; // $2
        out.push_sql(
            ") AS late (xid, known) JOIN news ON news.xid = late.xid AND news.seq > late.known \
             ORDER BY news.xid, news.seq LIMIT ",
        );
        out.push_bind_param::<BigInt, _>(&self.limit)?; // $3
        out.push_sql(") UNION ALL (SELECT news.* FROM news WHERE (news.xid, news.seq) > (");
        out.push_bind_param::<BigInt, _>(&self.xid)?; // $4
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&self.seq)?; // $5
        out.push_sql(
            ") AND (news.xid < now.next_xid OR news.xid = now.own) \
             ORDER BY news.xid, news.seq LIMIT $3) ORDER BY xid, seq LIMIT $3) AS news ON true \
             ORDER BY news.xid, news.seq",
        );
        Ok(())
    }
}

impl QueryId for NewsAfter {
    type QueryId = Self;

    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for NewsAfter {
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
