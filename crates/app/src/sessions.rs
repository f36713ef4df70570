//! The caller's own sessions: lists them and ends one.

use gateward_domain::ports::{Access, StoreError};
use gateward_domain::{End, EndReason, Event, EventKind, RequestInfo, Session, SessionId};

use crate::after_commit::AfterCommit;
use crate::{App, Caller, NotRecent};

/// Why a session was not ended.
#[derive(Debug, thiserror::Error)]
pub enum EndSessionError {
    /// The account has no such session.
    #[error("the session does not exist")]
    NotFound,
    /// The caller last confirmed the password too long ago.
    #[error(transparent)]
    NotRecent(#[from] NotRecent),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Returns the active sessions of the caller after `after`, oldest first.
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

    /// Ends a session of the caller. To end another session than that of the request, the caller
    /// must have confirmed the password recently. Otherwise a person at an unlocked screen could
    /// log the owner out.
    ///
    /// Idempotent: a session that has already ended is a success.
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
