//! Keys: which one signs, which signatures are accepted, and for how long.

use std::fmt;

use crate::Timestamp;

/// The identifier of a key: the `kid` of the tokens it signs (RFC 7515, section 4.1.4).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub String);

impl fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A signature algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Ed25519 (RFC 8037).
    EdDsa,
    /// ECDSA on P-256 with SHA-256 (RFC 7518, section 3.4).
    Es256,
    /// RSASSA-PSS with SHA-256 (RFC 7518, section 3.5).
    Ps256,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518, section 3.3), only for verifiers that support
    /// nothing better.
    Rs256,
    /// HMAC with SHA-256 (RFC 7518, section 3.2), for tokens that only the issuer verifies.
    Hs256,
}

impl Algorithm {
    /// The `alg` of the tokens.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Ps256 => "PS256",
            Self::Rs256 => "RS256",
            Self::Hs256 => "HS256",
        }
    }

    /// Parses the `alg` of a stored key. Case-sensitive.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::EdDsa, Self::Es256, Self::Ps256, Self::Rs256, Self::Hs256]
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
    }
}

/// What a key is used for. No key serves two purposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyPurpose {
    /// Signs access tokens. The public key is published.
    Access,
    /// Signs refresh tokens and derives their secrets. Never published.
    Refresh,
    /// Derives the secrets of emailed links and their codes. Never published.
    Link,
    /// Signs the checkpoints of the audit trail and derives the keys of the rate-limit counters.
    /// Its signatures never expire.
    Audit,
}

impl KeyPurpose {
    /// All purposes.
    pub const ALL: [Self; 4] = [Self::Access, Self::Refresh, Self::Link, Self::Audit];

    /// The purpose's name in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
            Self::Link => "link",
            Self::Audit => "audit",
        }
    }

    /// Parses a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == name)
    }
}

/// A key as it is stored, with the private part wrapped.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredKey {
    /// The key's identifier.
    pub id: KeyId,
    /// What the key is used for.
    pub purpose: KeyPurpose,
    /// The signature algorithm.
    pub algorithm: Algorithm,
    /// The private part, wrapped with the master key.
    pub wrapped: Vec<u8>,
    /// The public part as a JSON Web Key (RFC 7517). Only access and audit keys have one.
    pub public_jwk: Option<String>,
    /// Time of creation, UTC.
    pub created_at: Timestamp,
    /// Time from which the key signs, UTC.
    pub active_from: Timestamp,
    /// Time of revocation, UTC. From then on the key does not sign, and none of its signatures are
    /// accepted.
    pub revoked_at: Option<Timestamp>,
}

impl StoredKey {
    /// Returns whether the key was withdrawn before it signed anything.
    #[must_use]
    pub fn never_signs(&self) -> bool {
        self.revoked_at.is_some_and(|at| at <= self.active_from)
    }
}

impl fmt::Debug for StoredKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("StoredKey")
            .field("id", &self.id.0)
            .field("purpose", &self.purpose)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// The stage of a key's life cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Published, but does not sign yet.
    Next,
    /// Signs.
    Signing,
    /// No longer signs, but its signatures are still accepted.
    Retiring,
    /// Revoked, or everything it signed has expired.
    Retired,
}

/// The order in which keys of one purpose sign: the key that became active last signs.
fn order(key: &StoredKey) -> (Timestamp, Timestamp, &KeyId) {
    (key.active_from, key.created_at, &key.id)
}

/// Returns the key of a purpose that signs at `now`. `None` if it was revoked and has no successor
/// yet.
#[must_use]
pub fn signing_key(keys: &[StoredKey], purpose: KeyPurpose, now: Timestamp) -> Option<&StoredKey> {
    keys.iter()
        .filter(|key| key.purpose == purpose && key.active_from <= now)
        .filter(|key| !key.never_signs())
        .max_by(|one, other| order(one).cmp(&order(other)))
        // No older key replaces it: tokens of that key may already have expired.
        .filter(|key| key.revoked_at.is_none())
}

