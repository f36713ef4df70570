//! Sweeping: what no longer matters is deleted, a little at a time.

use gateward_domain::ports::{Access, StoreError};

use crate::App;

/// How many rows one statement deletes: few enough to hold no lock for long.
const BATCH: u32 = 500;

/// How many batches one sweep makes at most, so that it ends; the next one goes on.
const BATCHES_MAX: u32 = 100;

/// For how many seconds a session is kept after its longest life, so that clocks that differ and
/// tokens shown late still find their reason.
const KEEP_SECONDS: i64 = 3600;

impl App {
    /// Deletes sessions whose longest life is over; gives how many.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn sweep(&self) -> Result<u64, StoreError> {
        let before = self.now().minus_seconds(KEEP_SECONDS);
        let mut total = 0;
        for _ in 0..BATCHES_MAX {
            let mut tx = self.ports.store.begin(Access::SingleWrite).await?;
            let deleted = tx.delete_sessions(before, BATCH).await?;
            tx.commit().await?;
            total += deleted;
            if deleted < u64::from(BATCH) {
                break;
            }
        }
        Ok(total)
    }
}
