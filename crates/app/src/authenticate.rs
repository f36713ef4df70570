//! Telling who calls, from an access token.

use gateward_domain::ports::{Access, StoreError};
use gateward_domain::{EndReason, Session, TokenError, User};

use crate::App;

/// Who calls: the account and the session as they are now, not as the token tells.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The account.
    pub user: User,
    /// The session.
    pub session: Session,
}

/// Why nobody is believed to call.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticateError {
    /// The token is not believed.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The session is over.
    #[error("the session is over: {0}")]
    SessionEnded(EndReason),
    /// The store has failed; nobody is let in on what cannot be known.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Checks an access token and reads whose it is.
    ///
    /// Roles and state come from the store: a change works on the next request.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn authenticate(&self, token: &str) -> Result<Caller, AuthenticateError> {
        let now = self.now();
        let claims = self.ports.signer.verify_access(token, now)?;
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let found = tx.find_session(claims.session_id).await?;
        tx.commit().await?;

        let Some((session, user)) = found else {
            return Err(AuthenticateError::Token(TokenError::Invalid));
        };
        if session.user_id != claims.user_id {
            return Err(AuthenticateError::Token(TokenError::Invalid));
        }
        if let Some(end) = session.end(now) {
            return Err(AuthenticateError::SessionEnded(end.reason));
        }
        match user {
            None => Err(AuthenticateError::SessionEnded(EndReason::AccountDeleted)),
            Some(user) if user.disabled => {
                Err(AuthenticateError::SessionEnded(EndReason::AccountDisabled))
            }
            Some(user) => Ok(Caller { user, session }),
        }
    }
}
