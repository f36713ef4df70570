//! Ending everybody's sessions, on the day after a backup was restored.

use gateward_domain::feed::News;
use gateward_domain::ports::{Access, StoreError};
use gateward_domain::{Actor, End, EndReason, EventKind, SessionId, Timestamp};

use crate::App;
use crate::aftermath::Aftermath;

/// How many sessions one transaction ends: few enough to hold no lock for long.
const BATCH: u32 = 500;

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
        // What begins later is not known yet. Identifiers tell the millisecond, so that is the grain.
        let before = Timestamp::from_micros(before.min(now).micros().div_euclid(1000) * 1000);
        let mut tx = self.ports.store.begin(Access::Write).await?;
        let event = self.event(EventKind::SessionsEnded(reason), Actor::Operator, now);
        tx.insert_event(&event).await?;
        let news = News::AllCutOff { before, reason };
        self.conclude(tx, Aftermath::default().news(news), now).await?;
        let (mut total, mut last): (u64, Option<SessionId>) = (0, None);
        loop {
            let mut tx = self.ports.store.begin(Access::SingleWrite).await?;
            let end = End { at: now, reason };
            let ended = tx.end_sessions_begun_before(before, last, end, BATCH).await?;
            tx.commit().await?;
            total += ended.len() as u64;
            last = ended.last().copied();
            if last.is_none() {
                return Ok(total);
            }
            progress(total);
        }
    }
}
