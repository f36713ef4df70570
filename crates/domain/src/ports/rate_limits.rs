//! `RateLimitRepo`: the counters of failed attempts, shared by all nodes.

use async_trait::async_trait;

use super::StoreError;
use crate::Timestamp;
use crate::rate_limit::{AttemptCounter, FailedAttempt, RateLimitKey};

/// Counters of failed attempts. A successful attempt writes nothing.
#[async_trait]
pub trait RateLimitRepo: Send {
    /// Returns the counters of these keys, in any order. The result may contain expired ones.
    async fn find_attempt_counters(
        &mut self,
        keys: &[RateLimitKey],
    ) -> Result<Vec<AttemptCounter>, StoreError>;

    /// Counts one more attempt and returns the new counter. If the counter has expired, it restarts
    /// at one. Otherwise its expiry moves to the attempt's if the attempt renews, and stays if it
    /// does not. Concurrent callers are all counted.
    async fn record_failed_attempt(
        &mut self,
        attempt: &FailedAttempt,
    ) -> Result<AttemptCounter, StoreError>;

    /// Deletes the counters of these keys and returns their number.
    async fn reset_attempt_counters(&mut self, keys: &[RateLimitKey]) -> Result<u64, StoreError>;

    /// Deletes at most `limit` counters that expired before `before`.
    async fn delete_attempt_counters(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError>;
}
