//! Logging out: ending one's session, or all of them.

use gateward_domain::ports::{Access, StoreError, Tx};
use gateward_domain::{
    Actor, End, EndReason, Event, EventKind, Origin, Session, Timestamp, TokenError,
};

use crate::{App, Caller};

/// Why nobody was logged out.
#[derive(Debug, thiserror::Error)]
pub enum LogoutError {
    /// The token is not believed.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The store has failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why the sessions were not ended.
#[derive(Debug, thiserror::Error)]
pub enum LogoutAllError {
    /// The store has failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Ends the session of a refresh token: the current one, a spent one or an expired one.
    ///
    /// A session that is over already, or forgotten, is what was asked for.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn logout_by_refresh(&self, token: &str, origin: &Origin) -> Result<(), LogoutError> {
        let now = self.now();
        let shown = self.ports.signer.verify_refresh(token, now)?;
        let mut tx = self.ports.store.begin(Access::Write).await?;
        let Some(session) = tx.lock_session(shown.session_id).await? else {
            return Ok(());
        };
        if !shown.proof.holds_for(&session.line.salt) {
            return Err(LogoutError::Token(TokenError::Invalid));
        }
        self.end_by_logout(&mut *tx, &session, origin, now).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Ends the session of an access token.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn logout_by_access(&self, token: &str, origin: &Origin) -> Result<(), LogoutError> {
        let now = self.now();
        let claims = self.ports.signer.verify_access(token, now)?;
        let mut tx = self.ports.store.begin(Access::Write).await?;
        if let Some(session) = tx.lock_session(claims.session_id).await? {
            self.end_by_logout(&mut *tx, &session, origin, now).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Ends a session that is locked, and writes it down if it was alive.
    async fn end_by_logout(
        &self,
        tx: &mut dyn Tx,
        session: &Session,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if !tx.end_session(session.id, End { at: now, reason: EndReason::Logout }).await? {
            return Ok(());
        }
        let reason = session.lapse(now).map_or(EndReason::Logout, |end| end.reason);
        tx.insert_event(&Event {
            user_id: Some(session.user_id),
            session_id: Some(session.id),
            ip: origin.ip,
            ..self.event(EventKind::SessionEnded(reason), Actor::User(session.user_id), now)
        })
        .await?;
        tracing::info!(user_id = %session.user_id, session_id = %session.id, %reason, "session ended");
        Ok(())
    }

    /// Ends every session of the caller, or every other one.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn logout_all(
        &self,
        caller: &Caller,
        except_current: bool,
        origin: &Origin,
    ) -> Result<(), LogoutAllError> {
        let now = self.now();
        let reason = EndReason::LogoutAll;
        let except = except_current.then_some(caller.session.id);
        let mut tx = self.ports.store.begin(Access::Write).await?;
        tx.lock_user(caller.user.id).await?;
        let end = End { at: now, reason };
        let count = tx.end_sessions_of_user(caller.user.id, except, end).await?;
        let event = self.event_of(caller, EventKind::SessionsEnded(reason), origin, now);
        tx.insert_event(&event).await?;
        tx.commit().await?;
        tracing::info!(user_id = %caller.user.id, count, %reason, "sessions ended");
        Ok(())
    }
}
