//! One's own sessions: seeing them and ending one.

use gateward_domain::ports::{Access, StoreError};
use gateward_domain::{End, EndReason, Event, EventKind, RequestInfo, Session, SessionId};

use crate::after_commit::AfterCommit;
use crate::{App, Caller, NotRecent};

/// Why a session was not ended.
#[derive(Debug, thiserror::Error)]
pub enum EndSessionError {
    /// There is no such session of this account.
    #[error("there is no such session")]
    NotFound,
    /// The password was given too long ago.
    #[error(transparent)]
    NotRecent(#[from] NotRecent),
    /// The store has failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// The active sessions of the caller, in the order in which they began, those after `after`.
    pub async fn list_own_sessions(
        &self,
        caller: &Caller,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<Session>, StoreError> {
        let now = self.now();
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let sessions = tx.list_active_sessions(caller.user.id, now, after, limit).await?;
        tx.commit().await?;
        Ok(sessions)
    }

    /// Ends a session of the caller. For another than that of the request, the password must have
    /// been given a short time ago: whoever found an open screen must not throw the owner out.
    ///
    /// A session that is over already is what was asked for.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn end_own_session(
        &self,
        caller: &Caller,
        id: SessionId,
        request_info: &RequestInfo,
    ) -> Result<(), EndSessionError> {
        let now = self.now();
        if id != caller.session_id {
            self.check_recent_at(caller, now)?;
        }
        let mut tx = self.ports.store.begin(Access::Write).await?;
        let session = tx.lock_session(id).await?;
        let session = session.filter(|session| session.user_id == caller.user.id);
        let session = session.ok_or(EndSessionError::NotFound)?;
        let end = End { at: now, reason: EndReason::EndedByUser };
        if !tx.end_session(id, end).await? {
            return Ok(());
        }
        let reason = session.lapse(now).unwrap_or(end).reason;
        let event = self.event_of(caller, EventKind::SessionEnded(reason), request_info, now);
        tx.insert_event(&Event { session_id: Some(id), ..event }).await?;
        self.commit_and_publish(tx, AfterCommit::default().session_ended(id, reason), now).await?;
        tracing::info!(user_id = %caller.user.id, session_id = %id, %reason, "session ended");
        Ok(())
    }
}
