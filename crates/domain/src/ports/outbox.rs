//! `OutboxRepo`: emails that wait to be sent.

use async_trait::async_trait;

use super::StoreError;
use crate::email::{EmailState, OutboxEmail};
use crate::{EmailId, LinkId, Timestamp, UserId};

/// Which emails are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxFilter {
    /// Those in this state.
    pub state: Option<EmailState>,
    /// Those about this account.
    pub user_id: Option<UserId>,
    /// Those made before this one.
    pub before: Option<EmailId>,
}

/// How many emails are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxCounts {
    /// How many wait.
    pub waiting: u64,
    /// How many were given up.
    pub failed: u64,
    /// From when on the one was to be sent that waits longest.
    pub oldest_scheduled_at: Option<Timestamp>,
}

/// The emails, written in the transaction of the change that they tell of.
#[async_trait]
pub trait OutboxRepo: Send {
    /// Adds an email, if its slot is free; `false` if another email has it.
    async fn insert_outbox_email(&mut self, message: &OutboxEmail) -> Result<bool, StoreError>;

    /// Takes at most `limit` waiting emails that are due at `now`, those first that are due first:
    /// counts the attempt and makes them due again at `lease_until`, when another may take them if
    /// this worker is heard of no more.
    ///
    /// Of workers that race, one gets an email. One that cannot be read is left out, so that it
    /// keeps no other from being sent.
    async fn lease_outbox_emails(
        &mut self,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<OutboxEmail>, StoreError>;

    /// Notes which link a waiting email carries, and the account that it is about if it is about
    /// one; `false` if it waits no more.
    async fn set_outbox_email_link(
        &mut self,
        id: EmailId,
        link: LinkId,
        user_id: Option<UserId>,
    ) -> Result<bool, StoreError>;

    /// Ends the waiting of an email; `false` if it waits no more.
    async fn finish_outbox_email(
        &mut self,
        id: EmailId,
        state: EmailState,
        failure: Option<String>,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Makes a waiting email due at another time, if it was taken `attempts` times: a worker whose
    /// lease is over changes nothing.
    async fn postpone_outbox_email(
        &mut self,
        id: EmailId,
        attempts: u32,
        next_attempt_at: Timestamp,
        failure: &str,
    ) -> Result<bool, StoreError>;

    /// Makes an email wait again that was given up: due and planned `now`, never tried and with no
    /// failure.
    async fn retry_outbox_email(&mut self, id: EmailId, now: Timestamp)
    -> Result<bool, StoreError>;

    /// The email with this identifier.
    async fn find_outbox_email(&mut self, id: EmailId) -> Result<Option<OutboxEmail>, StoreError>;

    /// Emails, the newest first, at most `limit`.
    async fn list_outbox_emails(
        &mut self,
        filter: OutboxFilter,
        limit: u32,
    ) -> Result<Vec<OutboxEmail>, StoreError>;

    /// How many emails are where.
    async fn count_outbox_emails(&mut self) -> Result<OutboxCounts, StoreError>;

    /// Deletes at most `limit` emails in this state that stopped waiting before `before`.
    async fn delete_outbox_emails(
        &mut self,
        state: EmailState,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError>;
}
