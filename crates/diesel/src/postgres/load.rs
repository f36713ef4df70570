//! `PoolLoad`: the load of the connection pool.

use super::PostgresStore;

/// The load of the connection pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolLoad {
    /// Maximum number of connections.
    pub size: usize,
    /// Number of connections in use by units of work.
    pub in_use: usize,
    /// Number of units of work waiting for a connection.
    pub waiting: usize,
}

impl PostgresStore {
    /// Returns the load, for the metrics.
    #[must_use]
    pub fn load(&self) -> PoolLoad {
        let status = self.pool.status();
        let in_use = status.size.saturating_sub(status.available);
        PoolLoad { size: status.max_size, in_use, waiting: status.waiting }
    }
}

#[cfg(test)]
mod tests {
    use gateward_domain::ports::{Access, Store};

    use super::*;
    use crate::testing::{PostgresDatabase, comes_true};

    #[tokio::test(flavor = "multi_thread")]
    async fn connections_in_use_and_whoever_waits_for_one_are_counted() {
        let database = PostgresDatabase::empty().await;
        let store = PostgresStore::open(&database.url, 1).unwrap();
        assert_eq!(store.load(), PoolLoad { size: 1, in_use: 0, waiting: 0 });
        let tx = store.begin(Access::Write).await.unwrap();
        assert_eq!(store.load(), PoolLoad { size: 1, in_use: 1, waiting: 0 });
        let other = store.clone();
        let waiting = tokio::spawn(async move { other.begin(Access::Write).await.map(drop) });
        assert!(comes_true(async || store.load().waiting == 1).await);
        drop(tx);
        waiting.await.unwrap().unwrap();
        let idle = PoolLoad { size: 1, in_use: 0, waiting: 0 };
        assert!(comes_true(async || store.load() == idle).await);
    }
}
