//! Tokens, for services that ask about them (RFC 7662) or take them back (RFC 7009).

use std::sync::Arc;

use gateward_domain::ports::{Access, StoreError};
use gateward_domain::{RequestInfo, Session, SessionId, Timestamp, TokenError, TokenId, User};

use crate::{App, AuthenticateError, LogoutError};

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// It opens doors.
    Access(TokenId),
    /// It gets the next pair.
    Refresh,
}

/// A token that can be used now.
#[derive(Clone, Debug)]
pub struct ActiveToken {
    /// What it is for.
    pub kind: TokenKind,
    /// Whose it is, as they are now.
    pub user: Arc<User>,
    /// Its session.
    pub session_id: SessionId,
    /// When it was made.
    pub issued_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
    /// When the user had last given the password.
    pub auth_time: Timestamp,
}

impl App {
    /// Tells of a token whether it can be used now, and whose it is; `None` of every other text.
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

    /// A refresh token can be used while it is the current one of an active session.
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

    /// Takes a token of either kind back: its session ends. A text that is no token of ours, and a
    /// session that is over, are as good as taken back (RFC 7009, section 2.2).
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
