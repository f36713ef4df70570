//! Delivering emails: taken from the outbox, sent, tried again, given up.

use gateward_domain::email::{EmailState, OutboxEmail};
use gateward_domain::ports::{Access, MailError, StoreError};
use gateward_domain::{Actor, Event, EventKind, Timestamp};

use crate::App;
use crate::compose::{ComposeError, Composed};

/// For how many seconds an email is a worker's own: longer than an attempt may last
/// ([`SEND_SECONDS_MAX`](gateward_domain::ports::SEND_SECONDS_MAX)), so that no two send it at
/// once.
const LEASE_SECONDS: i64 = 60;

/// The longest pause between two tries, in seconds: after an SMTP server is back, every email that
/// waits is tried within a minute, the worker's own pause included.
const RETRY_DELAY_SECONDS_MAX: i64 = 50;

/// After how many seconds an email is given up.
const GIVE_UP_SECONDS: i64 = 3 * 24 * 3600;

/// After how many seconds an email is given up that the SMTP server says it will never take. Not at
/// once: a SMTP server that is set up wrongly says so of every email, until somebody mends it.
const PERMANENT_RETRY_SECONDS: i64 = 6 * 3600;

/// What became of an email.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// An SMTP server has taken it.
    Sent,
    /// There was nothing to be said any more.
    Discarded,
    /// The SMTP server refused it; it is tried again.
    Postponed,
    /// No SMTP server could be reached; it is tried again, and no other email would fare better.
    Unreachable,
    /// It is not tried any more.
    Failed,
}

impl App {
    /// Takes emails that are due, at most `limit`; each must be given to [`App::deliver`] at once.
    pub async fn lease_outbox_emails(&self, limit: u32) -> Result<Vec<OutboxEmail>, StoreError> {
        let now = self.now();
        let mut tx = self.ports.store.begin(Access::SingleWrite).await?;
        let emails = tx.lease_outbox_emails(now, now.plus_seconds(LEASE_SECONDS), limit).await?;
        tx.commit().await?;
        Ok(emails)
    }

    /// Sends an email that was taken, and notes what came of it. No transaction is open meanwhile.
    ///
    /// What fails here leaves the email to its lease: it is taken again when that is over.
    #[tracing::instrument(skip_all, fields(email_id = %queued.id, kind = %queued.kind))]
    pub async fn deliver(&self, queued: OutboxEmail) -> Result<Delivery, StoreError> {
        let began = self.now();
        let message = match self.compose(&queued, began).await {
            Ok(Composed::Ready(message)) => message,
            // Neither gets better by itself.
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

    /// Puts an email off that could not be sent, or gives it up.
    async fn handle_send_error(
        &self,
        queued: &OutboxEmail,
        error: &MailError,
        began: Timestamp,
    ) -> Result<Delivery, StoreError> {
        // Sending may have taken a minute, so the time is asked for again.
        let now = self.now();
        let (attempts, failure) = (queued.attempts, error.to_string());
        if is_exhausted(queued, error, now) {
            tracing::error!(attempts, failure, "email given up; see `gateward mail`");
            self.mark_failed(queued, failure, now).await?;
            return Ok(Delivery::Failed);
        }
        tracing::warn!(attempts, failure, "email not sent; it is tried again");
        // From the beginning of the try: one that hangs has waited for a part of the pause already.
        let next_attempt_at = began.plus_seconds(self.retry_delay_seconds(attempts)).max(now);
        let mut tx = self.ports.store.begin(Access::SingleWrite).await?;
        tx.postpone_outbox_email(queued.id, attempts, next_attempt_at, &failure).await?;
        tx.commit().await?;
        Ok(match error {
            MailError::Unreachable(_) => Delivery::Unreachable,
            MailError::Refused { .. } | MailError::Unfit(_) => Delivery::Postponed,
        })
    }

    /// Gives an email up, unless another worker has it by now: whoever puts it off first has it.
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

    /// How long an email waits after this many tries: twice as long each time, less up to half by
    /// randomness, so that emails that failed together do not come back together.
    fn retry_delay_seconds(&self, attempts: u32) -> i64 {
        let pause = 2_i64.saturating_pow(attempts.min(16)).min(RETRY_DELAY_SECONDS_MAX);
        let mut random_byte = [0];
        self.ports.entropy.fill(&mut random_byte);
        pause - pause * i64::from(random_byte[0]) / 512
    }

    /// Ends the waiting of an email, and writes it down where that matters.
    async fn finish(
        &self,
        queued: &OutboxEmail,
        state: EmailState,
        failure: Option<String>,
        event: Option<EventKind>,
    ) -> Result<(), StoreError> {
        // As above: it is the time at which it was sent.
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

/// Whether an email that failed once more has had its chances.
fn is_exhausted(queued: &OutboxEmail, error: &MailError, now: Timestamp) -> bool {
    let is_permanent =
        matches!(error, MailError::Refused { permanent: true, .. } | MailError::Unfit(_));
    let retry_for_seconds = if is_permanent { PERMANENT_RETRY_SECONDS } else { GIVE_UP_SECONDS };
    now.seconds_since(queued.scheduled_at) >= retry_for_seconds
}
