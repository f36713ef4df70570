//! Authenticates a caller by an access token.

use std::sync::Arc;

use gateward_domain::key::KeyState;
use gateward_domain::ports::{Access, StoreError};
use gateward_domain::{
    AccessClaims, EndReason, Permission, SessionId, Timestamp, TokenError, User,
};

use crate::App;

/// An authenticated caller, with the account as it is now, not as the token describes it.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The caller's account.
    pub user: Arc<User>,
    /// The session of the token.
    pub session_id: SessionId,
    /// Time at which the user had last entered the password when the token was issued, UTC.
    pub auth_time: Timestamp,
}

/// Why a caller is not authenticated.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticateError {
    /// The token is not accepted.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The session has ended.
    #[error("the session has ended: {0}")]
    SessionEnded(EndReason),
    /// The store failed. The request is refused, because the session cannot be checked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The caller lacks a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("permission denied: {} is required", .0.as_str())]
pub struct Forbidden(pub Permission);

impl Caller {
    /// Checks that the caller's current roles grant a permission.
    pub(crate) fn require(&self, permission: Permission) -> Result<(), Forbidden> {
        if self.user.permissions.contains(permission) { Ok(()) } else { Err(Forbidden(permission)) }
    }
}

impl App {
    /// Verifies an access token and returns its caller, from the cache if it is fresh, from the
    /// store otherwise.
    ///
    /// Roles and state are those of the account: a change takes effect on the next request.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn authenticate(&self, token: &str) -> Result<Caller, AuthenticateError> {
        self.authenticate_at(token, self.now()).await
    }

    pub(crate) async fn authenticate_at(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<Caller, AuthenticateError> {
        let claims = self.ports.signer.verify_access(token, now)?;
        let auth_cache = &*self.ports.auth_cache;
        // The cache keeps ended sessions for the lifetime of a token. This token may live longer,
        // if the lifetime was longer when it was issued.
        let life = claims.expires_at.seconds_since(claims.issued_at);
        if !auth_cache.is_fresh() || life > self.policy.access_ttl_seconds {
            return self.authenticate_by_store(&claims, now).await;
        }
        if let Some(reason) = auth_cache.find_end(&claims) {
            return Err(AuthenticateError::SessionEnded(reason));
        }
        if let Some(user) = auth_cache.find_user(&claims) {
            return caller(&claims, Some(user));
        }
        let mark = auth_cache.begin_read();
        let caller = self.authenticate_by_store(&claims, now).await?;
        auth_cache.remember_user(&caller.user, caller.session_id, mark);
        Ok(caller)
    }

    /// Reads everything that may have changed from the store: key, session and user.
    async fn authenticate_by_store(
        &self,
        claims: &AccessClaims,
        now: Timestamp,
    ) -> Result<Caller, AuthenticateError> {
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let keys = tx.list_keys().await?;
        let found = tx.find_session(claims.session_id).await?;
        tx.commit().await?;

        let key = keys.iter().find(|key| key.id == claims.key_id);
        if key.is_none_or(|key| self.key_state(key, &keys, now) == KeyState::Retired) {
            return Err(AuthenticateError::Token(TokenError::Invalid));
        }
        let Some((session, user)) = found else {
            return Err(AuthenticateError::Token(TokenError::Invalid));
        };
        if session.user_id != claims.user_id {
            return Err(AuthenticateError::Token(TokenError::Invalid));
        }
        if let Some(end) = session.end(now) {
            return Err(AuthenticateError::SessionEnded(end.reason));
        }
        caller(claims, user.map(Arc::new))
    }
}

/// Returns the caller if the account is enabled.
fn caller(claims: &AccessClaims, user: Option<Arc<User>>) -> Result<Caller, AuthenticateError> {
    match user {
        None => Err(AuthenticateError::SessionEnded(EndReason::AccountDeleted)),
        Some(user) if user.disabled => {
            Err(AuthenticateError::SessionEnded(EndReason::AccountDisabled))
        }
        Some(user) => {
            Ok(Caller { user, session_id: claims.session_id, auth_time: claims.auth_time })
        }
    }
}
