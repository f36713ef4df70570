//! The ports of a [`MemoryTx`] for mail: sign-ups, links and emails.

use async_trait::async_trait;
use gateward_domain::email::{EmailState, OutboxEmail};
use gateward_domain::key::KeyId;
use gateward_domain::link::{Link, LinkPurpose, SecretHash};
use gateward_domain::ports::{
    CodeAttempt, LinkRepo, OutboxCounts, OutboxFilter, OutboxRepo, SignupRepo, StoreError,
};
use gateward_domain::signup::PendingSignup;
use gateward_domain::{EmailAddress, EmailId, LinkId, SignupId, Timestamp, UserId};

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
        email: &EmailAddress,
        now: Timestamp,
    ) -> Result<Option<PendingSignup>, StoreError> {
        Ok(self.read(|state| state.find_signup(now, |signup| signup.email == *email)))
    }

    async fn delete_signups_of_email(&mut self, email: &EmailAddress) -> Result<u64, StoreError> {
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
impl OutboxRepo for MemoryTx {
    async fn insert_outbox_email(&mut self, message: &OutboxEmail) -> Result<bool, StoreError> {
        self.write(|state| state.insert_outbox_email(message)).await
    }

    async fn lease_outbox_emails(
        &mut self,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<OutboxEmail>, StoreError> {
        self.write(|state| Ok(state.lease_outbox_emails(now, lease_until, limit))).await
    }

    async fn set_outbox_email_link(
        &mut self,
        id: EmailId,
        link: LinkId,
        user_id: Option<UserId>,
    ) -> Result<bool, StoreError> {
        self.write(|state| Ok(state.set_outbox_email_link(id, link, user_id))).await
    }

    async fn finish_outbox_email(
        &mut self,
        id: EmailId,
        state: EmailState,
        failure: Option<String>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(|held| Ok(held.finish_outbox_email(id, state, failure, now))).await
    }

    async fn postpone_outbox_email(
        &mut self,
        id: EmailId,
        attempts: u32,
        next_attempt_at: Timestamp,
        failure: &str,
    ) -> Result<bool, StoreError> {
        self.write(|state| Ok(state.postpone_outbox_email(id, attempts, next_attempt_at, failure)))
            .await
    }

    async fn retry_outbox_email(
        &mut self,
        id: EmailId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(|state| Ok(state.retry_outbox_email(id, now))).await
    }

    async fn find_outbox_email(&mut self, id: EmailId) -> Result<Option<OutboxEmail>, StoreError> {
        Ok(self.read(|state| state.find_outbox_email(id)))
    }

    async fn list_outbox_emails(
        &mut self,
        filter: OutboxFilter,
        limit: u32,
    ) -> Result<Vec<OutboxEmail>, StoreError> {
        Ok(self.read(|state| state.list_outbox_emails(filter, limit)))
    }

    async fn count_outbox_emails(&mut self) -> Result<OutboxCounts, StoreError> {
        Ok(self.read(State::count_outbox_emails))
    }

    async fn delete_outbox_emails(
        &mut self,
        state: EmailState,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        self.write(|held| Ok(held.delete_outbox_emails(state, before, limit))).await
    }
}
