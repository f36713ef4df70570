//! `RateLimitRepo`: the counters of failed attempts.

use async_trait::async_trait;
use diesel::dsl::case_when;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use gateward_domain::Timestamp;
use gateward_domain::ports::{RateLimitRepo, StoreError};
use gateward_domain::rate_limit::{AttemptCounter, FailedAttempt, RateLimitKey};

use super::super::Tx;
use super::super::columns::{Time, sql};
use super::super::rows::AttemptCounterRow;
use super::super::schema::rate_limit_counters;

#[async_trait]
impl RateLimitRepo for Tx {
    async fn find_attempt_counters(
        &mut self,
        keys: &[RateLimitKey],
    ) -> Result<Vec<AttemptCounter>, StoreError> {
        let rows = read!(self, "rate_limit_counters", conn => rate_limit_counters::table
            .filter(rate_limit_counters::key.eq_any(bytes(keys)))
            .load::<AttemptCounterRow>(conn))?;
        rows.into_iter().map(AttemptCounter::try_from).collect()
    }

    async fn record_failed_attempt(
        &mut self,
        attempt: &FailedAttempt,
    ) -> Result<AttemptCounter, StoreError> {
        let has_ended = || rate_limit_counters::expires_at.le(Time(attempt.at));
        let count = case_when::<_, _, BigInt>(has_ended(), 1_i64.into_sql::<BigInt>())
            .otherwise(rate_limit_counters::count + 1);
        let moves = has_ended().or(attempt.renews.into_sql::<Bool>());
        let expires_at =
            case_when::<_, _, sql::Moment>(moves, excluded(rate_limit_counters::expires_at))
                .otherwise(rate_limit_counters::expires_at);
        let add = diesel::insert_into(rate_limit_counters::table)
            .values(AttemptCounterRow::from(attempt))
            .on_conflict(rate_limit_counters::key)
            .do_update()
            .set((
                rate_limit_counters::count.eq(count),
                rate_limit_counters::last_at.eq(excluded(rate_limit_counters::last_at)),
                rate_limit_counters::expires_at.eq(expires_at),
            ))
            .returning(rate_limit_counters::all_columns);
        // Reads the whole response, not only the first row: the end of the response confirms the
        // commit.
        let rows =
            change!(self, "rate_limit_counters", conn => add.load::<AttemptCounterRow>(conn))?;
        let row = rows.into_iter().next();
        row.ok_or_else(|| StoreError::Unavailable("a failed attempt gave no row".into()))?
            .try_into()
    }

    async fn reset_attempt_counters(&mut self, keys: &[RateLimitKey]) -> Result<u64, StoreError> {
        let counted = diesel::alias!(rate_limit_counters as counted);
        let meant = counted
            .filter(counted.field(rate_limit_counters::key).eq_any(bytes(keys)))
            .order(counted.field(rate_limit_counters::key))
            .select(counted.field(rate_limit_counters::key));
        let delete =
            diesel::delete(rate_limit_counters::table.filter(
                rate_limit_counters::key.eq_any(in_turn!(meant, diesel::sql_types::Binary)),
            ));
        let count = change!(self, "rate_limit_counters", conn => delete.execute(conn))?;
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }

    async fn delete_attempt_counters(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let old = diesel::alias!(rate_limit_counters as old);
        let over = old
            .filter(old.field(rate_limit_counters::expires_at).lt(Time(before)))
            .order(old.field(rate_limit_counters::expires_at))
            .limit(i64::from(limit))
            .select(old.field(rate_limit_counters::key));
        // A counter that is incremented meanwhile is kept.
        let still = rate_limit_counters::key
            .eq_any(unclaimed!(over, diesel::sql_types::Binary))
            .and(rate_limit_counters::expires_at.lt(Time(before)));
        let delete = diesel::delete(rate_limit_counters::table.filter(still));
        let count = change!(self, "rate_limit_counters", conn => delete.execute(conn))?;
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }
}

/// Returns the keys as they are stored.
fn bytes(keys: &[RateLimitKey]) -> Vec<&[u8]> {
    keys.iter().map(|key| key.0.as_slice()).collect()
}
