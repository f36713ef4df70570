//! Operator access to the outbox.

use gateward_domain::email::{EmailState, OutboxEmail};
use gateward_domain::ports::{Access, OutboxCounts, OutboxFilter, StoreError};
use gateward_domain::{EmailId, Timestamp};

use crate::App;

/// Number of emails read at once when all emails of a state are processed.
const PAGE: u32 = 500;

impl App {
    /// Returns the number of emails by state.
    pub async fn count_outbox_emails(&self) -> Result<OutboxCounts, StoreError> {
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let counts = tx.count_outbox_emails().await?;
        tx.commit().await?;
        Ok(counts)
    }

    /// Returns at most `limit` emails, newest first.
    pub async fn list_outbox_emails(
        &self,
        filter: OutboxFilter,
        limit: u32,
    ) -> Result<Vec<OutboxEmail>, StoreError> {
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let emails = tx.list_outbox_emails(filter, limit).await?;
        tx.commit().await?;
        Ok(emails)
    }

    /// Returns one email.
    pub async fn find_outbox_email(&self, id: EmailId) -> Result<Option<OutboxEmail>, StoreError> {
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let message = tx.find_outbox_email(id).await?;
        tx.commit().await?;
        Ok(message)
    }

    /// Queues a failed email again. Returns `false` if it was not failed.
    pub async fn retry_outbox_email(&self, id: EmailId) -> Result<bool, StoreError> {
        self.retry_email_at(id, self.now()).await
    }

    async fn retry_email_at(&self, id: EmailId, now: Timestamp) -> Result<bool, StoreError> {
        let mut tx = self.ports.store.begin(Access::SingleWrite).await?;
        let retried = tx.retry_outbox_email(id, now).await?;
        tx.commit().await?;
        Ok(retried)
    }

    /// Queues every failed email again, and returns their number.
    pub async fn retry_failed_emails(&self) -> Result<u64, StoreError> {
        let now = self.now();
        let mut filter =
            OutboxFilter { state: Some(EmailState::Failed), ..OutboxFilter::default() };
        let mut count = 0;
        loop {
            let emails = self.list_outbox_emails(filter, PAGE).await?;
            for message in &emails {
                count += u64::from(self.retry_email_at(message.id, now).await?);
            }
            filter.before = emails.last().map(|message| message.id);
            if emails.is_empty() {
                return Ok(count);
            }
        }
    }
}
