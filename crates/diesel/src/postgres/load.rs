//! `PoolLoad`: how much the connections to a server have to do.

use super::PostgresStore;

/// How much the connections to a server have to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolLoad {
    /// The most connections there may be.
    pub size: usize,
    /// Connections that units of work hold.
    pub in_use: usize,
    /// Units of work that wait for a connection.
    pub waiting: usize,
}

impl PostgresStore {
    /// How much there is to do, for the metrics.
    #[must_use]
    pub fn load(&self) -> PoolLoad {
        let status = self.pool.status();
        let in_use = status.size.saturating_sub(status.available);
        PoolLoad { size: status.max_size, in_use, waiting: status.waiting }
    }
}