/// Returns the stage of `key` among all `keys`, if what it signs is valid for `life_seconds`.
#[must_use]
pub fn key_state(
    key: &StoredKey,
    keys: &[StoredKey],
    life_seconds: i64,
    now: Timestamp,
) -> KeyState {
    if key.revoked_at.is_some() {
        return KeyState::Retired;
    }
    if key.active_from > now {
        return KeyState::Next;
    }
    let successor = keys
        .iter()
        .filter(|other| other.purpose == key.purpose && order(other) > order(key))
        .filter(|other| !other.never_signs())
        .map(|other| other.active_from)
        .min();
    match successor {
        Some(from) if from.plus_seconds(life_seconds + CLOCK_SKEW_SECONDS) <= now => {
            KeyState::Retired
        }
        Some(from) if from <= now => KeyState::Retiring,
        _ => KeyState::Signing,
    }
}

/// Maximum clock difference between two nodes, in seconds.
pub const CLOCK_SKEW_SECONDS: i64 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str, active_from: i64) -> StoredKey {
        StoredKey {
            id: KeyId(id.to_owned()),
            purpose: KeyPurpose::Access,
            algorithm: Algorithm::EdDsa,
            wrapped: Vec::new(),
            public_jwk: None,
            created_at: Timestamp::from_seconds(0),
            active_from: Timestamp::from_seconds(active_from),
            revoked_at: None,
        }
    }

    #[test]
    fn an_algorithm_is_read_by_its_name() {
        use Algorithm::{EdDsa, Es256, Hs256, Ps256, Rs256};
        for algorithm in [EdDsa, Es256, Hs256, Ps256, Rs256] {
            assert_eq!(Algorithm::from_name(algorithm.as_str()), Some(algorithm));
        }
        for other in ["", "none", "eddsa", "ES384"] {
            assert_eq!(Algorithm::from_name(other), None);
        }
    }

    #[test]
    fn a_key_is_published_then_signs_then_retires() {
        let keys = [key("old", 0), key("new", 1000)];
        let states = |now| {
            let now = Timestamp::from_seconds(now);
            [0, 1].map(|index| key_state(&keys[index], &keys, 900, now))
        };
        assert_eq!(states(999), [KeyState::Signing, KeyState::Next]);
        assert_eq!(states(1000), [KeyState::Retiring, KeyState::Signing]);
        assert_eq!(states(1904), [KeyState::Retiring, KeyState::Signing]);
        assert_eq!(states(1905), [KeyState::Retired, KeyState::Signing]);
        let signing = |now| {
            signing_key(&keys, KeyPurpose::Access, Timestamp::from_seconds(now)).map(|key| &key.id)
        };
        assert_eq!(signing(999), Some(&keys[0].id));
        assert_eq!(signing(1000), Some(&keys[1].id));
        assert_eq!(signing(-1), None);
    }

    #[test]
    fn a_revoked_key_is_not_believed_and_brings_no_older_one_back() {
        let revoked =
            |key: StoredKey, at| StoredKey { revoked_at: Some(Timestamp::from_seconds(at)), ..key };
        let keys = [key("old", 0), revoked(key("bad", 1000), 3000), key("new", 3000)];
        let states = |keys: &[StoredKey], now| -> Vec<KeyState> {
            let now = Timestamp::from_seconds(now);
            keys.iter().map(|key| key_state(key, keys, 900, now)).collect()
        };
        let (retired, signing) = (KeyState::Retired, KeyState::Signing);
        assert_eq!(states(&keys, 3000), [retired, retired, signing]);
        let withdrawn = [key("old", 0), revoked(key("next", 1000), 500)];
        assert_eq!(states(&withdrawn, 5000), [signing, retired]);
        let signs = signing_key(&withdrawn, KeyPurpose::Access, Timestamp::from_seconds(5000));
        assert_eq!(signs, Some(&withdrawn[0]));
        let signs = signing_key(&keys[..2], KeyPurpose::Access, Timestamp::from_seconds(3000));
        assert_eq!(signs, None);
    }
}
