//! The rows of `rate_limit_counters`.

use diesel::prelude::{Insertable, Queryable};
use gateward_domain::ports::StoreError;
use gateward_domain::rate_limit::{AttemptCounter, FailedAttempt, RateLimitKey};

use super::super::columns::Time;
use super::super::schema::rate_limit_counters;
use super::{bytes_32, count};

/// A row of `rate_limit_counters`.
#[derive(Queryable, Insertable)]
#[diesel(table_name = rate_limit_counters)]
pub struct AttemptCounterRow {
    key: Vec<u8>,
    count: i64,
    last_at: Time,
    expires_at: Time,
}

impl From<&FailedAttempt> for AttemptCounterRow {
    /// Returns the row of a first attempt.
    fn from(attempt: &FailedAttempt) -> Self {
        Self {
            key: attempt.key.0.to_vec(),
            count: 1,
            last_at: Time(attempt.at),
            expires_at: Time(attempt.expires_at),
        }
    }
}

impl TryFrom<AttemptCounterRow> for AttemptCounter {
    type Error = StoreError;

    fn try_from(row: AttemptCounterRow) -> Result<Self, StoreError> {
        Ok(Self {
            key: RateLimitKey(bytes_32(&row.key, "rate_limit_counters", "key")?),
            count: count(row.count, "rate_limit_counters", "count")?,
            last_at: row.last_at.0,
            expires_at: row.expires_at.0,
        })
    }
}
