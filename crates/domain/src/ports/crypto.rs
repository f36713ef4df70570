//! `PasswordHasher`, `TokenSigner`, `LinkMaker`, `AuditKeys` and `KeyMaker`: ports for
//! cryptography.

use async_trait::async_trait;

use crate::audit::{Checkpoint, CheckpointKind};
use crate::key::{Algorithm, KeyId, KeyPurpose, StoredKey};
use crate::link::LinkSecret;
use crate::refresh::{PresentedToken, Salt};
use crate::{
    AccessClaims, AccessGrant, Password, PasswordHash, Session, SessionId, Timestamp, TokenError,
    TokenText,
};

/// Why a password could not be hashed or checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// Too many hashes are waiting. Refused at once.
    #[error("too many passwords are waiting to be hashed")]
    Overloaded {
        /// Number of seconds after which a retry is likely to succeed.
        retry_after_seconds: u32,
    },
    /// The stored hash cannot be parsed.
    #[error("the stored hash cannot be read")]
    Malformed,
    /// The hasher failed.
    #[error("password hashing failed")]
    Failed,
}

/// Hashes passwords, deliberately slowly.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait PasswordHasher: Send + Sync {
    /// Hashes a password with the current parameters and a new salt.
    async fn hash(&self, password: &Password) -> Result<PasswordHash, HashError>;

    /// Returns whether the hash belongs to this password.
    async fn verify(&self, password: &Password, hash: &PasswordHash) -> Result<bool, HashError>;

    /// Returns whether the hash was made with other than the current parameters.
    fn needs_rehash(&self, hash: &PasswordHash) -> bool;
}

/// Issues and verifies tokens.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait TokenSigner: Send + Sync {
    /// Issues an access token.
    #[expect(clippy::elidable_lifetime_names, reason = "the mock needs a name for it")]
    fn sign_access<'a>(&self, grant: &AccessGrant<'a>) -> Result<TokenText, TokenError>;

    /// Issues the current refresh token of a session. The same refresh state always yields the same
    /// token.
    fn sign_refresh(&self, session: &Session) -> Result<TokenText, TokenError>;

    /// Verifies an access token: signature, kind, issuer, audience and time.
    fn verify_access(&self, token: &str, now: Timestamp) -> Result<AccessClaims, TokenError>;

    /// Like [`TokenSigner::verify_access`], but accepts an expired token, so that a logout works
    /// with one.
    fn verify_access_ignoring_expiry(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<AccessClaims, TokenError>;

    /// Verifies a refresh token: signature, kind and issuer. The caller checks the expiry, because
    /// a logout accepts an expired token.
    fn verify_refresh(&self, token: &str, now: Timestamp) -> Result<PresentedToken, TokenError>;

    /// Returns the CSRF token that pages must send with every request authenticated by the cookie
    /// of this session. It is the same for the whole session and cannot be computed without the
    /// keys.
    fn csrf_token(&self, session_id: SessionId) -> Result<TokenText, TokenError>;

    /// Returns the key that signs refresh tokens at `now`.
    fn refresh_key(&self, now: Timestamp) -> Result<KeyId, TokenError>;

    /// Returns the public keys at `now`, as a JSON Web Key Set (RFC 7517, section 5). `None` if
    /// there are none.
    fn jwks(&self, now: Timestamp) -> Option<String>;
}

/// Derives the secrets of emailed links. The same key and salt always yield the same secrets, so no
/// secret is stored and an email that is sent again is identical.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait LinkMaker: Send + Sync {
    /// Returns the key from which links created at `now` derive their secrets.
    fn link_key(&self, now: Timestamp) -> Result<KeyId, TokenError>;

    /// Derives the token and the code from this key and salt.
    fn link_secret(&self, key: &KeyId, salt: &Salt) -> Result<LinkSecret, TokenError>;
}

/// Signs the checkpoints of the audit trail, and derives pseudonyms.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait AuditKeys: Send + Sync {
    /// Signs a checkpoint.
    fn sign_checkpoint(
        &self,
        kind: CheckpointKind,
        checkpoint: &Checkpoint,
    ) -> Result<String, TokenError>;

    /// Verifies a signature and returns the checkpoint and what the signature certifies. Returns
    /// [`TokenError::Invalid`] if no key of this installation made it.
    fn read_checkpoint(&self, signature: &str) -> Result<(CheckpointKind, Checkpoint), TokenError>;

    /// Returns a keyed digest of a string. The same string always has the same digest. Without the
    /// key, the string can be neither found nor checked.
    fn pseudonym(&self, text: &str) -> Result<[u8; 32], TokenError>;
}

/// Why a key could not be created or used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The master key cannot unwrap the key.
    #[error("the master key does not decrypt key {0}")]
    CannotOpen(KeyId),
    /// The key cannot be parsed.
    #[error("key {0} is corrupt")]
    Corrupt(KeyId),
    /// The key could not be created.
    #[error("a key could not be created")]
    Failed,
}

/// Creates keys and installs them.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait KeyMaker: Send + Sync {
    /// Creates a key and wraps its private part.
    fn make_key(
        &self,
        purpose: KeyPurpose,
        algorithm: Algorithm,
        now: Timestamp,
        active_from: Timestamp,
    ) -> Result<StoredKey, KeyError>;

    /// Installs exactly these keys, all or none. A key that is already installed is not unwrapped
    /// again, so it stays in use even if it was rewrapped with another master key meanwhile.
    fn install_keys(&self, keys: &[StoredKey]) -> Result<(), KeyError>;

    /// Checks that the master key unwraps all of these keys, without installing any.
    fn check_keys(&self, keys: &[StoredKey]) -> Result<(), KeyError>;

    /// Returns the same key, wrapped with the current master key. It may be wrapped with the
    /// previous one.
    fn rewrap_key(&self, key: &StoredKey) -> Result<StoredKey, KeyError>;
}
