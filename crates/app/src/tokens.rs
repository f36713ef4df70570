//! Token introspection (RFC 7662) and revocation (RFC 7009).

use std::sync::Arc;

use gateward_domain::ports::{Access, StoreError};
use gateward_domain::refresh::PresentedToken;
use gateward_domain::{
    EndReason, RequestInfo, Session, SessionId, Timestamp, TokenError, TokenId, User,
};

use crate::{App, AuthenticateError, LogoutError};

/// The kind of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// An access token.
    Access(TokenId),
    /// A refresh token.
    Refresh,
}

/// A token that is currently valid.
#[derive(Clone, Debug)]
pub struct ActiveToken {
    /// The token's kind.
    pub kind: TokenKind,
    /// The token's user, as they are now.
    pub user: Arc<User>,
    /// The token's session.
    pub session_id: SessionId,
    /// Time of issue, UTC.
    pub issued_at: Timestamp,
    /// Expiry, UTC.
    pub expires_at: Timestamp,
    /// Time at which the user had last entered the password, UTC.
    pub auth_time: Timestamp,
}

/// Why a token is not active.
#[derive(Debug, thiserror::Error)]
pub enum InactiveToken {
    /// The token is not accepted.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The session of the token has ended.
    #[error("the session has ended: {0}")]
    SessionEnded(EndReason),
    /// The refresh token was already used.
    #[error("the refresh token was already used")]
    Spent,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Returns a token's user and claims if it is currently valid. `None` for any other string.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn introspect(&self, token: &str) -> Result<Option<ActiveToken>, StoreError> {
        match self.check_token(token).await {
            Ok(active) => Ok(Some(active)),
            Err(InactiveToken::Store(error)) => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// Returns a token's user and claims if it is currently valid, and why it is not otherwise.
    /// Nothing changes, even if a spent refresh token is presented.
    pub async fn check_token(&self, token: &str) -> Result<ActiveToken, InactiveToken> {
        let now = self.now();
        match self.authenticate_at(token, now).await {
            Ok(caller) => {
                let claims = self.ports.signer.verify_access(token, now)?;
                Ok(ActiveToken {
                    kind: TokenKind::Access(claims.id),
                    user: caller.user,
                    session_id: claims.session_id,
                    issued_at: claims.issued_at,
                    expires_at: claims.expires_at,
                    auth_time: claims.auth_time,
                })
            }
            Err(AuthenticateError::Token(TokenError::WrongKind)) => {
                self.check_refresh_token(token, now).await
            }
            Err(AuthenticateError::Token(error)) => Err(error.into()),
            Err(AuthenticateError::SessionEnded(reason)) => {
                Err(InactiveToken::SessionEnded(reason))
            }
            Err(AuthenticateError::Store(error)) => Err(error.into()),
        }
    }

    /// A refresh token is active while it is the current one of an active session.
    async fn check_refresh_token(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<ActiveToken, InactiveToken> {
        let presented = self.ports.signer.verify_refresh(token, now)?;
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let found = tx.find_session(presented.session_id).await?;
        tx.commit().await?;
        let (session, user) = found.ok_or(TokenError::Invalid)?;
        check_current(&session, &presented, now)?;
        let reason = match user {
            Some(user) if !user.disabled => {
                return Ok(ActiveToken {
                    kind: TokenKind::Refresh,
                    user: Arc::new(user),
                    session_id: session.id,
                    issued_at: session.refresh_state.rotated_at,
                    expires_at: presented.expires_at,
                    auth_time: session.auth_time,
                });
            }
            Some(_) => EndReason::AccountDisabled,
            None => EndReason::AccountDeleted,
        };
        Err(InactiveToken::SessionEnded(reason))
    }

    /// Revokes a token of either kind by ending its session. An unknown token or an ended session
    /// is a success (RFC 7009, section 2.2).
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn revoke_token(
        &self,
        token: &str,
        request_info: &RequestInfo,
    ) -> Result<(), StoreError> {
        let now = self.now();
        match self.ports.signer.verify_access_ignoring_expiry(token, now) {
            Ok(claims) => self.logout_session_at(claims.session_id, request_info, now).await,
            Err(TokenError::WrongKind) => {
                match self.logout_by_refresh_at(token, request_info, now).await {
                    Err(LogoutError::Store(error)) => Err(error),
                    Ok(()) | Err(LogoutError::Token(_)) => Ok(()),
                }
            }
            Err(_) => Ok(()),
        }
    }
}

/// Checks that a refresh token is the current one of its session, and that the session is active.
pub(crate) fn check_current(
    session: &Session,
    presented: &PresentedToken,
    now: Timestamp,
) -> Result<(), InactiveToken> {
    if !presented.proof.holds_for(&session.refresh_state.salt) {
        return Err(TokenError::Invalid.into());
    }
    if presented.expires_at <= now {
        return Err(TokenError::Expired.into());
    }
    if let Some(end) = session.end(now) {
        return Err(InactiveToken::SessionEnded(end.reason));
    }
    if presented.generation != session.refresh_state.generation {
        return Err(InactiveToken::Spent);
    }
    Ok(())
}
