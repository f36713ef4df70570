//! Sweeping: what no longer matters is deleted, a little at a time.

use gateward_domain::Timestamp;
use gateward_domain::email::EmailState;
use gateward_domain::ports::{Access, StoreError};

use crate::App;

/// How many rows one statement deletes: few enough to hold no lock for long.
const BATCH: u32 = 500;

/// How many batches of one kind one cleanup makes at most, so that it ends; the next one goes on.
const BATCHES_MAX: u32 = 100;

/// For how many seconds a session is kept after its longest life, so that clocks that differ and
/// tokens shown late still find their reason.
const KEEP_SECONDS: i64 = 3600;

/// For how many seconds invalidation events are kept that matter to nobody any more: a clock that
/// is an hour ahead for a moment must not take them from those whose clocks are right.
const INVALIDATION_KEEP_SECONDS: i64 = 3600;

/// For how many seconds an email is kept that was sent, so that an operator can look whether it
/// was.
const SENT_EMAIL_KEEP_SECONDS: i64 = 7 * 24 * 3600;

/// For how many seconds an email is kept that was dropped. Strangers can make many of these, by
/// asking about addresses that have no account.
const DISCARDED_EMAIL_KEEP_SECONDS: i64 = 24 * 3600;

/// For how many seconds an email is kept that was given up.
const FAILED_EMAIL_KEEP_SECONDS: i64 = 30 * 24 * 3600;

/// For how many seconds a link is kept that is out of time: longer than its email may wait and then
/// lie dead, for by it an email that is tried again tells that the link was not used.
const LINK_KEEP_SECONDS: i64 = FAILED_EMAIL_KEEP_SECONDS + 4 * 24 * 3600;

/// What is cleaned up.
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
    /// All there is, with for how many seconds it is kept after its time.
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
    /// Deletes what is past its time: sessions, sign-ups, links, clients, invalidation events,
    /// counts of wrong secrets and emails; gives how many rows. The audit trail has a cleanup of
    /// its own.
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
