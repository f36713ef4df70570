//! The ports of a [`MemoryTx`] that mail is about: sign-ups, links and letters.

use async_trait::async_trait;
use gateward_domain::key::KeyId;
use gateward_domain::link::{Link, LinkPurpose, SecretHash};
use gateward_domain::mail::{LetterState, QueuedLetter};
use gateward_domain::ports::{
    CodeAttempt, LetterFilter, LinkRepo, Outbox, OutboxCounts, SignupRepo, StoreError,
};
use gateward_domain::signup::PendingSignup;
use gateward_domain::{Email, LetterId, LinkId, SignupId, Timestamp, UserId};

use super::MemoryTx;
use super::state::{State, remove_where};

#[async_trait]
impl SignupRepo for MemoryTx {
    async fn insert_signup(&mut self, signup: &PendingSignup) -> Result<(), StoreError> {
        self.write(|state| state.insert_signup(signup)).await
    }

    async fn find_signup(
        &mut self,
        id: SignupId,
        now: Timestamp,
    ) -> Result<Option<PendingSignup>, StoreError> {
        Ok(self.read(|state| state.find_signup(now, |signup| signup.id == id)))
    }

    async fn find_signup_by_secret(
        &mut self,
        secret: &SecretHash,
        now: Timestamp,
    ) -> Result<Option<PendingSignup>, StoreError> {
        Ok(self.read(|state| state.find_signup(now, |signup| signup.secret == *secret)))
    }

    async fn find_newest_signup(
        &mut self,
        email: &Email,
        now: Timestamp,
    ) -> Result<Option<PendingSignup>, StoreError> {
        Ok(self.read(|state| state.find_signup(now, |signup| signup.email == *email)))
    }

    async fn delete_signups_of_email(&mut self, email: &Email) -> Result<u64, StoreError> {
        self.write(|state| Ok(state.delete_signups_of_email(email))).await
    }

    async fn delete_signups(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.write(|state| Ok(state.delete_signups(before, limit))).await
    }
}

#[async_trait]
impl LinkRepo for MemoryTx {
    async fn put_link(&mut self, link: &Link) -> Result<(), StoreError> {
        self.write(|state| state.put_link(link)).await
    }

    async fn find_link(&mut self, id: LinkId) -> Result<Option<Link>, StoreError> {
        Ok(self.read(|state| state.find_link(|link| link.id == id)))
    }

    async fn find_link_by_secret(
        &mut self,
        secret: &SecretHash,
    ) -> Result<Option<Link>, StoreError> {
        Ok(self.read(|state| state.find_link(|link| link.secret == *secret)))
    }

    async fn try_code(&mut self, attempt: &CodeAttempt) -> Result<Vec<Link>, StoreError> {
        self.write(|state| Ok(state.try_code(attempt))).await
    }

    async fn spend_link(&mut self, id: LinkId, now: Timestamp) -> Result<bool, StoreError> {
        self.write(|state| Ok(state.spend_link(id, now))).await
    }

    async fn delete_user_links(
        &mut self,
        user_id: UserId,
        purposes: &[LinkPurpose],
        from: Timestamp,
    ) -> Result<u64, StoreError> {
        self.write(|state| Ok(state.delete_user_links(user_id, purposes, from))).await
    }

    async fn delete_links_of_key(&mut self, key: &KeyId, limit: u32) -> Result<u64, StoreError> {
        let follows = |link: &Link| link.key_id == *key;
        self.write(|state| Ok(remove_where(&mut state.links, limit, follows))).await
    }

    async fn list_user_links(
        &mut self,
        user_id: UserId,
        limit: u32,
    ) -> Result<Vec<Link>, StoreError> {
        Ok(self.read(|state| state.list_user_links(user_id, limit)))
    }

    async fn delete_links(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.write(|state| Ok(state.delete_links(before, limit))).await
    }
}

#[async_trait]
impl Outbox for MemoryTx {
    async fn insert_letter(&mut self, letter: &QueuedLetter) -> Result<bool, StoreError> {
        self.write(|state| state.insert_letter(letter)).await
    }

    async fn take_letters(
        &mut self,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<QueuedLetter>, StoreError> {
        self.write(|state| Ok(state.take_letters(now, lease_until, limit))).await
    }

    async fn set_letter_link(
        &mut self,
        id: LetterId,
        link: LinkId,
        user_id: Option<UserId>,
    ) -> Result<bool, StoreError> {
        self.write(|state| Ok(state.set_letter_link(id, link, user_id))).await
    }

    async fn finish_letter(
        &mut self,
        id: LetterId,
        state: LetterState,
        failure: Option<String>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(|held| Ok(held.finish_letter(id, state, failure, now))).await
    }

    async fn postpone_letter(
        &mut self,
        id: LetterId,
        attempts: u32,
        due_at: Timestamp,
        failure: &str,
    ) -> Result<bool, StoreError> {
        self.write(|state| Ok(state.postpone_letter(id, attempts, due_at, failure))).await
    }

    async fn retry_letter(&mut self, id: LetterId, now: Timestamp) -> Result<bool, StoreError> {
        self.write(|state| Ok(state.retry_letter(id, now))).await
    }

    async fn find_letter(&mut self, id: LetterId) -> Result<Option<QueuedLetter>, StoreError> {
        Ok(self.read(|state| state.find_letter(id)))
    }

    async fn list_letters(
        &mut self,
        filter: LetterFilter,
        limit: u32,
    ) -> Result<Vec<QueuedLetter>, StoreError> {
        Ok(self.read(|state| state.list_letters(filter, limit)))
    }

    async fn count_letters(&mut self) -> Result<OutboxCounts, StoreError> {
        Ok(self.read(State::count_letters))
    }

    async fn delete_letters(
        &mut self,
        state: LetterState,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        self.write(|held| Ok(held.delete_letters(state, before, limit))).await
    }
}
