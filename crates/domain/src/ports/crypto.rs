//! `PasswordHasher`, `TokenSigner`, `LinkMaker`, `AuditKeys` and `KeyMaker`: what needs
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
    /// Too many are waiting; refused at once.
    #[error("too many passwords wait to be hashed")]
    Overloaded {
        /// After how many seconds it is worth trying again.
        retry_after_seconds: u32,
    },
    /// The stored hash cannot be read.
    #[error("the stored hash cannot be read")]
    Malformed,
    /// The hasher has failed.
    #[error("the hasher has failed")]
    Failed,
}

/// Hashes passwords, slowly on purpose.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait PasswordHasher: Send + Sync {
    /// Hashes a password with the present parameters and a new salt.
    async fn hash(&self, password: &Password) -> Result<PasswordHash, HashError>;

    /// Whether the hash is of this password.
    async fn verify(&self, password: &Password, hash: &PasswordHash) -> Result<bool, HashError>;

    /// Whether the hash was made with other than the present parameters.
    fn needs_rehash(&self, hash: &PasswordHash) -> bool;
}

/// Makes tokens and reads them.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait TokenSigner: Send + Sync {
    /// Makes an access token.
    #[expect(clippy::elidable_lifetime_names, reason = "the mock needs a name for it")]
    fn sign_access<'a>(&self, grant: &AccessGrant<'a>) -> Result<TokenText, TokenError>;

    /// Makes the current refresh token of a session: always the same text for the same line.
    fn sign_refresh(&self, session: &Session) -> Result<TokenText, TokenError>;

    /// Reads an access token: signature, kind, issuer, audience and time.
    fn verify_access(&self, token: &str, now: Timestamp) -> Result<AccessClaims, TokenError>;

    /// The same, whether or not its time is over: a logout takes one that has expired.
    fn verify_access_ignoring_expiry(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<AccessClaims, TokenError>;

    /// Reads a refresh token: signature, kind and issuer. Whether its time is over is for the
    /// caller to judge, because a logout takes one that has expired.
    fn verify_refresh(&self, token: &str, now: Timestamp) -> Result<PresentedToken, TokenError>;

    /// What a page of ours must send back with everything that it asks for by a cookie of this
    /// session: always the same for the same session, and nobody can make it who has not the keys.
    fn csrf_token(&self, session_id: SessionId) -> Result<TokenText, TokenError>;

    /// The key that signs refresh tokens at `now`.
    fn refresh_key(&self, now: Timestamp) -> Result<KeyId, TokenError>;

    /// The public keys at `now`, as a JSON Web Key Set (RFC 7517, section 5); `None` if there are
    /// none.
    fn jwks(&self, now: Timestamp) -> Option<String>;
}

/// Makes the secrets of mailed links: always the same for the same key and salt, so that nothing of
/// them has to be stored and an email that is sent again is the same email.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait LinkMaker: Send + Sync {
    /// The key that the secrets of links made at `now` follow from.
    fn link_key(&self, now: Timestamp) -> Result<KeyId, TokenError>;

    /// The token and the code that follow from this key and salt.
    fn link_secret(&self, key: &KeyId, salt: &Salt) -> Result<LinkSecret, TokenError>;
}

/// Signs the heads of the audit trail, and makes names that tell nothing.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait AuditKeys: Send + Sync {
    /// Signs a head.
    fn sign_checkpoint(
        &self,
        kind: CheckpointKind,
        checkpoint: &Checkpoint,
    ) -> Result<String, TokenError>;

    /// Reads a signature: which head it is on, and what it says of it. [`TokenError::Invalid`] if
    /// no key of this installation has made it.
    fn read_checkpoint(&self, signature: &str) -> Result<(CheckpointKind, Checkpoint), TokenError>;

    /// A digest of a text: always the same for the same text, and nobody can find or check the text
    /// who has not the key.
    fn pseudonym(&self, text: &str) -> Result<[u8; 32], TokenError>;
}

/// Why a key could not be made or used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The master key does not open it.
    #[error("the master key does not open key {0}")]
    CannotOpen(KeyId),
    /// It cannot be read.
    #[error("key {0} is corrupt")]
    Corrupt(KeyId),
    /// It could not be made.
    #[error("a key could not be made")]
    Failed,
}

/// Makes keys and takes them into use.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait KeyMaker: Send + Sync {
    /// Makes a key and seals its private part.
    fn make_key(
        &self,
        purpose: KeyPurpose,
        algorithm: Algorithm,
        now: Timestamp,
        active_from: Timestamp,
    ) -> Result<StoredKey, KeyError>;

    /// Takes exactly these keys into use, all or none. One that is in use already is not opened
    /// anew, so a key that was sealed with another master key meanwhile goes on.
    fn install_keys(&self, keys: &[StoredKey]) -> Result<(), KeyError>;

    /// Whether the master key opens all of these; takes none into use.
    fn check_keys(&self, keys: &[StoredKey]) -> Result<(), KeyError>;

    /// The same key, sealed with the present master key. It may have been sealed with the one
    /// before.
    fn rewrap_key(&self, key: &StoredKey) -> Result<StoredKey, KeyError>;
}
