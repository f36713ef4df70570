//! `ThrottleRepo`: how many wrong secrets were given, shared by all nodes.

use async_trait::async_trait;

use super::StoreError;
use crate::Timestamp;
use crate::throttle::{Strike, Strikes, ThrottleKey};

/// How many wrong secrets were given. Nothing is written where nothing went wrong.
#[async_trait]
pub trait ThrottleRepo: Send {
    /// What is counted under these keys, in any order; what is past its time may be among it.
    async fn find_strikes(&mut self, keys: &[ThrottleKey]) -> Result<Vec<Strikes>, StoreError>;

    /// Counts one more, and gives what is counted then. Where those before are past their time it is
    /// the first one again. Where they are not, their time moves on to the strike's if it renews, and
    /// stays otherwise. Callers that race are all counted.
    async fn add_strike(&mut self, strike: &Strike) -> Result<Strikes, StoreError>;

    /// Forgets what is counted under these keys; gives under how many.
    async fn clear_strikes(&mut self, keys: &[ThrottleKey]) -> Result<u64, StoreError>;

    /// Deletes at most `limit` counts whose time was over before `before`.
    async fn delete_strikes(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}
