//! Delivers emails: leases them from the outbox, sends them, retries, and gives up.

use gateward_domain::email::{EmailState, OutboxEmail};
use gateward_domain::ports::{Access, MailError, StoreError};
use gateward_domain::{Actor, Event, EventKind, Timestamp};

use crate::App;
use crate::compose::{ComposeError, Composed};

/// Number of seconds for which a worker leases an email: longer than an attempt may last
/// ([`SEND_SECONDS_MAX`](gateward_domain::ports::SEND_SECONDS_MAX)), so that two workers never send
/// it at once.
const LEASE_SECONDS: i64 = 60;

/// Maximum delay between two attempts in seconds. Once an SMTP server is back, every waiting email
/// is attempted within a minute, including the worker's own poll interval.
const RETRY_DELAY_SECONDS_MAX: i64 = 50;

/// Number of seconds after which an email fails for good.
const GIVE_UP_SECONDS: i64 = 3 * 24 * 3600;

/// Number of seconds after which an email fails for good if the SMTP server reports a permanent
/// error. Not at once: a misconfigured SMTP server reports one for every email until an operator
/// fixes it.
const PERMANENT_RETRY_SECONDS: i64 = 6 * 3600;

/// The result of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Accepted by an SMTP server.
    Sent,
    /// Not sent, because its reason no longer applies.
    Discarded,
    /// Refused by the SMTP server. It is retried.
    Postponed,
    /// No SMTP server could be reached. It is retried, and no other email would fare better.
    Unreachable,
    /// Failed for good.
    Failed,
}

impl App {
    /// Leases at most `limit` due emails. Pass each to [`App::deliver`] at once.
    pub async fn lease_outbox_emails(&self, limit: u32) -> Result<Vec<OutboxEmail>, StoreError> {
        let now = self.now();
        let mut tx = self.ports.store.begin(Access::SingleWrite).await?;
        let emails = tx.lease_outbox_emails(now, now.plus_seconds(LEASE_SECONDS), limit).await?;
        tx.commit().await?;
        Ok(emails)
    }

    /// Sends a leased email and records the result. No transaction is open while it is sent.
    ///
    /// If this fails, the email keeps its lease and is leased again once that expires.
    #[tracing::instrument(skip_all, fields(email_id = %queued.id, kind = %queued.kind))]
    pub async fn deliver(&self, queued: OutboxEmail) -> Result<Delivery, StoreError> {
        let began = self.now();
        let message = match self.compose(&queued, began).await {
            Ok(Composed::Ready(message)) => message,
            // Neither error resolves itself.
            Err(
                error @ (ComposeError::Token(_) | ComposeError::Store(StoreError::Corrupt { .. })),
            ) => {
                let error = MailError::Unfit(error.to_string());
                return self.handle_send_error(&queued, &error, began).await;
            }
            Err(ComposeError::Store(error)) => return Err(error),
            Ok(Composed::Nothing { why, in_vain }) => {
                let event = in_vain.then_some(EventKind::EmailDiscarded);
                self.finish(&queued, EmailState::Discarded, Some(why.to_owned()), event).await?;
                tracing::debug!(why, "email discarded");
                return Ok(Delivery::Discarded);
            }
        };
        match self.ports.mailer.send(&message).await {
            Ok(()) => {
                self.finish(&queued, EmailState::Sent, None, None).await?;
                tracing::debug!(attempts = queued.attempts, "email sent");
                Ok(Delivery::Sent)
            }
            Err(error) => self.handle_send_error(&queued, &error, began).await,
        }
    }

    /// Postpones an email that could not be sent, or fails it for good.
    async fn handle_send_error(
        &self,
        queued: &OutboxEmail,
        error: &MailError,
        began: Timestamp,
    ) -> Result<Delivery, StoreError> {
        // Sending may have taken a minute, so the time is read again.
        let now = self.now();
        let (attempts, failure) = (queued.attempts, error.to_string());
        if is_exhausted(queued, error, now) {
            tracing::error!(
                attempts,
                failure,
                "email delivery failed permanently; see `gateward mail list --state failed`"
            );
            self.mark_failed(queued, failure, now).await?;
            return Ok(Delivery::Failed);
        }
        tracing::warn!(attempts, failure, "email not sent, will retry");
        // Measured from the start of the attempt: one that hangs has already waited for a part of
        // the delay.
        let next_attempt_at = began.plus_seconds(self.retry_delay_seconds(attempts)).max(now);
        let mut tx = self.ports.store.begin(Access::SingleWrite).await?;
        tx.postpone_outbox_email(queued.id, attempts, next_attempt_at, &failure).await?;
        tx.commit().await?;
        Ok(match error {
            MailError::Unreachable(_) => Delivery::Unreachable,
            MailError::Refused { .. } | MailError::Unfit(_) => Delivery::Postponed,
        })
    }

    /// Fails an email for good, unless another worker leases it by now. Postponing it first shows
    /// whether this worker still holds the lease.
    async fn mark_failed(
        &self,
        queued: &OutboxEmail,
        failure: String,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.ports.store.begin(Access::Write).await?;
        let next_attempt_at = now.plus_seconds(RETRY_DELAY_SECONDS_MAX);
        if tx.postpone_outbox_email(queued.id, queued.attempts, next_attempt_at, &failure).await? {
            tx.finish_outbox_email(queued.id, EmailState::Failed, Some(failure), now).await?;
            let event = self.event(EventKind::EmailFailed, Actor::Service, now);
            tx.insert_event(&Event { user_id: queued.user_id, ..event }).await?;
        }
        tx.commit().await
    }

    /// Returns the delay after this number of attempts. It doubles each time, less up to half at
    /// random, so that emails that failed together are not retried together.
    fn retry_delay_seconds(&self, attempts: u32) -> i64 {
        let pause = 2_i64.saturating_pow(attempts.min(16)).min(RETRY_DELAY_SECONDS_MAX);
        let mut random_byte = [0];
        self.ports.entropy.fill(&mut random_byte);
        pause - pause * i64::from(random_byte[0]) / 512
    }

    /// Sets the final state of an email, and writes an event if it matters.
    async fn finish(
        &self,
        queued: &OutboxEmail,
        state: EmailState,
        failure: Option<String>,
        event: Option<EventKind>,
    ) -> Result<(), StoreError> {
        // As above: this is the time of sending.
        let now = self.now();
        let access = if event.is_some() { Access::Write } else { Access::SingleWrite };
        let mut tx = self.ports.store.begin(access).await?;
        let finished = tx.finish_outbox_email(queued.id, state, failure, now).await?;
        if let Some(kind) = event.filter(|_| finished) {
            let event = self.event(kind, Actor::Service, now);
            tx.insert_event(&Event { user_id: queued.user_id, ..event }).await?;
        }
        tx.commit().await
    }
}

/// Returns whether an email that failed once more has used up its attempts.
fn is_exhausted(queued: &OutboxEmail, error: &MailError, now: Timestamp) -> bool {
    let is_permanent =
        matches!(error, MailError::Refused { permanent: true, .. } | MailError::Unfit(_));
    let retry_for_seconds = if is_permanent { PERMANENT_RETRY_SECONDS } else { GIVE_UP_SECONDS };
    now.seconds_since(queued.scheduled_at) >= retry_for_seconds
}
