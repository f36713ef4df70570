//! Sweeping: what no longer matters is deleted, a little at a time.

use gateward_domain::Timestamp;
use gateward_domain::mail::LetterState;
use gateward_domain::ports::{Access, StoreError};

use crate::App;

/// How many rows one statement deletes: few enough to hold no lock for long.
const BATCH: u32 = 500;

/// How many batches of one kind one sweep makes at most, so that it ends; the next one goes on.
const BATCHES_MAX: u32 = 100;

/// For how many seconds a session is kept after its longest life, so that clocks that differ and
/// tokens shown late still find their reason.
const KEEP_SECONDS: i64 = 3600;

/// For how many seconds news are kept that matter to nobody any more: a clock that is an hour ahead for
/// a moment must not take them from those whose clocks are right.
const NEWS_KEEP_SECONDS: i64 = 3600;

/// For how many seconds a letter is kept that was sent, so that an operator can look whether it was.
const LETTER_KEEP_SECONDS: i64 = 7 * 24 * 3600;

/// For how many seconds a letter is kept that was dropped. Strangers can make many of these, by
/// asking about addresses that have no account.
const DROPPED_LETTER_KEEP_SECONDS: i64 = 24 * 3600;

/// For how many seconds a letter is kept that was given up.
const DEAD_LETTER_KEEP_SECONDS: i64 = 30 * 24 * 3600;

/// For how many seconds a link is kept that is out of time: longer than its letter may wait and then
/// lie dead, for by it a letter that is tried again tells that the link was not used.
const LINK_KEEP_SECONDS: i64 = DEAD_LETTER_KEEP_SECONDS + 4 * 24 * 3600;

/// What is swept.
#[derive(Clone, Copy)]
enum Swept {
    Sessions,
    Signups,
    Links,
    Clients,
    News,
    Strikes,
    Letters(LetterState),
}

impl Swept {
    /// All there is, with for how many seconds it is kept after its time.
    const ALL: [(Self, i64); 9] = [
        (Self::Sessions, KEEP_SECONDS),
        (Self::Signups, KEEP_SECONDS),
        (Self::Links, LINK_KEEP_SECONDS),
        (Self::Clients, KEEP_SECONDS),
        (Self::News, NEWS_KEEP_SECONDS),
        (Self::Strikes, KEEP_SECONDS),
        (Self::Letters(LetterState::Sent), LETTER_KEEP_SECONDS),
        (Self::Letters(LetterState::Dropped), DROPPED_LETTER_KEEP_SECONDS),
        (Self::Letters(LetterState::Dead), DEAD_LETTER_KEEP_SECONDS),
    ];
}

impl App {
    /// Deletes what is past its time: sessions, sign-ups, links, clients, news, counts of wrong secrets
    /// and letters; gives how many rows. The audit trail has a sweep of its own.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn sweep(&self) -> Result<u64, StoreError> {
        let now = self.now();
        let mut total = 0;
        for (what, keep_seconds) in Swept::ALL {
            let before = now.minus_seconds(keep_seconds);
            for _ in 0..BATCHES_MAX {
                let deleted = self.sweep_batch(what, before).await?;
                total += deleted;
                if deleted < u64::from(BATCH) {
                    break;
                }
            }
        }
        Ok(total)
    }

    async fn sweep_batch(&self, what: Swept, before: Timestamp) -> Result<u64, StoreError> {
        let mut tx = self.ports.store.begin(Access::SingleWrite).await?;
        let deleted = match what {
            Swept::Sessions => tx.delete_sessions(before, BATCH).await?,
            Swept::Signups => tx.delete_signups(before, BATCH).await?,
            Swept::Links => tx.delete_links(before, BATCH).await?,
            Swept::Clients => tx.delete_clients(before, BATCH).await?,
            Swept::News => tx.delete_news(before, BATCH).await?,
            Swept::Strikes => tx.delete_strikes(before, BATCH).await?,
            Swept::Letters(state) => tx.delete_letters(state, before, BATCH).await?,
        };
        tx.commit().await?;
        Ok(deleted)
    }
}
