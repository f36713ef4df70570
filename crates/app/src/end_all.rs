//! Ends all sessions of all users, for use after a backup was restored.

use gateward_domain::feed::InvalidationEvent;
use gateward_domain::ports::{Access, StoreError};
use gateward_domain::{Actor, End, EndReason, EventKind, SessionId, Timestamp};

use crate::App;
use crate::after_commit::AfterCommit;

/// Number of sessions that one transaction ends: few enough to keep locks short.
const BATCH: u32 = 500;

/// Maximum number of attempts for a batch that meets a lock or a busy store. Each waits for some
/// seconds.
const TRIES_MAX: u32 = 10;

impl App {
    /// Ends every session that started before `before`, and reports the running total after each
    /// batch.
    ///
    /// A restored database does not know which sessions ended since the backup. All nodes refuse
    /// them at once; the rows follow in batches.
    pub async fn end_all_sessions(
        &self,
        before: Timestamp,
        mut progress: impl FnMut(u64) + Send,
    ) -> Result<u64, StoreError> {
        let (now, reason) = (self.now(), EndReason::EndedByAdmin);
        // Sessions that start later are not known yet. Identifiers have a resolution of one
        // millisecond, so the bound does too.
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
        // A session could be refreshed until its batch came: those tokens are newer than the first
        // invalidation event. The time is read again, because the batches may have taken minutes.
        self.cut_all_off(before, false, self.now()).await?;
        Ok(total)
    }

    /// Publishes to every node that sessions started before this time have ended.
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

    /// Ends a batch of sessions, waiting for locked ones.
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
