//! Delivering letters: taken from the outbox, sent, tried again, given up.

use gateward_domain::mail::{LetterState, QueuedLetter};
use gateward_domain::ports::{Access, MailError, StoreError};
use gateward_domain::{Actor, Event, EventKind, Timestamp};

use crate::App;
use crate::compose::{ComposeError, Composed};

/// For how many seconds a letter is a worker's own: longer than an attempt may last
/// ([`SEND_SECONDS_MAX`](gateward_domain::ports::SEND_SECONDS_MAX)), so that no two send it at once.
const LEASE_SECONDS: i64 = 60;

/// The longest pause between two tries, in seconds: after a relay is back, every letter that waits
/// is tried within a minute, the worker's own pause included.
const PAUSE_SECONDS_MAX: i64 = 50;

/// After how many seconds a letter is given up.
const GIVE_UP_SECONDS: i64 = 3 * 24 * 3600;

/// After how many seconds a letter is given up that the relay says it will never take. Not at once: a
/// relay that is set up wrongly says so of every letter, until somebody mends it.
const REFUSED_SECONDS: i64 = 6 * 3600;

/// What became of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// A relay has taken it.
    Sent,
    /// There was nothing to be said any more.
    Dropped,
    /// The relay refused it; it is tried again.
    Postponed,
    /// No relay could be reached; it is tried again, and no other letter would fare better.
    Unreachable,
    /// It is not tried any more.
    GivenUp,
}

impl App {
    /// Takes letters that are due, at most `limit`; each must be given to [`App::deliver`] at once.
    pub async fn take_letters(&self, limit: u32) -> Result<Vec<QueuedLetter>, StoreError> {
        let now = self.now();
        let mut tx = self.ports.store.begin(Access::SingleWrite).await?;
        let letters = tx.take_letters(now, now.plus_seconds(LEASE_SECONDS), limit).await?;
        tx.commit().await?;
        Ok(letters)
    }

    /// Sends a letter that was taken, and notes what came of it. No transaction is open meanwhile.
    ///
    /// What fails here leaves the letter to its lease: it is taken again when that is over.
    #[tracing::instrument(skip_all, fields(letter_id = %queued.id, kind = %queued.kind))]
    pub async fn deliver(&self, queued: QueuedLetter) -> Result<Delivery, StoreError> {
        let began = self.now();
        let letter = match self.compose(&queued, began).await {
            Ok(Composed::Letter(letter)) => letter,
            // Neither gets better by itself.
            Err(
                error @ (ComposeError::Token(_) | ComposeError::Store(StoreError::Corrupt { .. })),
            ) => {
                let error = MailError::Unfit(error.to_string());
                return self.failed(&queued, &error, began).await;
            }
            Err(ComposeError::Store(error)) => return Err(error),
            Ok(Composed::Nothing { why, in_vain }) => {
                let event = in_vain.then_some(EventKind::LetterDropped);
                self.finish(&queued, LetterState::Dropped, Some(why.to_owned()), event).await?;
                tracing::debug!(why, "letter dropped");
                return Ok(Delivery::Dropped);
            }
        };
        match self.ports.mailer.send(&letter).await {
            Ok(()) => {
                self.finish(&queued, LetterState::Sent, None, None).await?;
                tracing::debug!(attempts = queued.attempts, "letter sent");
                Ok(Delivery::Sent)
            }
            Err(error) => self.failed(&queued, &error, began).await,
        }
    }

    /// Puts a letter off that could not be sent, or gives it up.
    async fn failed(
        &self,
        queued: &QueuedLetter,
        error: &MailError,
        began: Timestamp,
    ) -> Result<Delivery, StoreError> {
        // Sending may have taken a minute, so the time is asked for again.
        let now = self.now();
        let (attempts, failure) = (queued.attempts, error.to_string());
        if is_given_up(queued, error, now) {
            tracing::error!(attempts, failure, "letter given up; see `gateward mail`");
            self.give_up(queued, failure, now).await?;
            return Ok(Delivery::GivenUp);
        }
        tracing::warn!(attempts, failure, "letter not sent; it is tried again");
        // From the beginning of the try: one that hangs has waited for a part of the pause already.
        let due_at = began.plus_seconds(self.pause_seconds(attempts)).max(now);
        let mut tx = self.ports.store.begin(Access::SingleWrite).await?;
        tx.postpone_letter(queued.id, attempts, due_at, &failure).await?;
        tx.commit().await?;
        Ok(match error {
            MailError::Unreachable(_) => Delivery::Unreachable,
            MailError::Refused { .. } | MailError::Unfit(_) => Delivery::Postponed,
        })
    }

    /// Gives a letter up, unless another worker has it by now: whoever puts it off first has it.
    async fn give_up(
        &self,
        queued: &QueuedLetter,
        failure: String,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.ports.store.begin(Access::Write).await?;
        let due_at = now.plus_seconds(PAUSE_SECONDS_MAX);
        if tx.postpone_letter(queued.id, queued.attempts, due_at, &failure).await? {
            tx.finish_letter(queued.id, LetterState::Dead, Some(failure), now).await?;
            let event = self.event(EventKind::LetterGivenUp, Actor::Service, now);
            tx.insert_event(&Event { user_id: queued.user_id, ..event }).await?;
        }
        tx.commit().await
    }

    /// How long a letter waits after this many tries: twice as long each time, less up to half by
    /// chance, so that letters that failed together do not come back together.
    fn pause_seconds(&self, attempts: u32) -> i64 {
        let pause = 2_i64.saturating_pow(attempts.min(16)).min(PAUSE_SECONDS_MAX);
        let mut chance = [0];
        self.ports.entropy.fill(&mut chance);
        pause - pause * i64::from(chance[0]) / 512
    }

    /// Ends the waiting of a letter, and writes it down where that matters.
    async fn finish(
        &self,
        queued: &QueuedLetter,
        state: LetterState,
        failure: Option<String>,
        event: Option<EventKind>,
    ) -> Result<(), StoreError> {
        // As above: it is the time at which it was sent.
        let now = self.now();
        let access = if event.is_some() { Access::Write } else { Access::SingleWrite };
        let mut tx = self.ports.store.begin(access).await?;
        let finished = tx.finish_letter(queued.id, state, failure, now).await?;
        if let Some(kind) = event.filter(|_| finished) {
            let event = self.event(kind, Actor::Service, now);
            tx.insert_event(&Event { user_id: queued.user_id, ..event }).await?;
        }
        tx.commit().await
    }
}

/// Whether a letter that failed once more has had its chances.
fn is_given_up(queued: &QueuedLetter, error: &MailError, now: Timestamp) -> bool {
    let hopeless =
        matches!(error, MailError::Refused { permanent: true, .. } | MailError::Unfit(_));
    let patience = if hopeless { REFUSED_SECONDS } else { GIVE_UP_SECONDS };
    now.seconds_since(queued.planned_at) >= patience
}
