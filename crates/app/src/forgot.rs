//! Asking for an email: to reset a password, or to confirm an address once more.
//!
//! To ask is one statement, the same for every address. Whether there is an account is looked up
//! when the email is sent, so neither the answer nor its time tells.

use gateward_domain::email::{EmailKind, OutboxEmail};
use gateward_domain::link::SecretHash;
use gateward_domain::ports::{Access, RateLimitScope, StoreError};
use gateward_domain::{EmailAddress, RequestInfo, Timestamp};

use crate::after_commit::AfterCommit;
use crate::outbox::{SLOT_CONFIRM, SLOT_RESET};
use crate::{App, RateLimitError};

impl App {
    /// Sends whoever owns this address an email to choose a new password, if there is an account.
    ///
    /// A second request within the span of one email writes none: the one before still holds.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn forgot_password(
        &self,
        email: &EmailAddress,
        request_info: &RequestInfo,
    ) -> Result<(), RateLimitError> {
        let now = self.now();
        self.count_email(request_info, now).await?;
        let message = self.new_outbox_email(EmailKind::ForgotPassword, email, request_info.ip, now);
        Ok(self.ask_for(self.with_slot(SLOT_RESET, message)).await?)
    }

    /// Sends the email once more that confirms an address: of the sign-up whose secret is given, or
    /// else of whatever waits for the address.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn resend_confirmation(
        &self,
        email: &EmailAddress,
        signup_secret: Option<&str>,
        request_info: &RequestInfo,
    ) -> Result<(), RateLimitError> {
        let now = self.now();
        self.count_email(request_info, now).await?;
        let mut message =
            self.new_outbox_email(EmailKind::ResendConfirmation, email, request_info.ip, now);
        if let Some(secret) = signup_secret {
            let mut tx = self.ports.store.begin(Access::Read).await?;
            let signup = tx.find_signup_by_secret(&SecretHash::of(secret), now).await?;
            tx.commit().await?;
            message.signup_id = signup.filter(|one| one.email == *email).map(|one| one.id);
        }
        if message.signup_id.is_none() {
            return Ok(self.ask_for(self.with_slot(SLOT_CONFIRM, message)).await?);
        }
        // Others may sign up with the same address all the time, and must not keep this one out.
        let mut tx = self.ports.store.begin(Access::Write).await?;
        self.queue_in_free_slot(&mut *tx, SLOT_CONFIRM, message).await?;
        Ok(self.commit_and_publish(tx, AfterCommit::default().email_queued(), now).await?)
    }

    /// Counts an email that a stranger asks for, whether one comes of it or not.
    async fn count_email(
        &self,
        request_info: &RequestInfo,
        now: Timestamp,
    ) -> Result<(), RateLimitError> {
        let mut limits = self.ip_rate_limit(RateLimitScope::Email, request_info)?;
        self.check_rate_limit_in_own_tx(&mut limits, now).await?;
        self.record_failure(&limits, None, now).await
    }

    async fn ask_for(&self, message: OutboxEmail) -> Result<(), StoreError> {
        let mut tx = self.ports.store.begin(Access::SingleWrite).await?;
        if !tx.insert_outbox_email(&message).await? {
            tracing::info!(kind = %message.kind, "an email was asked for again; the one before holds");
        }
        tx.commit().await?;
        self.ports.outbox_notifier.notify();
        Ok(())
    }
}
