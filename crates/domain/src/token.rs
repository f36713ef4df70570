//! Tokens: what they say, and the pair that a login gives.

use std::fmt;

use subtle::ConstantTimeEq;

use crate::key::KeyId;
use crate::{SessionId, Timestamp, TokenId, User, UserId};

/// The text of a token. Whoever holds it is believed, so `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenText(String);

impl TokenText {
    /// Takes the text of a token.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// Whether this is the text; takes the same time wherever the first difference is.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        self.0.as_bytes().ct_eq(text.as_bytes()).into()
    }

    /// The text, for its owner alone.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for TokenText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TokenText(…)")
    }
}

/// What goes into an access token (RFC 9068, section 2.2), besides what the signer adds: issuer,
/// audience and client.
#[derive(Clone, Debug)]
pub struct AccessGrant<'a> {
    /// The token's own identifier.
    pub id: TokenId,
    /// The subject, with name, address and roles.
    pub user: &'a User,
    /// The session.
    pub session_id: SessionId,
    /// When the user last gave the password.
    pub auth_time: Timestamp,
    /// When the token is made.
    pub issued_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
}

/// What is taken from an access token that was found to be ours and in time.
///
/// Rights are not among it: those are read from the store, so that a change works at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessClaims {
    /// The token's own identifier.
    pub id: TokenId,
    /// The key that signed it, the `kid` of its header.
    pub key_id: KeyId,
    /// The subject.
    pub user_id: UserId,
    /// The session.
    pub session_id: SessionId,
    /// When the user had last given the password.
    pub auth_time: Timestamp,
    /// When the token was made.
    pub issued_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
}

/// An access token and how long it lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    /// The token.
    pub text: TokenText,
    /// For how many seconds it is good.
    pub expires_in: i64,
}

/// What a login and a refresh give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenPair {
    /// Opens the doors for a short time.
    pub access: AccessToken,
    /// Gets the next pair.
    pub refresh: TokenText,
    /// For how many seconds the refresh token is good.
    pub refresh_expires_in: i64,
    /// The session that both belong to.
    pub session_id: SessionId,
}

/// Why a token is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a token of ours.
    #[error("not a token of this issuer")]
    Invalid,
    /// Ours, but an access token where a refresh token belongs or the reverse.
    #[error("a token of the wrong kind")]
    WrongKind,
    /// Ours, but past its time.
    #[error("the token has expired")]
    Expired,
    /// There is no key to check or to sign with; nobody's fault but ours.
    #[error("no key is available")]
    NoKey,
}
