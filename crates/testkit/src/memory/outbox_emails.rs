//! The outbox of a [`MemoryStore`](super::MemoryStore).

use std::cmp::Reverse;

use gateward_domain::email::{EmailState, OutboxEmail};
use gateward_domain::ports::{OutboxCounts, OutboxFilter, StoreError};
use gateward_domain::{EmailId, LinkId, Timestamp, UserId};

use super::state::{State, doubled, remove_where, truncate};

impl State {
    pub fn insert_outbox_email(&mut self, message: &OutboxEmail) -> Result<bool, StoreError> {
        if message.slot.is_some()
            && self.outbox_emails.iter().any(|other| other.slot == message.slot)
        {
            return Ok(false);
        }
        if self.outbox_emails.iter().any(|other| other.id == message.id) {
            return Err(doubled("email"));
        }
        self.outbox_emails.push(message.clone());
        Ok(true)
    }

    pub fn lease_outbox_emails(
        &mut self,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Vec<OutboxEmail> {
        let is_due = |message: &&mut OutboxEmail| {
            message.state == EmailState::Waiting && message.next_attempt_at <= now
        };
        let mut due: Vec<_> = self.outbox_emails.iter_mut().filter(is_due).collect();
        due.sort_by_key(|message| (message.next_attempt_at, message.id));
        let take = |message: &mut OutboxEmail| {
            message.attempts += 1;
            message.next_attempt_at = lease_until;
            message.clone()
        };
        truncate(due, limit).into_iter().map(take).collect()
    }

    pub fn set_outbox_email_link(
        &mut self,
        id: EmailId,
        link: LinkId,
        user_id: Option<UserId>,
    ) -> bool {
        let Some(message) = self.email_in(id, EmailState::Waiting) else { return false };
        message.link_id = Some(link);
        message.user_id = user_id;
        true
    }

    pub fn finish_outbox_email(
        &mut self,
        id: EmailId,
        state: EmailState,
        failure: Option<String>,
        now: Timestamp,
    ) -> bool {
        let Some(message) = self.email_in(id, EmailState::Waiting) else { return false };
        message.state = state;
        message.failure = failure;
        message.finished_at = Some(now);
        true
    }

    pub fn postpone_outbox_email(
        &mut self,
        id: EmailId,
        attempts: u32,
        next_attempt_at: Timestamp,
        failure: &str,
    ) -> bool {
        let waiting = self.email_in(id, EmailState::Waiting);
        let Some(message) = waiting.filter(|message| message.attempts == attempts) else {
            return false;
        };
        message.next_attempt_at = next_attempt_at;
        message.failure = Some(failure.to_owned());
        true
    }

    pub fn retry_outbox_email(&mut self, id: EmailId, now: Timestamp) -> bool {
        let Some(message) = self.email_in(id, EmailState::Failed) else { return false };
        message.state = EmailState::Waiting;
        message.scheduled_at = now;
        message.next_attempt_at = now;
        message.attempts = 0;
        message.finished_at = None;
        message.failure = None;
        true
    }

    fn email_in(&mut self, id: EmailId, state: EmailState) -> Option<&mut OutboxEmail> {
        self.outbox_emails.iter_mut().find(|message| message.id == id && message.state == state)
    }

    pub fn find_outbox_email(&self, id: EmailId) -> Option<OutboxEmail> {
        self.outbox_emails.iter().find(|message| message.id == id).cloned()
    }

    pub fn list_outbox_emails(&self, filter: OutboxFilter, limit: u32) -> Vec<OutboxEmail> {
        let is_meant = |message: &&OutboxEmail| {
            filter.state.is_none_or(|state| message.state == state)
                && filter.user_id.is_none_or(|user_id| message.user_id == Some(user_id))
                && filter.before.is_none_or(|before| message.id < before)
        };
        let mut outbox_emails: Vec<_> =
            self.outbox_emails.iter().filter(is_meant).cloned().collect();
        outbox_emails.sort_by_key(|message| Reverse(message.id));
        truncate(outbox_emails, limit)
    }

    pub fn count_outbox_emails(&self) -> OutboxCounts {
        let in_state =
            |state| self.outbox_emails.iter().filter(move |message| message.state == state);
        let count = |state| in_state(state).map(|_| 1_u64).sum();
        OutboxCounts {
            waiting: count(EmailState::Waiting),
            failed: count(EmailState::Failed),
            oldest_scheduled_at: in_state(EmailState::Waiting).map(|one| one.scheduled_at).min(),
        }
    }

    pub fn delete_outbox_emails(
        &mut self,
        state: EmailState,
        before: Timestamp,
        limit: u32,
    ) -> u64 {
        remove_where(&mut self.outbox_emails, limit, |message| {
            message.state == state && message.finished_at.is_some_and(|at| at < before)
        })
    }
}
