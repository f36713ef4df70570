//! The port of the outbox.

use async_trait::async_trait;
use gateward_domain::mail::{LetterState, QueuedLetter};
use gateward_domain::ports::{LetterFilter, Outbox, OutboxCounts, StoreError};
use gateward_domain::{LetterId, LinkId, Timestamp, UserId};
use redb::WriteTransaction;

use crate::rows::LetterRow;
use crate::tables::{
    LETTER_SLOTS, LETTERS_DUE, View, claim, count_of, enter, insert, place_in_time, remove, table,
};
use crate::unit::RedbTx;

#[async_trait]
impl Outbox for RedbTx {
    async fn insert_letter(&mut self, letter: &QueuedLetter) -> Result<bool, StoreError> {
        let letter = letter.clone();
        self.write(move |transaction| add(transaction, &letter)).await
    }

    async fn take_letters(
        &mut self,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<QueuedLetter>, StoreError> {
        let take = move |letter: &mut QueuedLetter| {
            letter.attempts += 1;
            letter.due_at = lease_until;
            true
        };
        self.write(move |transaction| {
            let due = ..=place_in_time(now, u128::MAX);
            let ids = View::Own(transaction).span(LETTERS_DUE, due, count_of(limit))?;
            let taken = ids.into_iter().filter_map(|id| match change(transaction, id, take) {
                // It keeps no other letter from being sent.
                Err(StoreError::Corrupt { .. }) => None,
                changed => changed.transpose(),
            });
            taken.collect()
        })
        .await
    }

    async fn set_letter_link(
        &mut self,
        id: LetterId,
        link: LinkId,
        user_id: Option<UserId>,
    ) -> Result<bool, StoreError> {
        self.change_letter(id, move |letter| {
            letter.link_id = Some(link);
            letter.user_id = user_id;
            waits(letter)
        })
        .await
    }

    async fn finish_letter(
        &mut self,
        id: LetterId,
        state: LetterState,
        failure: Option<String>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.change_letter(id, move |letter| {
            let did_wait = waits(letter);
            letter.state = state;
            letter.finished_at = Some(now);
            letter.failure = failure;
            did_wait
        })
        .await
    }

    async fn postpone_letter(
        &mut self,
        id: LetterId,
        attempts: u32,
        due_at: Timestamp,
        failure: &str,
    ) -> Result<bool, StoreError> {
        let failure = failure.to_owned();
        self.change_letter(id, move |letter| {
            letter.due_at = due_at;
            letter.failure = Some(failure);
            waits(letter) && letter.attempts == attempts
        })
        .await
    }

    async fn retry_letter(&mut self, id: LetterId, now: Timestamp) -> Result<bool, StoreError> {
        self.change_letter(id, move |letter| {
            let was_dead = is_dead(letter);
            letter.state = LetterState::Waiting;
            (letter.planned_at, letter.due_at) = (now, now);
            letter.attempts = 0;
            letter.finished_at = None;
            letter.failure = None;
            was_dead
        })
        .await
    }

    async fn find_letter(&mut self, id: LetterId) -> Result<Option<QueuedLetter>, StoreError> {
        self.read(move |view| view.find::<LetterRow>(key(id))).await
    }

    /// Goes through the table, from the newest letter until it has as many as are wanted.
    async fn list_letters(
        &mut self,
        filter: LetterFilter,
        limit: u32,
    ) -> Result<Vec<QueuedLetter>, StoreError> {
        let wanted = move |letter: &QueuedLetter| {
            filter.state.is_none_or(|state| letter.state == state)
                && filter.user_id.is_none_or(|user_id| letter.user_id == Some(user_id))
                && filter.before.is_none_or(|before| letter.id < before)
        };
        self.read(move |view| view.newest::<LetterRow>(count_of(limit), wanted)).await
    }

    /// Goes through the whole table. Few letters wait or are dead at a time.
    async fn count_letters(&mut self) -> Result<OutboxCounts, StoreError> {
        self.read(|view| {
            let is_counted = |letter: &QueuedLetter| waits(letter) || is_dead(letter);
            let letters = view.newest::<LetterRow>(usize::MAX, is_counted)?;
            let waiting: Vec<_> = letters.iter().filter(|letter| waits(letter)).collect();
            Ok(OutboxCounts {
                waiting: waiting.len() as u64,
                dead: (letters.len() - waiting.len()) as u64,
                oldest_planned_at: waiting.iter().map(|letter| letter.planned_at).min(),
            })
        })
        .await
    }

    /// Goes through the table until it has as many as may go.
    async fn delete_letters(
        &mut self,
        state: LetterState,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let is_over = move |letter: &QueuedLetter| {
            letter.state == state && letter.finished_at.is_some_and(|at| at < before)
        };
        self.write(move |transaction| {
            let view = View::Own(transaction);
            let mut count = 0;
            for letter in view.newest::<LetterRow>(count_of(limit), is_over)? {
                forget(transaction, &letter)?;
                count += 1;
            }
            Ok(count)
        })
        .await
    }
}

impl RedbTx {
    /// Changes a letter if it is there and `work` agrees; says whether it was changed.
    async fn change_letter(
        &mut self,
        id: LetterId,
        work: impl FnOnce(&mut QueuedLetter) -> bool + Send + 'static,
    ) -> Result<bool, StoreError> {
        self.write(move |transaction| Ok(change(transaction, key(id), work)?.is_some())).await
    }
}

const fn key(id: LetterId) -> u128 {
    id.uuid().as_u128()
}

fn waits(letter: &QueuedLetter) -> bool {
    letter.state == LetterState::Waiting
}

fn is_dead(letter: &QueuedLetter) -> bool {
    letter.state == LetterState::Dead
}

/// Adds a letter, with its places in the indexes, if its slot is free.
fn add(transaction: &WriteTransaction, letter: &QueuedLetter) -> Result<bool, StoreError> {
    let id = key(letter.id);
    if let Some(slot) = &letter.slot
        && !claim(transaction, LETTER_SLOTS, slot, id)?
    {
        return Ok(false);
    }
    if waits(letter) {
        enter(transaction, LETTERS_DUE, place_in_time(letter.due_at, id))?;
    }
    insert::<LetterRow>(transaction, id, letter)?;
    Ok(true)
}

/// Deletes a letter, with its places in the indexes.
fn forget(transaction: &WriteTransaction, letter: &QueuedLetter) -> Result<(), StoreError> {
    let id = key(letter.id);
    if let Some(slot) = &letter.slot {
        remove(transaction, LETTER_SLOTS, slot)?;
    }
    remove(transaction, LETTERS_DUE, place_in_time(letter.due_at, id))?;
    remove(transaction, table::<LetterRow>(), id)
}

/// Changes a letter if it is there and `work` agrees; gives it as it is then.
fn change(
    transaction: &WriteTransaction,
    id: u128,
    work: impl FnOnce(&mut QueuedLetter) -> bool,
) -> Result<Option<QueuedLetter>, StoreError> {
    let Some(before) = View::Own(transaction).find::<LetterRow>(id)? else { return Ok(None) };
    let mut letter = before.clone();
    if !work(&mut letter) {
        return Ok(None);
    }
    // Its places in the indexes change along, so it is taken out and put in again.
    forget(transaction, &before)?;
    add(transaction, &letter)?;
    Ok(Some(letter))
}
