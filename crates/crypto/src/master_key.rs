//! `MasterKey`: the one secret outside the store. It wraps the private keys in the store.

use std::collections::HashSet;
use std::fmt;

use aws_lc_rs::hkdf;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gateward_domain::ports::Entropy;
use zeroize::Zeroizing;

/// Minimum number of distinct bytes in a master key. Fewer than one in 10³⁰ random 32-byte keys
/// fail this; a key typed by hand or made of zeros does.
const DISTINCT_BYTES_MIN: usize = 8;

/// The key from which the wrapping keys are derived. Wiped from memory when dropped.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; Self::LEN]>);

/// Why a string is not a valid master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MasterKeyError {
    /// The string is not standard base64 (RFC 4648, section 4) with padding.
    #[error("the master key is not valid base64")]
    Base64,
    /// The key does not have exactly [`MasterKey::LEN`] bytes.
    #[error("the master key does not have 32 bytes")]
    Length,
    /// The bytes of the key are not random.
    #[error("the master key is not random")]
    Weak,
}

/// The current master key, which wraps, and the previous one, which still unwraps older keys.
#[derive(Clone, Debug)]
pub struct MasterKeys {
    /// Wraps and unwraps.
    pub present: MasterKey,
    /// Unwraps what `present` cannot.
    pub previous: Option<MasterKey>,
}

impl From<MasterKey> for MasterKeys {
    fn from(present: MasterKey) -> Self {
        Self { present, previous: None }
    }
}

impl MasterKeys {
    /// Returns the current master key, then the previous one.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &MasterKey> {
        std::iter::once(&self.present).chain(&self.previous)
    }
}

impl MasterKey {
    /// Length in bytes: that of an AES-256 key.
    pub const LEN: usize = 32;

    /// Parses a key from base64. Surrounding white space is allowed, as in a file.
    pub fn from_base64(text: &str) -> Result<Self, MasterKeyError> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| MasterKeyError::Base64)?;
        let bytes = Zeroizing::new(bytes);
        let mut key = Zeroizing::new([0; Self::LEN]);
        if bytes.len() != Self::LEN {
            return Err(MasterKeyError::Length);
        }
        key.copy_from_slice(&bytes);
        if key.iter().collect::<HashSet<_>>().len() < DISTINCT_BYTES_MIN {
            return Err(MasterKeyError::Weak);
        }
        Ok(Self(key))
    }

    /// Generates a new key.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut key = Zeroizing::new([0; Self::LEN]);
        entropy.fill(key.as_mut());
        Self(key)
    }

    /// Returns the key in base64. Write it only to its file.
    #[must_use]
    pub fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.0.as_slice()))
    }

    /// Derives the key for one use (RFC 5869), so that no two uses share one.
    ///
    /// `None` if the library fails, which it does not for keys of this length.
    pub(crate) fn derive(&self, label: &str) -> Option<Zeroizing<[u8; Self::LEN]>> {
        derive(self.0.as_slice(), label)
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MasterKey(…)")
    }
}

/// Derives a key of 32 bytes from another one with HKDF-SHA-256 (RFC 5869).
///
/// No salt is used: the secrets are already uniformly random (RFC 5869, section 3.1).
pub(crate) fn derive(secret: &[u8], label: &str) -> Option<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0; 32]);
    let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(secret);
    prk.expand(&[label.as_bytes()], hkdf::HKDF_SHA256).ok()?.fill(key.as_mut()).ok()?;
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemEntropy;

    #[test]
    fn a_key_survives_its_file() {
        let key = MasterKey::generate(&SystemEntropy::new());
        let file = format!("{}\n", *key.to_base64());
        assert_eq!(MasterKey::from_base64(&file).unwrap().0, key.0);
    }

    #[test]
    fn a_bad_key_is_refused_and_says_why() {
        let read = |text: &str| MasterKey::from_base64(text).map(|_| ()).unwrap_err();
        assert_eq!(read("not base64!"), MasterKeyError::Base64);
        assert_eq!(read(&STANDARD.encode([7; 31])), MasterKeyError::Length);
        assert_eq!(read(""), MasterKeyError::Length);
        assert_eq!(read(&STANDARD.encode([0; 32])), MasterKeyError::Weak);
        assert_eq!(
            read(&STANDARD.encode(b"abcabcabcabcabcabcabcabcabcabcab")),
            MasterKeyError::Weak
        );
    }

    #[test]
    fn uses_get_different_keys_and_debug_shows_none() {
        let key = MasterKey::generate(&SystemEntropy::new());
        assert_ne!(key.derive("one"), key.derive("other"));
        assert_eq!(key.derive("one"), key.derive("one"));
        assert_eq!(format!("{key:?}"), "MasterKey(…)");
    }
}
