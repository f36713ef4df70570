//! Confirms the password within a session, before a sensitive action.

use gateward_domain::ports::{Access, HashError, StoreError};
use gateward_domain::{AccessToken, EndReason, EventKind, Password, RequestInfo, TokenError};

use crate::rate_limited::rate_limited;
use crate::{App, Caller, RateLimited};

/// Evidence that the caller has confirmed the password, now or recently. Nothing is written yet.
#[derive(Debug)]
pub struct PasswordConfirmed(());

impl PasswordConfirmed {
    /// The password was confirmed recently within this session.
    pub(crate) const fn recently() -> Self {
        Self(())
    }
}

/// The result of a password confirmation.
#[derive(Debug)]
pub struct Reauthenticated {
    /// An access token with the new `auth_time`.
    pub access: AccessToken,
    /// Number of seconds until the session expires without a refresh.
    pub session_expires_in: i64,
}

/// Why the password was not confirmed.
#[derive(Debug, thiserror::Error)]
pub enum ReauthenticateError {
    /// The password is wrong.
    #[error("wrong password")]
    WrongPassword,
    /// A rate limit applies.
    #[error(transparent)]
    RateLimited(#[from] RateLimited),
    /// The session ended meanwhile.
    #[error("the session has ended: {0}")]
    SessionEnded(EndReason),
    /// The password could not be checked.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The token could not be issued.
    #[error("the token could not be created")]
    Token(#[from] TokenError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// The first half of a password confirmation: checks the password. Writes nothing, except a
    /// failed attempt; see [`App::login`] for why there are two halves.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn verify_again(
        &self,
        caller: &Caller,
        password: &Password,
        request_info: &RequestInfo,
    ) -> Result<PasswordConfirmed, ReauthenticateError> {
        let now = self.now();
        let mut limits = self.session_rate_limit(caller.session_id, request_info)?;
        self.check_rate_limit_in_own_tx(&mut limits, now).await?;
        if self.ports.hasher.verify(password, &caller.user.password_hash).await? {
            self.reset_failures_in_own_tx(&limits, now).await?;
            return Ok(PasswordConfirmed(()));
        }
        let event = self.event_of(caller, EventKind::PasswordRefused, request_info, now);
        self.record_failure(&limits, Some(event), now).await?;
        Err(ReauthenticateError::WrongPassword)
    }

    /// The second half: records on the session that its user has entered the password now. The
    /// refresh token does not rotate.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn reauthenticate(
        &self,
        caller: &Caller,
        _: PasswordConfirmed,
        request_info: &RequestInfo,
    ) -> Result<Reauthenticated, ReauthenticateError> {
        let now = self.now();
        let user = &caller.user;
        let mut tx = self.ports.store.begin(Access::Write).await?;
        // The password may have been changed during hashing.
        let user = match tx.lock_user(user.id).await? {
            Some(locked) if locked.credentials_version == user.credentials_version => locked,
            _ => return Err(ReauthenticateError::WrongPassword),
        };
        let alive = tx.set_session_auth_time(caller.session_id, now).await?;
        let session = tx.find_session(caller.session_id).await?.map(|(session, _)| session);
        let end = session.as_ref().and_then(|session| session.end(now));
        let Some(session) = session.filter(|_| alive && end.is_none()) else {
            let reason = end.map_or(EndReason::Logout, |end| end.reason);
            return Err(ReauthenticateError::SessionEnded(reason));
        };
        let event = self.event_of(caller, EventKind::Reauthenticated, request_info, now);
        tx.insert_event(&event).await?;
        tx.commit().await?;
        tracing::info!(user_id = %user.id, session_id = %session.id, "password confirmed");
        let session_expires_in = session.refresh_state.expires_at.seconds() - now.seconds();
        let access = self.issue_access::<ReauthenticateError>(&user, &session, true, now).await?;
        Ok(Reauthenticated { access, session_expires_in })
    }
}

rate_limited!(ReauthenticateError);
