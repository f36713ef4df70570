//! Logging out: ending one's session, or all of them.

use gateward_domain::ports::{Access, StoreError, Tx};
use gateward_domain::{
    Actor, End, EndReason, Event, EventKind, Origin, Session, SessionId, Timestamp, TokenError,
};

use crate::aftermath::Aftermath;
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
        self.logout_by_refresh_at(token, origin, self.now()).await
    }

    pub(crate) async fn logout_by_refresh_at(
        &self,
        token: &str,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<(), LogoutError> {
        let shown = self.ports.signer.verify_refresh(token, now)?;
        let mut tx = self.ports.store.begin(Access::Write).await?;
        let Some(session) = tx.lock_session(shown.session_id).await? else {
            return Ok(());
        };
        if !shown.proof.holds_for(&session.line.salt) {
            return Err(LogoutError::Token(TokenError::Invalid));
        }
        Ok(self.end_by_logout(tx, &session, origin, now).await?)
    }

    /// Ends the session of an access token.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn logout_by_access(&self, token: &str, origin: &Origin) -> Result<(), LogoutError> {
        let now = self.now();
        let claims = self.ports.signer.verify_access(token, now)?;
        Ok(self.logout_session_at(claims.session_id, origin, now).await?)
    }

    /// Ends a session whose owner was believed already.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn logout_session(&self, id: SessionId, origin: &Origin) -> Result<(), StoreError> {
        self.logout_session_at(id, origin, self.now()).await
    }

    pub(crate) async fn logout_session_at(
        &self,
        id: SessionId,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.ports.store.begin(Access::Write).await?;
        match tx.lock_session(id).await? {
            Some(session) => self.end_by_logout(tx, &session, origin, now).await,
            None => Ok(()),
        }
    }

    /// Reads an access token that may have expired, to end its session.
    pub fn past_session(&self, token: &str) -> Result<SessionId, TokenError> {
        let claims = self.ports.signer.verify_past_access(token, self.now())?;
        Ok(claims.session_id)
    }

    /// Ends a session that is locked, and writes it down if it was alive.
    async fn end_by_logout(
        &self,
        mut tx: Box<dyn Tx>,
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
        let aftermath = Aftermath::default().session_ended(session.id, reason);
        self.conclude(tx, aftermath, now).await?;
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
        let except = except_current.then_some(caller.session_id);
        let mut tx = self.ports.store.begin(Access::Write).await?;
        tx.lock_user(caller.user.id).await?;
        let end = End { at: now, reason };
        let ended = tx.end_sessions_of_user(caller.user.id, except, end).await?;
        let event = self.event_of(caller, EventKind::SessionsEnded(reason), origin, now);
        tx.insert_event(&event).await?;
        self.conclude(tx, Aftermath::default().sessions_ended(&ended, reason), now).await?;
        let count = ended.len();
        tracing::info!(user_id = %caller.user.id, count, %reason, "sessions ended");
        Ok(())
    }
}
