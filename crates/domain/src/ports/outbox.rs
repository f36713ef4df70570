//! `Outbox`: letters that wait to be sent.

use async_trait::async_trait;

use super::StoreError;
use crate::mail::{LetterState, QueuedLetter};
use crate::{LetterId, LinkId, Timestamp, UserId};

/// Which letters are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LetterFilter {
    /// Those in this state.
    pub state: Option<LetterState>,
    /// Those about this account.
    pub user_id: Option<UserId>,
    /// Those made before this one.
    pub before: Option<LetterId>,
}

/// How many letters are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxCounts {
    /// How many wait.
    pub waiting: u64,
    /// How many were given up.
    pub dead: u64,
    /// From when on the one was to be sent that waits longest.
    pub oldest_planned_at: Option<Timestamp>,
}

/// The letters, written in the transaction of the change that they tell of.
#[async_trait]
pub trait Outbox: Send {
    /// Adds a letter, if its slot is free; `false` if another letter has it.
    async fn insert_letter(&mut self, letter: &QueuedLetter) -> Result<bool, StoreError>;

    /// Takes at most `limit` waiting letters that are due at `now`, those first that are due first:
    /// counts the attempt and makes them due again at `lease_until`, when another may take them if
    /// this worker is heard of no more.
    ///
    /// Of workers that race, one gets a letter. One that cannot be read is left out, so that it
    /// keeps no other from being sent.
    async fn take_letters(
        &mut self,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<QueuedLetter>, StoreError>;

    /// Notes which link a waiting letter carries, and the account that it is about if it is about
    /// one; `false` if it waits no more.
    async fn set_letter_link(
        &mut self,
        id: LetterId,
        link: LinkId,
        user_id: Option<UserId>,
    ) -> Result<bool, StoreError>;

    /// Ends the waiting of a letter; `false` if it waits no more.
    async fn finish_letter(
        &mut self,
        id: LetterId,
        state: LetterState,
        failure: Option<String>,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Makes a waiting letter due at another time, if it was taken `attempts` times: a worker whose
    /// lease is over changes nothing.
    async fn postpone_letter(
        &mut self,
        id: LetterId,
        attempts: u32,
        due_at: Timestamp,
        failure: &str,
    ) -> Result<bool, StoreError>;

    /// Makes a letter wait again that was given up: due and planned `now`, never tried and with no
    /// failure.
    async fn retry_letter(&mut self, id: LetterId, now: Timestamp) -> Result<bool, StoreError>;

    /// The letter with this identifier.
    async fn find_letter(&mut self, id: LetterId) -> Result<Option<QueuedLetter>, StoreError>;

    /// Letters, the newest first, at most `limit`.
    async fn list_letters(
        &mut self,
        filter: LetterFilter,
        limit: u32,
    ) -> Result<Vec<QueuedLetter>, StoreError>;

    /// How many letters are where.
    async fn count_letters(&mut self) -> Result<OutboxCounts, StoreError>;

    /// Deletes at most `limit` letters in this state that stopped waiting before `before`.
    async fn delete_letters(
        &mut self,
        state: LetterState,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError>;
}
