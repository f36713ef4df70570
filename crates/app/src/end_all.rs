//! Ending everybody's sessions, on the day after a backup was restored.

use gateward_domain::feed::InvalidationEvent;
use gateward_domain::ports::{Access, StoreError};
use gateward_domain::{Actor, End, EndReason, EventKind, SessionId, Timestamp};

use crate::App;
use crate::after_commit::AfterCommit;

/// How many sessions one transaction ends: few enough to hold no lock for long.
const BATCH: u32 = 500;

/// How often a batch is tried that meets a lock, or a store that is busy; each waits for some
/// seconds.
const TRIES_MAX: u32 = 10;

impl App {
    /// Ends every session that began before `before`, and tells how many were ended so far after
    /// each batch.
    ///
    /// A restored database has forgotten which sessions ended since it was backed up. All nodes
    /// refuse them from the first moment on; the rows follow in batches.
    pub async fn end_all_sessions(
        &self,
        before: Timestamp,
        mut progress: impl FnMut(u64) + Send,
    ) -> Result<u64, StoreError> {
        let (now, reason) = (self.now(), EndReason::EndedByAdmin);
        // What begins later is not known yet. Identifiers tell the millisecond, so that is the
        // grain.
        let before = Timestamp::from_micros(before.min(now).micros().div_euclid(1000) * 1000);
        self.cut_all_off(before, true, now).await?;
        let (mut total, mut last): (u64, Option<SessionId>) = (0, None);
        loop {
            let ended = self.end_batch(before, last, End { at: now, reason }).await?;
            total += ended.len() as u64;
            last = ended.last().copied();
            if last.is_none() {
                break;
            }
            progress(total);
        }
        // Until its turn came, a session could be refreshed: these tokens are younger than the
        // invalidation events. The time is asked for again, because the batches may have taken
        // minutes.
        self.cut_all_off(before, false, self.now()).await?;
        Ok(total)
    }

    /// Tells every node that sessions from before are over.
    async fn cut_all_off(
        &self,
        before: Timestamp,
        begins: bool,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let reason = EndReason::EndedByAdmin;
        let mut tx = self.ports.store.begin(Access::Write).await?;
        if begins {
            let event = self.event(EventKind::SessionsEnded(reason), Actor::Operator, now);
            tx.insert_event(&event).await?;
        }
        let invalidation = InvalidationEvent::AllTokensRevoked { before, reason };
        self.commit_and_publish(tx, AfterCommit::default().invalidate(invalidation), now).await
    }

    /// Ends some sessions; whoever holds one of them for long is waited for.
    async fn end_batch(
        &self,
        before: Timestamp,
        after: Option<SessionId>,
        end: End,
    ) -> Result<Vec<SessionId>, StoreError> {
        for _ in 1..TRIES_MAX {
            match self.try_end_batch(before, after, end).await {
                Err(StoreError::Busy) => {}
                done => return done,
            }
        }
        self.try_end_batch(before, after, end).await
    }

    async fn try_end_batch(
        &self,
        before: Timestamp,
        after: Option<SessionId>,
        end: End,
    ) -> Result<Vec<SessionId>, StoreError> {
        let mut tx = self.ports.store.begin(Access::SingleWrite).await?;
        let ended = tx.end_sessions_started_before(before, after, end, BATCH).await?;
        tx.commit().await?;
        Ok(ended)
    }
}
