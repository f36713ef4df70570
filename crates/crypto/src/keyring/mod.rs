//! `Keyring`: creates keys, signs tokens and verifies them.

mod auditor;
#[cfg(any(test, feature = "forge"))]
mod forger;
mod jwk;
mod maker;
mod material;
mod reader;
mod ring;
mod signer;
mod verified;
mod wrap;

use std::sync::{Arc, PoisonError, RwLock};

use gateward_domain::ports::Entropy;

use self::ring::{Lives, Ring};
use self::verified::Verified;
use crate::MasterKeys;

/// The content and lifetimes of tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyringSettings {
    /// The issuer of all tokens, and the audience of refresh tokens.
    pub issuer: String,
    /// The audience of access tokens.
    pub audience: String,
    /// Maximum lifetime of an access token in seconds.
    pub access_ttl_seconds: i64,
    /// Maximum lifetime of a session in seconds, and therefore of everything a refresh key signs.
    pub session_max_seconds: i64,
    /// Approximate number of access tokens whose valid signature is cached. 0 turns the cache off.
    pub verified_max: usize,
    /// The dialects whose claims every access token carries too.
    pub dialect_claims: DialectClaims,
}

/// The dialects whose claims every access token carries, so that their resource servers accept it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DialectClaims {
    /// djangorestframework-simplejwt: `token_type` and `user_id`.
    pub simplejwt: bool,
    /// Flask-JWT-Extended: `type`, `fresh`, `csrf` and `user_id`.
    pub flask: bool,
}

/// The installed keys and the operations on them. Empty until keys are installed.
pub struct Keyring {
    settings: KeyringSettings,
    masters: MasterKeys,
    entropy: Arc<dyn Entropy>,
    ring: RwLock<Arc<Ring>>,
    verified: Verified,
}

impl Keyring {
    /// Creates a keyring without keys. One master key is enough. With two, the previous one unwraps
    /// what the current one cannot.
    #[must_use]
    pub fn new(
        settings: KeyringSettings,
        masters: impl Into<MasterKeys>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let ring = RwLock::new(Arc::new(Ring::empty(settings.lives())));
        let verified = Verified::new(settings.verified_max);
        Self { settings, masters: masters.into(), entropy, ring, verified }
    }

    fn ring(&self) -> Arc<Ring> {
        // The value is only ever replaced as a whole, so it is consistent even if a writer has
        // panicked.
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl KeyringSettings {
    const fn lives(&self) -> Lives {
        Lives { access: self.access_ttl_seconds, refresh: self.session_max_seconds }
    }
}

#[cfg(test)]
mod tests;
