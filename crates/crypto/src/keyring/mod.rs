//! `Keyring`: makes keys, signs tokens and reads them.

mod auditor;
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

/// What the tokens say, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyringSettings {
    /// The issuer of all tokens, and the audience of refresh tokens.
    pub issuer: String,
    /// The audience of access tokens.
    pub audience: String,
    /// The longest life of an access token, in seconds.
    pub access_ttl_seconds: i64,
    /// The longest life of a session, in seconds, and so of what a refresh key signs.
    pub session_max_seconds: i64,
    /// Of about how many access tokens it is remembered that the signature is good; 0 for none.
    pub verified_max: usize,
}

/// The keys in use, and what is done with them. Holds none until some are installed.
pub struct Keyring {
    settings: KeyringSettings,
    masters: MasterKeys,
    entropy: Arc<dyn Entropy>,
    ring: RwLock<Arc<Ring>>,
    verified: Verified,
}

impl Keyring {
    /// Makes a keyring without keys. A single master key will do; with two, the one before opens
    /// what the present one does not.
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
        // Only a whole ring is ever put there, so it is sound even if a writer has panicked.
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
