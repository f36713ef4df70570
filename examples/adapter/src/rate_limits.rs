//! The port of the rate-limit counters.

use async_trait::async_trait;
use gateward_domain::Timestamp;
use gateward_domain::ports::{RateLimitRepo, StoreError};
use gateward_domain::rate_limit::{AttemptCounter, FailedAttempt, RateLimitKey};
use redb::WriteTransaction;

use crate::rows::AttemptCounterRow;
use crate::tables::{View, count_of, insert, remove, table};
use crate::unit::RedbTx;

#[async_trait]
impl RateLimitRepo for RedbTx {
    async fn find_attempt_counters(
        &mut self,
        keys: &[RateLimitKey],
    ) -> Result<Vec<AttemptCounter>, StoreError> {
        let keys = keys.to_vec();
        self.read(move |view| find_all(view, &keys)).await
    }

    async fn record_failed_attempt(
        &mut self,
        attempt: &FailedAttempt,
    ) -> Result<AttemptCounter, StoreError> {
        let attempt = *attempt;
        self.write(move |transaction| add(transaction, attempt)).await
    }

    async fn reset_attempt_counters(&mut self, keys: &[RateLimitKey]) -> Result<u64, StoreError> {
        let keys = keys.to_vec();
        self.write(move |transaction| {
            let found = find_all(View::Own(transaction), &keys)?;
            forget_all(transaction, &found)
        })
        .await
    }

    /// Scans all counters.
    async fn delete_attempt_counters(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let has_ended =
            move |rate_limit_counters: &AttemptCounter| rate_limit_counters.expires_at < before;
        self.write(move |transaction| {
            let over =
                View::Own(transaction).newest::<AttemptCounterRow>(count_of(limit), has_ended)?;
            forget_all(transaction, &over)
        })
        .await
    }
}

fn find_all(view: View<'_>, keys: &[RateLimitKey]) -> Result<Vec<AttemptCounter>, StoreError> {
    keys.iter().filter_map(|key| view.find::<AttemptCounterRow>(&key.0).transpose()).collect()
}

fn add(
    transaction: &WriteTransaction,
    attempt: FailedAttempt,
) -> Result<AttemptCounter, StoreError> {
    let FailedAttempt { key, at, expires_at, renews } = attempt;
    let before = View::Own(transaction).find::<AttemptCounterRow>(&key.0)?;
    let counted = match before.filter(|before| before.expires_at > at) {
        Some(before) => {
            let expires_at = if renews { expires_at } else { before.expires_at };
            AttemptCounter { key, count: before.count.saturating_add(1), last_at: at, expires_at }
        }
        None => AttemptCounter { key, count: 1, last_at: at, expires_at },
    };
    remove(transaction, table::<AttemptCounterRow>(), &key.0)?;
    insert::<AttemptCounterRow>(transaction, &key.0, &counted)?;
    Ok(counted)
}

/// Deletes counters. Returns their number.
fn forget_all(
    transaction: &WriteTransaction,
    counts: &[AttemptCounter],
) -> Result<u64, StoreError> {
    for rate_limit_counters in counts {
        remove(transaction, table::<AttemptCounterRow>(), &rate_limit_counters.key.0)?;
    }
    Ok(counts.len() as u64)
}
