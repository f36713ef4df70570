//! Requests an email: a password reset, or another confirmation of an email address.
//!
//! The request is one statement, the same for every email address. Whether an account exists is
//! checked when the email is sent, so neither the response nor its time reveals it.

use gateward_domain::email::{EmailKind, OutboxEmail};
use gateward_domain::link::SecretHash;
use gateward_domain::ports::{Access, RateLimitScope, StoreError};
use gateward_domain::{EmailAddress, RequestInfo, Timestamp};

use crate::after_commit::AfterCommit;
use crate::outbox::{SLOT_CONFIRM, SLOT_RESET};
use crate::{App, RateLimitError};

impl App {
    /// Sends the owner of this email address a password reset email, if an account exists.
    ///
    /// A second request within the interval queues no email: the first one still applies.
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

    /// Sends the confirmation email again: for the sign-up whose secret is given, or else for
    /// whatever waits for the email address.
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
        // Others may sign up with the same email address all the time, and must not block this one.
        let mut tx = self.ports.store.begin(Access::Write).await?;
        self.queue_in_free_slot(&mut *tx, SLOT_CONFIRM, message).await?;
        Ok(self.commit_and_publish(tx, AfterCommit::default().email_queued(), now).await?)
    }

    /// Counts an email requested by an unauthenticated caller, whether or not one is sent.
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
            tracing::info!(kind = %message.kind, "email requested again, earlier one stays valid");
        }
        tx.commit().await?;
        self.ports.outbox_notifier.notify();
        Ok(())
    }
}
