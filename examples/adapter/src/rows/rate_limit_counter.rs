//! The row of a rate-limit counter.

use gateward_domain::Timestamp;
use gateward_domain::rate_limit::{AttemptCounter, RateLimitKey};
use serde::{Deserialize, Serialize};

use super::Row;

/// The row of a counter.
#[derive(Serialize, Deserialize)]
pub struct AttemptCounterRow {
    key: [u8; 32],
    count: u32,
    last_at: i64,
    expires_at: i64,
}

impl Row for AttemptCounterRow {
    type Noun = AttemptCounter;
    type Key = &'static [u8; 32];
    const TABLE: &'static str = "rate limits";

    fn of(rate_limit_counters: &AttemptCounter) -> Self {
        Self {
            key: rate_limit_counters.key.0,
            count: rate_limit_counters.count,
            last_at: rate_limit_counters.last_at.micros(),
            expires_at: rate_limit_counters.expires_at.micros(),
        }
    }

    fn into_noun(self) -> Result<AttemptCounter, &'static str> {
        Ok(AttemptCounter {
            key: RateLimitKey(self.key),
            count: self.count,
            last_at: Timestamp::from_micros(self.last_at),
            expires_at: Timestamp::from_micros(self.expires_at),
        })
    }
}
