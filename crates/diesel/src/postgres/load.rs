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
