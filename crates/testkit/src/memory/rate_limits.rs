//! Rate-limit counters in a [`MemoryStore`](super::MemoryStore).

use async_trait::async_trait;
use gateward_domain::Timestamp;
use gateward_domain::ports::{RateLimitRepo, StoreError};
use gateward_domain::rate_limit::{AttemptCounter, FailedAttempt, RateLimitKey};

use super::MemoryTx;
use super::state::{State, remove_where};

#[async_trait]
impl RateLimitRepo for MemoryTx {
    async fn find_attempt_counters(
        &mut self,
        keys: &[RateLimitKey],
    ) -> Result<Vec<AttemptCounter>, StoreError> {
        let is_asked =
            |rate_limit_counters: &&AttemptCounter| keys.contains(&rate_limit_counters.key);
        Ok(self.read(|state| state.rate_limit_counters.iter().filter(is_asked).copied().collect()))
    }

    async fn record_failed_attempt(
        &mut self,
        attempt: &FailedAttempt,
    ) -> Result<AttemptCounter, StoreError> {
        self.write(|state| Ok(state.record_failed_attempt(attempt))).await
    }

    async fn reset_attempt_counters(&mut self, keys: &[RateLimitKey]) -> Result<u64, StoreError> {
        let is_meant =
            |rate_limit_counters: &AttemptCounter| keys.contains(&rate_limit_counters.key);
        self.write(|state| Ok(remove_where(&mut state.rate_limit_counters, u32::MAX, is_meant)))
            .await
    }

    async fn delete_attempt_counters(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let has_ended =
            move |rate_limit_counters: &AttemptCounter| rate_limit_counters.expires_at < before;
        self.write(|state| Ok(remove_where(&mut state.rate_limit_counters, limit, has_ended))).await
    }
}

impl State {
    fn record_failed_attempt(&mut self, attempt: &FailedAttempt) -> AttemptCounter {
        let FailedAttempt { key, at, expires_at, renews } = *attempt;
        let first = AttemptCounter { key, count: 1, last_at: at, expires_at };
        let Some(rate_limit_counters) = self
            .rate_limit_counters
            .iter_mut()
            .find(|rate_limit_counters| rate_limit_counters.key == key)
        else {
            self.rate_limit_counters.push(first);
            return first;
        };
        *rate_limit_counters = if rate_limit_counters.expires_at <= at {
            first
        } else {
            let expires_at = if renews { expires_at } else { rate_limit_counters.expires_at };
            AttemptCounter { count: rate_limit_counters.count + 1, expires_at, ..first }
        };
        *rate_limit_counters
    }
}
