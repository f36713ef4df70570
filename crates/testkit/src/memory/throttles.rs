//! What a [`MemoryStore`](super::MemoryStore) does with counts of wrong secrets.

use async_trait::async_trait;
use gateward_domain::Timestamp;
use gateward_domain::ports::{StoreError, ThrottleRepo};
use gateward_domain::throttle::{Strike, Strikes, ThrottleKey};

use super::MemoryTx;
use super::state::{State, remove_where};

#[async_trait]
impl ThrottleRepo for MemoryTx {
    async fn find_strikes(&mut self, keys: &[ThrottleKey]) -> Result<Vec<Strikes>, StoreError> {
        let is_asked = |strikes: &&Strikes| keys.contains(&strikes.key);
        Ok(self.read(|state| state.strikes.iter().filter(is_asked).copied().collect()))
    }

    async fn add_strike(&mut self, strike: &Strike) -> Result<Strikes, StoreError> {
        self.write(|state| Ok(state.add_strike(strike))).await
    }

    async fn clear_strikes(&mut self, keys: &[ThrottleKey]) -> Result<u64, StoreError> {
        let is_meant = |strikes: &Strikes| keys.contains(&strikes.key);
        self.write(|state| Ok(remove_where(&mut state.strikes, u32::MAX, is_meant))).await
    }

    async fn delete_strikes(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let is_over = move |strikes: &Strikes| strikes.expires_at < before;
        self.write(|state| Ok(remove_where(&mut state.strikes, limit, is_over))).await
    }
}

impl State {
    fn add_strike(&mut self, strike: &Strike) -> Strikes {
        let Strike { key, at, expires_at, renews } = *strike;
        let first = Strikes { key, count: 1, last_at: at, expires_at };
        let Some(strikes) = self.strikes.iter_mut().find(|strikes| strikes.key == key) else {
            self.strikes.push(first);
            return first;
        };
        *strikes = if strikes.expires_at <= at {
            first
        } else {
            let expires_at = if renews { expires_at } else { strikes.expires_at };
            Strikes { count: strikes.count + 1, expires_at, ..first }
        };
        *strikes
    }
}
