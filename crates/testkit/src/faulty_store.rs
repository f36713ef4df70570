//! `FaultyStore`: an in-memory store that fails on demand.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use gateward_domain::ports::{Access, FeedWatch, Store, StoreError, Tx};

use crate::MemoryStore;

/// How a [`FaultyStore`] fails.
///
/// The texts contain `canary`, so that a test can assert that no response and no log repeats them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFault {
    /// [`StoreError::Unavailable`].
    Unavailable,
    /// [`StoreError::Busy`].
    Busy,
    /// A panic.
    Panic,
}

/// An in-memory store that counts its transactions, and fails on demand.
///
/// Clones share the same data, count and fault.
#[derive(Clone, Debug, Default)]
pub struct FaultyStore {
    memory: MemoryStore,
    transactions: Arc<AtomicU32>,
    fault: Arc<Mutex<Option<StoreFault>>>,
}

impl FaultyStore {
    /// Creates an empty store that works.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the store behind it, which works and counts nothing.
    #[must_use]
    pub const fn memory(&self) -> &MemoryStore {
        &self.memory
    }

    /// Returns the number of started transactions, including those that failed.
    #[must_use]
    pub fn transactions(&self) -> u32 {
        self.transactions.load(Ordering::Relaxed)
    }

    /// Makes every transaction fail like this from now on, or work.
    pub fn set_fault(&self, fault: Option<StoreFault>) {
        *self.fault.lock().unwrap() = fault;
    }
}

#[async_trait]
impl Store for FaultyStore {
    async fn begin(&self, access: Access) -> Result<Box<dyn Tx>, StoreError> {
        self.transactions.fetch_add(1, Ordering::Relaxed);
        let fault = *self.fault.lock().unwrap();
        match fault {
            None => self.memory.begin(access).await,
            Some(StoreFault::Unavailable) => {
                Err(StoreError::Unavailable("canary: the store fails".into()))
            }
            Some(StoreFault::Busy) => Err(StoreError::Busy),
            Some(StoreFault::Panic) => panic!("canary: the store panics"),
        }
    }

    async fn watch_feed(&self) -> Result<Box<dyn FeedWatch>, StoreError> {
        self.memory.watch_feed().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_faulty_store_works_once_its_fault_is_removed() {
        let store = FaultyStore::new();
        assert!(store.begin(Access::Read).await.is_ok());
        store.set_fault(Some(StoreFault::Unavailable));
        let failed = store.clone().begin(Access::Read).await;
        assert!(matches!(failed, Err(StoreError::Unavailable(_))));
        store.set_fault(Some(StoreFault::Busy));
        assert!(matches!(store.begin(Access::Read).await, Err(StoreError::Busy)));
        store.set_fault(Some(StoreFault::Panic));
        let panics = store.clone();
        assert!(tokio::spawn(async move { panics.begin(Access::Read).await }).await.is_err());
        assert!(store.memory().begin(Access::Read).await.is_ok());
        store.set_fault(None);
        assert!(store.begin(Access::Read).await.is_ok());
        assert_eq!(store.transactions(), 5);
    }
}
