//! Logs out: ends one session of the caller, or all of them.

use gateward_domain::ports::{Access, StoreError, Tx};
use gateward_domain::{
    Actor, End, EndReason, Event, EventKind, RequestInfo, Session, SessionId, Timestamp, TokenError,
};

use crate::after_commit::AfterCommit;
use crate::tokens::check_current;
use crate::{App, Caller, InactiveToken};

/// Why a logout failed.
#[derive(Debug, thiserror::Error)]
pub enum LogoutError {
    /// The token is not accepted.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why the sessions were not ended.
#[derive(Debug, thiserror::Error)]
pub enum LogoutAllError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Ends the session of a refresh token, whether the token is current, spent or expired.
    ///
    /// Idempotent: a session that has ended or was deleted is a success.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn logout_by_refresh(
        &self,
        token: &str,
        request_info: &RequestInfo,
    ) -> Result<(), LogoutError> {
        self.logout_by_refresh_at(token, request_info, self.now()).await
    }

    pub(crate) async fn logout_by_refresh_at(
        &self,
        token: &str,
        request_info: &RequestInfo,
        now: Timestamp,
    ) -> Result<(), LogoutError> {
        let presented = self.ports.signer.verify_refresh(token, now)?;
        let mut tx = self.ports.store.begin(Access::Write).await?;
        let Some(session) = tx.lock_session(presented.session_id).await? else {
            return Ok(());
        };
        if !presented.proof.holds_for(&session.refresh_state.salt) {
            return Err(LogoutError::Token(TokenError::Invalid));
        }
        Ok(self.end_by_logout(tx, &session, request_info, now).await?)
    }

    /// Ends the session of its current refresh token. Unlike [`App::logout_by_refresh`], it refuses
    /// every other token. A spent one ends the session all the same: its owner wants to log out, or
    /// someone else has it.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn logout_by_current_refresh(
        &self,
        token: &str,
        request_info: &RequestInfo,
    ) -> Result<(), InactiveToken> {
        let now = self.now();
        let presented = self.ports.signer.verify_refresh(token, now)?;
        let mut tx = self.ports.store.begin(Access::Write).await?;
        let session = tx.lock_session(presented.session_id).await?;
        let session = session.ok_or(TokenError::Invalid)?;
        let checked = check_current(&session, &presented, now);
        if matches!(checked, Ok(()) | Err(InactiveToken::Spent)) {
            self.end_by_logout(tx, &session, request_info, now).await?;
        }
        checked
    }

    /// Ends the session of an access token.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn logout_by_access(
        &self,
        token: &str,
        request_info: &RequestInfo,
    ) -> Result<(), LogoutError> {
        let now = self.now();
        let claims = self.ports.signer.verify_access(token, now)?;
        Ok(self.logout_session_at(claims.session_id, request_info, now).await?)
    }

    /// Ends a session whose owner was already authenticated.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn logout_session(
        &self,
        id: SessionId,
        request_info: &RequestInfo,
    ) -> Result<(), StoreError> {
        self.logout_session_at(id, request_info, self.now()).await
    }

    pub(crate) async fn logout_session_at(
        &self,
        id: SessionId,
        request_info: &RequestInfo,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.ports.store.begin(Access::Write).await?;
        match tx.lock_session(id).await? {
            Some(session) => self.end_by_logout(tx, &session, request_info, now).await,
            None => Ok(()),
        }
    }

    /// Verifies an access token that may have expired, to end its session.
    pub fn past_session(&self, token: &str) -> Result<SessionId, TokenError> {
        let claims = self.ports.signer.verify_access_ignoring_expiry(token, self.now())?;
        Ok(claims.session_id)
    }

    /// Ends a locked session, and writes the event if it was active.
    async fn end_by_logout(
        &self,
        mut tx: Box<dyn Tx>,
        session: &Session,
        request_info: &RequestInfo,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if !tx.end_session(session.id, End { at: now, reason: EndReason::Logout }).await? {
            return Ok(());
        }
        let reason = session.lapse(now).map_or(EndReason::Logout, |end| end.reason);
        tx.insert_event(&Event {
            user_id: Some(session.user_id),
            session_id: Some(session.id),
            ip: request_info.ip,
            ..self.event(EventKind::SessionEnded(reason), Actor::User(session.user_id), now)
        })
        .await?;
        let after_commit = AfterCommit::default().session_ended(session.id, reason);
        self.commit_and_publish(tx, after_commit, now).await?;
        tracing::info!(user_id = %session.user_id, session_id = %session.id, %reason, "session ended");
        Ok(())
    }

    /// Ends every session of the caller, or every other one.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn logout_all(
        &self,
        caller: &Caller,
        except_current: bool,
        request_info: &RequestInfo,
    ) -> Result<(), LogoutAllError> {
        let now = self.now();
        let reason = EndReason::LogoutAll;
        let except = except_current.then_some(caller.session_id);
        let mut tx = self.ports.store.begin(Access::Write).await?;
        tx.lock_user(caller.user.id).await?;
        let end = End { at: now, reason };
        let ended = tx.end_sessions_of_user(caller.user.id, except, end).await?;
        let event = self.event_of(caller, EventKind::SessionsEnded(reason), request_info, now);
        tx.insert_event(&event).await?;
        self.commit_and_publish(tx, AfterCommit::default().sessions_ended(&ended, reason), now)
            .await?;
        let count = ended.len();
        tracing::info!(user_id = %caller.user.id, count, %reason, "sessions ended");
        Ok(())
    }
}
