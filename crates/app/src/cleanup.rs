//! Cleanup: deletes expired rows in small batches.

use gateward_domain::Timestamp;
use gateward_domain::email::EmailState;
use gateward_domain::ports::{Access, StoreError};

use crate::App;

/// Number of rows that one statement deletes: few enough to keep locks short.
const BATCH: u32 = 500;

/// Maximum number of batches of one kind per cleanup, so that it ends. The next one continues.
const BATCHES_MAX: u32 = 100;

/// Number of seconds for which a session is kept after its maximum lifetime, so that tokens
/// presented late or under clock differences still find the reason of its end.
const KEEP_SECONDS: i64 = 3600;

/// Number of seconds for which irrelevant invalidation events are kept. A clock that is briefly an
/// hour ahead must not delete events that nodes with a correct clock still need.
const INVALIDATION_KEEP_SECONDS: i64 = 3600;

/// Number of seconds for which a sent email is kept, so that an operator can check whether it was
/// sent.
const SENT_EMAIL_KEEP_SECONDS: i64 = 7 * 24 * 3600;

/// Number of seconds for which a discarded email is kept. Unauthenticated callers can cause many of
/// these by asking for email addresses that have no account.
const DISCARDED_EMAIL_KEEP_SECONDS: i64 = 24 * 3600;

/// Number of seconds for which a failed email is kept.
const FAILED_EMAIL_KEEP_SECONDS: i64 = 30 * 24 * 3600;

/// Number of seconds for which an expired link is kept: longer than its email may wait and then
/// stay failed. A retried email needs the link to see that it was not used.
const LINK_KEEP_SECONDS: i64 = FAILED_EMAIL_KEEP_SECONDS + 4 * 24 * 3600;

/// The kinds of rows to clean up.
#[derive(Clone, Copy)]
enum CleanupTarget {
    Sessions,
    Signups,
    Links,
    Clients,
    InvalidationEvent,
    AttemptCounter,
    Emails(EmailState),
}

impl CleanupTarget {
    /// All kinds, each with the number of seconds for which it is kept after its expiry.
    const ALL: [(Self, i64); 9] = [
        (Self::Sessions, KEEP_SECONDS),
        (Self::Signups, KEEP_SECONDS),
        (Self::Links, LINK_KEEP_SECONDS),
        (Self::Clients, KEEP_SECONDS),
        (Self::InvalidationEvent, INVALIDATION_KEEP_SECONDS),
        (Self::AttemptCounter, KEEP_SECONDS),
        (Self::Emails(EmailState::Sent), SENT_EMAIL_KEEP_SECONDS),
        (Self::Emails(EmailState::Discarded), DISCARDED_EMAIL_KEEP_SECONDS),
        (Self::Emails(EmailState::Failed), FAILED_EMAIL_KEEP_SECONDS),
    ];
}

impl App {
    /// Deletes expired sessions, sign-ups, links, known devices, invalidation events, rate-limit
    /// counters and emails. Returns the number of rows. The audit trail has a cleanup of its own.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn clean_up(&self) -> Result<u64, StoreError> {
        let now = self.now();
        let mut total = 0;
        for (what, keep_seconds) in CleanupTarget::ALL {
            let before = now.minus_seconds(keep_seconds);
            for _ in 0..BATCHES_MAX {
                let deleted = self.clean_up_batch(what, before).await?;
                total += deleted;
                if deleted < u64::from(BATCH) {
                    break;
                }
            }
        }
        Ok(total)
    }

    async fn clean_up_batch(
        &self,
        what: CleanupTarget,
        before: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut tx = self.ports.store.begin(Access::SingleWrite).await?;
        let deleted = match what {
            CleanupTarget::Sessions => tx.delete_sessions(before, BATCH).await?,
            CleanupTarget::Signups => tx.delete_signups(before, BATCH).await?,
            CleanupTarget::Links => tx.delete_links(before, BATCH).await?,
            CleanupTarget::Clients => tx.delete_known_devices(before, BATCH).await?,
            CleanupTarget::InvalidationEvent => {
                tx.delete_invalidation_events(before, BATCH).await?
            }
            CleanupTarget::AttemptCounter => tx.delete_attempt_counters(before, BATCH).await?,
            CleanupTarget::Emails(state) => tx.delete_outbox_emails(state, before, BATCH).await?,
        };
        tx.commit().await?;
        Ok(deleted)
    }
}
