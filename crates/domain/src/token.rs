//! Tokens: their claims, and the pair that a login returns.

use std::fmt::{self, Write};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::key::KeyId;
use crate::{PublicUserId, SessionId, Timestamp, TokenId, User, UserId};

/// The text of a token. It is a bearer credential, so `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenText(String);

impl TokenText {
    /// Wraps the text of a token.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// Returns whether the text is equal. Runs in constant time, wherever the first difference is.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        self.0.as_bytes().ct_eq(text.as_bytes()).into()
    }

    /// Returns the text. Pass it only to the token's owner.
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

/// What a CSRF token of a dialect is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CsrfUse {
    /// Requests with the access cookie of Flask-JWT-Extended. It is also a claim of the token.
    FlaskAccess,
    /// Requests with the refresh cookie of Flask-JWT-Extended.
    FlaskRefresh,
}

/// Derives a CSRF token for one use from that of the session.
///
/// It cannot be reversed: every service that receives access tokens knows the one in their claims,
/// and must not be able to compute the one that the API expects.
#[must_use]
pub fn derived_csrf_token(of_session: &TokenText, purpose: CsrfUse) -> TokenText {
    let label = match purpose {
        CsrfUse::FlaskAccess => "gateward csrf flask access",
        CsrfUse::FlaskRefresh => "gateward csrf flask refresh",
    };
    let hash =
        Sha256::new().chain_update(label).chain_update([0]).chain_update(of_session.expose());
    let mut text = String::new();
    for byte in hash.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    TokenText::new(text)
}

/// The content of an access token (RFC 9068, section 2.2). The signer adds issuer, audience and
/// client.
#[derive(Clone, Debug)]
pub struct AccessGrant<'a> {
    /// The token's identifier (`jti`).
    pub id: TokenId,
    /// The subject, with username, email address and roles.
    pub user: &'a User,
    /// The subject's identifier for dialects.
    pub public_user_id: PublicUserId,
    /// The session.
    pub session_id: SessionId,
    /// Whether the user entered the password for this token, and not for an earlier one of the
    /// session.
    pub is_fresh: bool,
    /// Time at which the user last entered the password, UTC.
    pub auth_time: Timestamp,
    /// Time of issue, UTC.
    pub issued_at: Timestamp,
    /// Expiry, UTC.
    pub expires_at: Timestamp,
}

/// The claims of a verified access token.
///
/// They do not include permissions: those are read from the store, so that a change takes effect at
/// once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessClaims {
    /// The token's identifier (`jti`).
    pub id: TokenId,
    /// The key that signed the token: the `kid` of its header.
    pub key_id: KeyId,
    /// The subject.
    pub user_id: UserId,
    /// The session.
    pub session_id: SessionId,
    /// Time at which the user had last entered the password, UTC.
    pub auth_time: Timestamp,
    /// Time of issue, UTC.
    pub issued_at: Timestamp,
    /// Expiry, UTC.
    pub expires_at: Timestamp,
}

/// An access token and its lifetime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    /// The token.
    pub text: TokenText,
    /// Lifetime in seconds.
    pub expires_in: i64,
}

/// The tokens that a login and a refresh return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenPair {
    /// The short-lived token that authenticates requests.
    pub access: AccessToken,
    /// The token that fetches the next pair.
    pub refresh: TokenText,
    /// Lifetime of the refresh token in seconds.
    pub refresh_expires_in: i64,
    /// The session of both tokens.
    pub session_id: SessionId,
}

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The token was not issued by this installation.
    #[error("the token was not issued by this server")]
    Invalid,
    /// The token is valid, but is an access token where a refresh token is required, or the
    /// reverse.
    #[error("wrong token type")]
    WrongKind,
    /// The token is valid, but has expired.
    #[error("the token has expired")]
    Expired,
    /// There is no key to verify or to sign with. This is a fault of the server, not of the caller.
    #[error("no key is available")]
    NoKey,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csrf_tokens_of_dialects_depend_on_session_and_use() {
        let of = |session: &str, purpose| {
            let session = TokenText::new(session.to_owned());
            derived_csrf_token(&session, purpose).expose().to_owned()
        };
        let access = of("one", CsrfUse::FlaskAccess);
        assert_eq!(access, of("one", CsrfUse::FlaskAccess));
        assert_ne!(access, of("one", CsrfUse::FlaskRefresh));
        assert_ne!(access, of("two", CsrfUse::FlaskAccess));
        assert_eq!(access.len(), 64);
    }
}
