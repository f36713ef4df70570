//! The port of the outbox.

use async_trait::async_trait;
use gateward_domain::email::{EmailState, OutboxEmail};
use gateward_domain::ports::{OutboxCounts, OutboxFilter, OutboxRepo, StoreError};
use gateward_domain::{EmailId, LinkId, Timestamp, UserId};
use redb::WriteTransaction;

use crate::rows::OutboxEmailRow;
use crate::tables::{
    EMAIL_SLOTS, EMAILS_DUE, View, claim, count_of, enter, insert, place_in_time, remove, table,
};
use crate::unit::RedbTx;

#[async_trait]
impl OutboxRepo for RedbTx {
    async fn insert_outbox_email(&mut self, message: &OutboxEmail) -> Result<bool, StoreError> {
        let message = message.clone();
        self.write(move |transaction| add(transaction, &message)).await
    }

    async fn lease_outbox_emails(
        &mut self,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<OutboxEmail>, StoreError> {
        let take = move |message: &mut OutboxEmail| {
            message.attempts += 1;
            message.next_attempt_at = lease_until;
            true
        };
        self.write(move |transaction| {
            let due = ..=place_in_time(now, u128::MAX);
            let ids = View::Own(transaction).span(EMAILS_DUE, due, count_of(limit))?;
            let taken = ids.into_iter().filter_map(|id| match change(transaction, id, take) {
                // A corrupt row blocks no other email.
                Err(StoreError::Corrupt { .. }) => None,
                changed => changed.transpose(),
            });
            taken.collect()
        })
        .await
    }

    async fn set_outbox_email_link(
        &mut self,
        id: EmailId,
        link: LinkId,
        user_id: Option<UserId>,
    ) -> Result<bool, StoreError> {
        self.change_email(id, move |message| {
            message.link_id = Some(link);
            message.user_id = user_id;
            waits(message)
        })
        .await
    }

    async fn finish_outbox_email(
        &mut self,
        id: EmailId,
        state: EmailState,
        failure: Option<String>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.change_email(id, move |message| {
            let did_wait = waits(message);
            message.state = state;
            message.finished_at = Some(now);
            message.failure = failure;
            did_wait
        })
        .await
    }

    async fn postpone_outbox_email(
        &mut self,
        id: EmailId,
        attempts: u32,
        next_attempt_at: Timestamp,
        failure: &str,
    ) -> Result<bool, StoreError> {
        let failure = failure.to_owned();
        self.change_email(id, move |message| {
            message.next_attempt_at = next_attempt_at;
            message.failure = Some(failure);
            waits(message) && message.attempts == attempts
        })
        .await
    }

    async fn retry_outbox_email(
        &mut self,
        id: EmailId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.change_email(id, move |message| {
            let was_dead = is_failed(message);
            message.state = EmailState::Waiting;
            (message.scheduled_at, message.next_attempt_at) = (now, now);
            message.attempts = 0;
            message.finished_at = None;
            message.failure = None;
            was_dead
        })
        .await
    }

    async fn find_outbox_email(&mut self, id: EmailId) -> Result<Option<OutboxEmail>, StoreError> {
        self.read(move |view| view.find::<OutboxEmailRow>(key(id))).await
    }

    /// Scans the table, newest first, until it has enough.
    async fn list_outbox_emails(
        &mut self,
        filter: OutboxFilter,
        limit: u32,
    ) -> Result<Vec<OutboxEmail>, StoreError> {
        let wanted = move |message: &OutboxEmail| {
            filter.state.is_none_or(|state| message.state == state)
                && filter.user_id.is_none_or(|user_id| message.user_id == Some(user_id))
                && filter.before.is_none_or(|before| message.id < before)
        };
        self.read(move |view| view.newest::<OutboxEmailRow>(count_of(limit), wanted)).await
    }

    /// Scans the whole table. Few emails wait or have failed at a time.
    async fn count_outbox_emails(&mut self) -> Result<OutboxCounts, StoreError> {
        self.read(|view| {
            let is_counted = |message: &OutboxEmail| waits(message) || is_failed(message);
            let outbox_emails = view.newest::<OutboxEmailRow>(usize::MAX, is_counted)?;
            let waiting: Vec<_> = outbox_emails.iter().filter(|message| waits(message)).collect();
            Ok(OutboxCounts {
                waiting: waiting.len() as u64,
                failed: (outbox_emails.len() - waiting.len()) as u64,
                oldest_scheduled_at: waiting.iter().map(|message| message.scheduled_at).min(),
            })
        })
        .await
    }

    /// Scans the table until it has enough.
    async fn delete_outbox_emails(
        &mut self,
        state: EmailState,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let has_ended = move |message: &OutboxEmail| {
            message.state == state && message.finished_at.is_some_and(|at| at < before)
        };
        self.write(move |transaction| {
            let view = View::Own(transaction);
            let mut count = 0;
            for message in view.newest::<OutboxEmailRow>(count_of(limit), has_ended)? {
                forget(transaction, &message)?;
                count += 1;
            }
            Ok(count)
        })
        .await
    }
}

impl RedbTx {
    /// Changes an email if it exists and `work` agrees. Returns whether it was changed.
    async fn change_email(
        &mut self,
        id: EmailId,
        work: impl FnOnce(&mut OutboxEmail) -> bool + Send + 'static,
    ) -> Result<bool, StoreError> {
        self.write(move |transaction| Ok(change(transaction, key(id), work)?.is_some())).await
    }
}

const fn key(id: EmailId) -> u128 {
    id.uuid().as_u128()
}

fn waits(message: &OutboxEmail) -> bool {
    message.state == EmailState::Waiting
}

fn is_failed(message: &OutboxEmail) -> bool {
    message.state == EmailState::Failed
}

/// Inserts an email and its index entries, if its slot is free.
fn add(transaction: &WriteTransaction, message: &OutboxEmail) -> Result<bool, StoreError> {
    let id = key(message.id);
    if let Some(slot) = &message.slot
        && !claim(transaction, EMAIL_SLOTS, slot, id)?
    {
        return Ok(false);
    }
    if waits(message) {
        enter(transaction, EMAILS_DUE, place_in_time(message.next_attempt_at, id))?;
    }
    insert::<OutboxEmailRow>(transaction, id, message)?;
    Ok(true)
}

/// Deletes an email and its index entries.
fn forget(transaction: &WriteTransaction, message: &OutboxEmail) -> Result<(), StoreError> {
    let id = key(message.id);
    if let Some(slot) = &message.slot {
        remove(transaction, EMAIL_SLOTS, slot)?;
    }
    remove(transaction, EMAILS_DUE, place_in_time(message.next_attempt_at, id))?;
    remove(transaction, table::<OutboxEmailRow>(), id)
}

/// Changes an email if it exists and `work` agrees. Returns the changed email.
fn change(
    transaction: &WriteTransaction,
    id: u128,
    work: impl FnOnce(&mut OutboxEmail) -> bool,
) -> Result<Option<OutboxEmail>, StoreError> {
    let Some(before) = View::Own(transaction).find::<OutboxEmailRow>(id)? else { return Ok(None) };
    let mut message = before.clone();
    if !work(&mut message) {
        return Ok(None);
    }
    // Its index entries change too, so it is removed and inserted again.
    forget(transaction, &before)?;
    add(transaction, &message)?;
    Ok(Some(message))
}
