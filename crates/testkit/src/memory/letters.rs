//! What a [`MemoryStore`](super::MemoryStore) does with letters that wait to be sent.

use std::cmp::Reverse;

use gateward_domain::mail::{LetterState, QueuedLetter};
use gateward_domain::ports::{LetterFilter, OutboxCounts, StoreError};
use gateward_domain::{LetterId, LinkId, Timestamp, UserId};

use super::state::{State, doubled, remove_where, truncate};

impl State {
    pub fn insert_letter(&mut self, letter: &QueuedLetter) -> Result<bool, StoreError> {
        if letter.slot.is_some() && self.letters.iter().any(|other| other.slot == letter.slot) {
            return Ok(false);
        }
        if self.letters.iter().any(|other| other.id == letter.id) {
            return Err(doubled("letter"));
        }
        self.letters.push(letter.clone());
        Ok(true)
    }

    pub fn take_letters(
        &mut self,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Vec<QueuedLetter> {
        let is_due = |letter: &&mut QueuedLetter| {
            letter.state == LetterState::Waiting && letter.due_at <= now
        };
        let mut due: Vec<_> = self.letters.iter_mut().filter(is_due).collect();
        due.sort_by_key(|letter| (letter.due_at, letter.id));
        let take = |letter: &mut QueuedLetter| {
            letter.attempts += 1;
            letter.due_at = lease_until;
            letter.clone()
        };
        truncate(due, limit).into_iter().map(take).collect()
    }

    pub fn set_letter_link(&mut self, id: LetterId, link: LinkId, user_id: Option<UserId>) -> bool {
        let Some(letter) = self.letter_in(id, LetterState::Waiting) else { return false };
        letter.link_id = Some(link);
        letter.user_id = user_id;
        true
    }

    pub fn finish_letter(
        &mut self,
        id: LetterId,
        state: LetterState,
        failure: Option<String>,
        now: Timestamp,
    ) -> bool {
        let Some(letter) = self.letter_in(id, LetterState::Waiting) else { return false };
        letter.state = state;
        letter.failure = failure;
        letter.finished_at = Some(now);
        true
    }

    pub fn postpone_letter(
        &mut self,
        id: LetterId,
        attempts: u32,
        due_at: Timestamp,
        failure: &str,
    ) -> bool {
        let waiting = self.letter_in(id, LetterState::Waiting);
        let Some(letter) = waiting.filter(|letter| letter.attempts == attempts) else {
            return false;
        };
        letter.due_at = due_at;
        letter.failure = Some(failure.to_owned());
        true
    }

    pub fn retry_letter(&mut self, id: LetterId, now: Timestamp) -> bool {
        let Some(letter) = self.letter_in(id, LetterState::Dead) else { return false };
        letter.state = LetterState::Waiting;
        letter.planned_at = now;
        letter.due_at = now;
        letter.attempts = 0;
        letter.finished_at = None;
        letter.failure = None;
        true
    }

    fn letter_in(&mut self, id: LetterId, state: LetterState) -> Option<&mut QueuedLetter> {
        self.letters.iter_mut().find(|letter| letter.id == id && letter.state == state)
    }

    pub fn find_letter(&self, id: LetterId) -> Option<QueuedLetter> {
        self.letters.iter().find(|letter| letter.id == id).cloned()
    }

    pub fn list_letters(&self, filter: LetterFilter, limit: u32) -> Vec<QueuedLetter> {
        let is_meant = |letter: &&QueuedLetter| {
            filter.state.is_none_or(|state| letter.state == state)
                && filter.user_id.is_none_or(|user_id| letter.user_id == Some(user_id))
                && filter.before.is_none_or(|before| letter.id < before)
        };
        let mut letters: Vec<_> = self.letters.iter().filter(is_meant).cloned().collect();
        letters.sort_by_key(|letter| Reverse(letter.id));
        truncate(letters, limit)
    }

    pub fn count_letters(&self) -> OutboxCounts {
        let in_state = |state| self.letters.iter().filter(move |letter| letter.state == state);
        let count = |state| in_state(state).map(|_| 1_u64).sum();
        OutboxCounts {
            waiting: count(LetterState::Waiting),
            dead: count(LetterState::Dead),
            oldest_planned_at: in_state(LetterState::Waiting).map(|one| one.planned_at).min(),
        }
    }

    pub fn delete_letters(&mut self, state: LetterState, before: Timestamp, limit: u32) -> u64 {
        remove_where(&mut self.letters, limit, |letter| {
            letter.state == state && letter.finished_at.is_some_and(|at| at < before)
        })
    }
}
