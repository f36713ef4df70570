//! The keyring of the targets.

use std::sync::Arc;

use gateward_crypto::{DialectClaims, Keyring, KeyringSettings, MasterKey};
use gateward_testkit::SeededEntropy;

/// The issuer of all tokens.
pub const ISSUER: &str = "https://auth.example.org";

/// The audience of access tokens.
pub const AUDIENCE: &str = "https://api.example.org";

/// A keyring without keys that caches this many verified tokens. Each has the same master key.
#[must_use]
pub fn keyring(verified_max: usize) -> Keyring {
    let settings = KeyringSettings {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        access_ttl_seconds: 900,
        session_max_seconds: 30 * 24 * 3600,
        verified_max,
        dialect_claims: DialectClaims { simplejwt: true, flask: true },
    };
    let entropy = Arc::new(SeededEntropy::new(1));
    Keyring::new(settings, MasterKey::generate(&*entropy), entropy)
}
