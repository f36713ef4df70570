//! The port of the counts of wrong secrets.

use async_trait::async_trait;
use gateward_domain::Timestamp;
use gateward_domain::ports::{StoreError, ThrottleRepo};
use gateward_domain::throttle::{Strike, Strikes, ThrottleKey};
use redb::WriteTransaction;

use crate::rows::StrikesRow;
use crate::tables::{View, count_of, insert, remove, table};
use crate::unit::RedbTx;

#[async_trait]
impl ThrottleRepo for RedbTx {
    async fn find_strikes(&mut self, keys: &[ThrottleKey]) -> Result<Vec<Strikes>, StoreError> {
        let keys = keys.to_vec();
        self.read(move |view| find_all(view, &keys)).await
    }

    async fn add_strike(&mut self, strike: &Strike) -> Result<Strikes, StoreError> {
        let strike = *strike;
        self.write(move |transaction| add(transaction, strike)).await
    }

    async fn clear_strikes(&mut self, keys: &[ThrottleKey]) -> Result<u64, StoreError> {
        let keys = keys.to_vec();
        self.write(move |transaction| {
            let found = find_all(View::Own(transaction), &keys)?;
            forget_all(transaction, &found)
        })
        .await
    }

    /// Goes through all counts.
    async fn delete_strikes(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let is_over = move |strikes: &Strikes| strikes.expires_at < before;
        self.write(move |transaction| {
            let over = View::Own(transaction).newest::<StrikesRow>(count_of(limit), is_over)?;
            forget_all(transaction, &over)
        })
        .await
    }
}

fn find_all(view: View<'_>, keys: &[ThrottleKey]) -> Result<Vec<Strikes>, StoreError> {
    keys.iter().filter_map(|key| view.find::<StrikesRow>(&key.0).transpose()).collect()
}

fn add(transaction: &WriteTransaction, strike: Strike) -> Result<Strikes, StoreError> {
    let Strike { key, at, expires_at, renews } = strike;
    let before = View::Own(transaction).find::<StrikesRow>(&key.0)?;
    let counted = match before.filter(|before| before.expires_at > at) {
        Some(before) => {
            let expires_at = if renews { expires_at } else { before.expires_at };
            Strikes { key, count: before.count.saturating_add(1), last_at: at, expires_at }
        }
        None => Strikes { key, count: 1, last_at: at, expires_at },
    };
    remove(transaction, table::<StrikesRow>(), &key.0)?;
    insert::<StrikesRow>(transaction, &key.0, &counted)?;
    Ok(counted)
}

/// Deletes counts; gives how many.
fn forget_all(transaction: &WriteTransaction, counts: &[Strikes]) -> Result<u64, StoreError> {
    for strikes in counts {
        remove(transaction, table::<StrikesRow>(), &strikes.key.0)?;
    }
    Ok(counts.len() as u64)
}
