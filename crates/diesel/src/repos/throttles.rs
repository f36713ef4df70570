//! `ThrottleRepo`: how many wrong secrets were given.

use async_trait::async_trait;
use diesel::dsl::case_when;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use gateward_domain::Timestamp;
use gateward_domain::ports::{StoreError, ThrottleRepo};
use gateward_domain::throttle::{Strike, Strikes, ThrottleKey};

use super::super::Tx;
use super::super::columns::{Time, sql};
use super::super::rows::StrikeRow;
use super::super::schema::strikes;

#[async_trait]
impl ThrottleRepo for Tx {
    async fn find_strikes(&mut self, keys: &[ThrottleKey]) -> Result<Vec<Strikes>, StoreError> {
        let rows = read!(self, "strikes", conn => strikes::table
            .filter(strikes::key.eq_any(bytes(keys)))
            .load::<StrikeRow>(conn))?;
        rows.into_iter().map(Strikes::try_from).collect()
    }

    async fn add_strike(&mut self, strike: &Strike) -> Result<Strikes, StoreError> {
        let is_over = || strikes::expires_at.le(Time(strike.at));
        let count = case_when::<_, _, BigInt>(is_over(), 1_i64.into_sql::<BigInt>())
            .otherwise(strikes::count + 1);
        let moves = is_over().or(strike.renews.into_sql::<Bool>());
        let expires_at = case_when::<_, _, sql::Moment>(moves, excluded(strikes::expires_at))
            .otherwise(strikes::expires_at);
        let add = diesel::insert_into(strikes::table)
            .values(StrikeRow::from(strike))
            .on_conflict(strikes::key)
            .do_update()
            .set((
                strikes::count.eq(count),
                strikes::last_at.eq(excluded(strikes::last_at)),
                strikes::expires_at.eq(expires_at),
            ))
            .returning(strikes::all_columns);
        // All there is, not the first row alone: what comes last says that it is done.
        let rows = change!(self, "strikes", conn => add.load::<StrikeRow>(conn))?;
        let row = rows.into_iter().next();
        row.ok_or_else(|| StoreError::Unavailable("a strike gave no row".into()))?.try_into()
    }

    async fn clear_strikes(&mut self, keys: &[ThrottleKey]) -> Result<u64, StoreError> {
        let counted = diesel::alias!(strikes as counted);
        let meant = counted
            .filter(counted.field(strikes::key).eq_any(bytes(keys)))
            .order(counted.field(strikes::key))
            .select(counted.field(strikes::key));
        let delete = diesel::delete(
            strikes::table.filter(strikes::key.eq_any(in_turn!(meant, diesel::sql_types::Binary))),
        );
        let count = change!(self, "strikes", conn => delete.execute(conn))?;
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }

    async fn delete_strikes(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let old = diesel::alias!(strikes as old);
        let over = old
            .filter(old.field(strikes::expires_at).lt(Time(before)))
            .order(old.field(strikes::expires_at))
            .limit(i64::from(limit))
            .select(old.field(strikes::key));
        // What is counted on meanwhile stays.
        let still = strikes::key
            .eq_any(unclaimed!(over, diesel::sql_types::Binary))
            .and(strikes::expires_at.lt(Time(before)));
        let delete = diesel::delete(strikes::table.filter(still));
        let count = change!(self, "strikes", conn => delete.execute(conn))?;
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }
}

/// The keys as they are stored.
fn bytes(keys: &[ThrottleKey]) -> Vec<&[u8]> {
    keys.iter().map(|key| key.0.as_slice()).collect()
}
