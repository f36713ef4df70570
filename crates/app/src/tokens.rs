//! Token introspection (RFC 7662) and revocation (RFC 7009).

use std::sync::Arc;

use gateward_domain::ports::{Access, StoreError};
use gateward_domain::{RequestInfo, Session, SessionId, Timestamp, TokenError, TokenId, User};

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

impl App {
    /// Returns a token's user and claims if it is currently valid. `None` for any other string.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn introspect(&self, token: &str) -> Result<Option<ActiveToken>, StoreError> {
        let now = self.now();
        match self.authenticate_at(token, now).await {
            Ok(caller) => {
                let claims = self.ports.signer.verify_access(token, now);
                Ok(claims.ok().map(|claims| ActiveToken {
                    kind: TokenKind::Access(claims.id),
                    user: caller.user,
                    session_id: claims.session_id,
                    issued_at: claims.issued_at,
                    expires_at: claims.expires_at,
                    auth_time: claims.auth_time,
                }))
            }
            Err(AuthenticateError::Store(error)) => Err(error),
            Err(AuthenticateError::Token(TokenError::WrongKind)) => {
                self.introspect_refresh(token, now).await
            }
            Err(AuthenticateError::Token(_) | AuthenticateError::SessionEnded(_)) => Ok(None),
        }
    }

    /// A refresh token is active while it is the current one of an active session.
    async fn introspect_refresh(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<Option<ActiveToken>, StoreError> {
        let presented = self.ports.signer.verify_refresh(token, now);
        let Ok(presented) = presented else { return Ok(None) };
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let found = tx.find_session(presented.session_id).await?;
        tx.commit().await?;
        let is_current = |session: &Session| {
            presented.proof.holds_for(&session.refresh_state.salt)
                && presented.generation == session.refresh_state.generation
                && presented.expires_at > now
                && session.end(now).is_none()
        };
        let Some((session, Some(user))) = found else { return Ok(None) };
        Ok((is_current(&session) && !user.disabled).then(|| ActiveToken {
            kind: TokenKind::Refresh,
            user: Arc::new(user),
            session_id: session.id,
            issued_at: session.refresh_state.rotated_at,
            expires_at: presented.expires_at,
            auth_time: session.auth_time,
        }))
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
