//! What an operator sees of the outbox, and does about it.

use gateward_domain::mail::{LetterState, QueuedLetter};
use gateward_domain::ports::{Access, LetterFilter, OutboxCounts, StoreError};
use gateward_domain::{LetterId, Timestamp};

use crate::App;

/// How many letters are read at once where all of a kind are gone through.
const PAGE: u32 = 500;

impl App {
    /// How many letters are where.
    pub async fn count_letters(&self) -> Result<OutboxCounts, StoreError> {
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let counts = tx.count_letters().await?;
        tx.commit().await?;
        Ok(counts)
    }

    /// Letters, the newest first, at most `limit`.
    pub async fn list_letters(
        &self,
        filter: LetterFilter,
        limit: u32,
    ) -> Result<Vec<QueuedLetter>, StoreError> {
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let letters = tx.list_letters(filter, limit).await?;
        tx.commit().await?;
        Ok(letters)
    }

    /// One letter.
    pub async fn find_letter(&self, id: LetterId) -> Result<Option<QueuedLetter>, StoreError> {
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let letter = tx.find_letter(id).await?;
        tx.commit().await?;
        Ok(letter)
    }

    /// Has a letter tried again that was given up; `false` if it was not.
    pub async fn retry_letter(&self, id: LetterId) -> Result<bool, StoreError> {
        self.retry_letter_at(id, self.now()).await
    }

    async fn retry_letter_at(&self, id: LetterId, now: Timestamp) -> Result<bool, StoreError> {
        let mut tx = self.ports.store.begin(Access::SingleWrite).await?;
        let retried = tx.retry_letter(id, now).await?;
        tx.commit().await?;
        Ok(retried)
    }

    /// Has every letter tried again that was given up; gives how many.
    pub async fn retry_dead_letters(&self) -> Result<u64, StoreError> {
        let now = self.now();
        let mut filter = LetterFilter { state: Some(LetterState::Dead), ..LetterFilter::default() };
        let mut count = 0;
        loop {
            let letters = self.list_letters(filter, PAGE).await?;
            for letter in &letters {
                count += u64::from(self.retry_letter_at(letter.id, now).await?);
            }
            filter.before = letters.last().map(|letter| letter.id);
            if letters.is_empty() {
                return Ok(count);
            }
        }
    }
}
