//! `OutboxRepo`: the queue of emails.

use async_trait::async_trait;

use super::StoreError;
use crate::email::{EmailState, OutboxEmail};
use crate::{EmailId, LinkId, Timestamp, UserId};

/// Selects emails for a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxFilter {
    /// Emails in this state.
    pub state: Option<EmailState>,
    /// Emails about this account.
    pub user_id: Option<UserId>,
    /// Emails created before this one.
    pub before: Option<EmailId>,
}

/// Number of emails by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxCounts {
    /// Number of waiting emails.
    pub waiting: u64,
    /// Number of failed emails.
    pub failed: u64,
    /// Scheduled time of the email that has waited longest, UTC.
    pub oldest_scheduled_at: Option<Timestamp>,
}

/// The emails, written in the transaction of the change they report.
#[async_trait]
pub trait OutboxRepo: Send {
    /// Inserts an email if its slot is free. Returns `false` if another email has the slot.
    async fn insert_outbox_email(&mut self, message: &OutboxEmail) -> Result<bool, StoreError>;

    /// Leases at most `limit` waiting emails that are due at `now`, earliest first: counts the
    /// attempt and makes them due again at `lease_until`, when another worker may take them if this
    /// one does not finish.
    ///
    /// Of concurrent workers, exactly one leases an email. An email that cannot be parsed is
    /// skipped, so that it does not block the others.
    async fn lease_outbox_emails(
        &mut self,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<OutboxEmail>, StoreError>;

    /// Stores the link that a waiting email carries, and the account that it is about, if any.
    /// Returns `false` if the email no longer waits.
    async fn set_outbox_email_link(
        &mut self,
        id: EmailId,
        link: LinkId,
        user_id: Option<UserId>,
    ) -> Result<bool, StoreError>;

    /// Sets the final state of an email. Returns `false` if the email no longer waits.
    async fn finish_outbox_email(
        &mut self,
        id: EmailId,
        state: EmailState,
        failure: Option<String>,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Postpones a waiting email that was leased `attempts` times. A worker whose lease has expired
    /// changes nothing.
    async fn postpone_outbox_email(
        &mut self,
        id: EmailId,
        attempts: u32,
        next_attempt_at: Timestamp,
        failure: &str,
    ) -> Result<bool, StoreError>;

    /// Queues a failed email again: due and scheduled at `now`, without attempts and without a
    /// failure.
    async fn retry_outbox_email(&mut self, id: EmailId, now: Timestamp)
    -> Result<bool, StoreError>;

    /// Returns the email with this identifier.
    async fn find_outbox_email(&mut self, id: EmailId) -> Result<Option<OutboxEmail>, StoreError>;

    /// Returns at most `limit` emails, newest first.
    async fn list_outbox_emails(
        &mut self,
        filter: OutboxFilter,
        limit: u32,
    ) -> Result<Vec<OutboxEmail>, StoreError>;

    /// Returns the number of emails by state.
    async fn count_outbox_emails(&mut self) -> Result<OutboxCounts, StoreError>;

    /// Deletes at most `limit` emails in this state that finished before `before`.
    async fn delete_outbox_emails(
        &mut self,
        state: EmailState,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError>;
}
