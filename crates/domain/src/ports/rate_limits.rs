//! `RateLimitRepo`: how many wrong secrets were given, shared by all nodes.

use async_trait::async_trait;

use super::StoreError;
use crate::Timestamp;
use crate::rate_limit::{AttemptCounter, FailedAttempt, RateLimitKey};

/// How many wrong secrets were given. Nothing is written where nothing went wrong.
#[async_trait]
pub trait RateLimitRepo: Send {
    /// What is counted under these keys, in any order; what is past its time may be among it.
    async fn find_attempt_counters(
        &mut self,
        keys: &[RateLimitKey],
    ) -> Result<Vec<AttemptCounter>, StoreError>;

    /// Counts one more, and gives what is counted then. Where those before are past their time it
    /// is the first one again. Where they are not, their time moves on to the failed attempt's if
    /// it renews, and stays otherwise. Callers that race are all counted.
    async fn record_failed_attempt(
        &mut self,
        attempt: &FailedAttempt,
    ) -> Result<AttemptCounter, StoreError>;

    /// Forgets what is counted under these keys; gives under how many.
    async fn reset_attempt_counters(&mut self, keys: &[RateLimitKey]) -> Result<u64, StoreError>;

    /// Deletes at most `limit` counts whose time was over before `before`.
    async fn delete_attempt_counters(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError>;
}
