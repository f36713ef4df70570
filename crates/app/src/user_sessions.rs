//! Sessions of other users: lists and ends them.

use gateward_domain::ports::{Access, StoreError};
use gateward_domain::{End, EndReason, Event, EventKind, Permission, Session, SessionId, UserId};

use crate::App;
use crate::admin::{AdminActor, AdminError, lock_target};
use crate::after_commit::AfterCommit;

impl App {
    /// Returns the active sessions of an account after `after`, oldest first. `None` if the account
    /// does not exist.
    pub async fn list_sessions_of(
        &self,
        id: UserId,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Option<Vec<Session>>, StoreError> {
        let now = self.now();
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let sessions = match tx.find_user(id).await? {
            Some(_) => Some(tx.list_active_sessions(id, now, after, limit).await?),
            None => None,
        };
        tx.commit().await?;
        Ok(sessions)
    }

    /// Ends a session of an account. Idempotent: a session that has already ended is a success.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn end_session_of(
        &self,
        admin: AdminActor<'_>,
        id: UserId,
        session_id: SessionId,
    ) -> Result<(), AdminError> {
        let done = self.try_end_session_of(admin, id, session_id).await;
        self.audit_denial(admin, done).await
    }

    async fn try_end_session_of(
        &self,
        admin: AdminActor<'_>,
        id: UserId,
        session_id: SessionId,
    ) -> Result<(), AdminError> {
        let now = self.now();
        self.require_recent_password(admin, now)?;
        let (mut tx, privileges) = self.begin_admin(admin, Permission::SessionsEnd, now).await?;
        lock_target(&mut *tx, &privileges, id).await?;
        let session = tx.lock_session(session_id).await?;
        let session = session.filter(|session| session.user_id == id);
        let session = session.ok_or(AdminError::NotFound)?;
        let end = End { at: now, reason: EndReason::EndedByAdmin };
        if !tx.end_session(session_id, end).await? {
            return Ok(());
        }
        let reason = session.lapse(now).unwrap_or(end).reason;
        let event = self.event_about_user(admin, EventKind::SessionEnded(reason), id, now);
        tx.insert_event(&Event { session_id: Some(session_id), ..event }).await?;
        let after_commit = AfterCommit::default().session_ended(session_id, reason);
        self.commit_and_publish(tx, after_commit, now).await?;
        tracing::info!(user_id = %id, %session_id, %reason, "session ended");
        Ok(())
    }

    /// Ends all sessions of an account, and returns their number.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn end_sessions_of(
        &self,
        admin: AdminActor<'_>,
        id: UserId,
    ) -> Result<usize, AdminError> {
        let done = self.try_end_sessions_of(admin, id).await;
        self.audit_denial(admin, done).await
    }

    async fn try_end_sessions_of(
        &self,
        admin: AdminActor<'_>,
        id: UserId,
    ) -> Result<usize, AdminError> {
        let now = self.now();
        self.require_recent_password(admin, now)?;
        let (mut tx, privileges) = self.begin_admin(admin, Permission::SessionsEnd, now).await?;
        lock_target(&mut *tx, &privileges, id).await?;
        let reason = EndReason::EndedByAdmin;
        let ended = tx.end_sessions_of_user(id, None, End { at: now, reason }).await?;
        if !ended.is_empty() {
            tx.insert_event(&self.event_about_user(
                admin,
                EventKind::SessionsEnded(reason),
                id,
                now,
            ))
            .await?;
        }
        let after_commit =
            AfterCommit::default().revoked_before(id, reason, now).sessions_ended(&ended, reason);
        self.commit_and_publish(tx, after_commit, now).await?;
        tracing::info!(user_id = %id, count = ended.len(), %reason, "sessions ended");
        Ok(ended.len())
    }
}
