//! Wraps private keys for the store: AES-256-GCM under a key derived from the master key.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use gateward_domain::key::{Algorithm, KeyId, KeyPurpose, StoredKey};
use gateward_domain::ports::{Entropy, KeyError};
use zeroize::Zeroizing;

use crate::{MasterKey, MasterKeys};

/// The format of a wrapped key: this byte, the nonce, and the ciphertext with its tag.
const VERSION: u8 = 1;

/// Derivation label of the wrapping key.
const LABEL: &str = "gateward signing keys at rest v1";

/// The associated data of a wrapped key. It prevents one row from being passed off as another.
pub(super) struct AssociatedData<'a> {
    pub(super) id: &'a KeyId,
    pub(super) purpose: KeyPurpose,
    pub(super) algorithm: Algorithm,
}

impl<'a> AssociatedData<'a> {
    /// Returns the associated data of this key.
    pub(super) fn of(key: &'a StoredKey) -> Self {
        Self { id: &key.id, purpose: key.purpose, algorithm: key.algorithm }
    }

    /// Each part ends with a byte that occurs in no part, so that the encoding is unambiguous.
    fn bytes(&self) -> Vec<u8> {
        let parts = [self.purpose.as_str(), self.algorithm.as_str(), self.id.0.as_str()];
        parts.iter().flat_map(|part| part.bytes().chain([0])).collect()
    }
}

/// Wraps a private key under a fresh random nonce. A master key wraps a few keys a year, far from
/// the 2³² at which random nonces of 96 bits become a risk (NIST SP 800-38D, section 8.3).
pub(super) fn wrap(
    master: &MasterKey,
    entropy: &dyn Entropy,
    associated_data: &AssociatedData<'_>,
    secret: &[u8],
) -> Option<Vec<u8>> {
    let mut nonce = [0; NONCE_LEN];
    entropy.fill(&mut nonce);
    // The secret is encrypted in place, so that no copy of it stays in memory.
    let mut ciphertext = Vec::with_capacity(secret.len() + AES_256_GCM.tag_len());
    ciphertext.extend_from_slice(secret);
    key(master)?
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(associated_data.bytes()),
            &mut ciphertext,
        )
        .ok()?;
    Some([[VERSION].as_slice(), &nonce, &ciphertext].concat())
}

/// Unwraps a stored key with the current or the previous master key.
pub(super) fn open_stored(
    masters: &MasterKeys,
    stored: &StoredKey,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let associated_data = AssociatedData::of(stored);
    let opened = masters.iter().find_map(|master| open(master, &associated_data, &stored.wrapped));
    opened.ok_or_else(|| KeyError::CannotOpen(stored.id.clone()))
}

/// Unwraps a key. `None` if it is another key or was wrapped with another master key.
pub(super) fn open(
    master: &MasterKey,
    associated_data: &AssociatedData<'_>,
    wrapped: &[u8],
) -> Option<Zeroizing<Vec<u8>>> {
    let (version, rest) = wrapped.split_first()?;
    let (nonce, ciphertext) = rest.split_at_checked(NONCE_LEN)?;
    if *version != VERSION {
        return None;
    }
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let length = key(master)?
        .open_in_place(nonce, Aad::from(associated_data.bytes()), &mut buffer)
        .ok()?
        .len();
    buffer.truncate(length);
    Some(buffer)
}

fn key(master: &MasterKey) -> Option<LessSafeKey> {
    let key = master.derive(LABEL)?;
    UnboundKey::new(&AES_256_GCM, key.as_slice()).ok().map(LessSafeKey::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemEntropy;

    #[test]
    fn a_wrapped_key_opens_only_whole_as_itself_and_with_its_master_key() {
        let entropy = SystemEntropy::new();
        let (master, other) = (MasterKey::generate(&entropy), MasterKey::generate(&entropy));
        let (id, other_id) = (KeyId("one".to_owned()), KeyId("other".to_owned()));
        let (purpose, algorithm) = (KeyPurpose::Access, Algorithm::Es256);
        let associated_data = AssociatedData { id: &id, purpose, algorithm };
        let wrapped = wrap(&master, &entropy, &associated_data, b"secret").unwrap();
        assert_eq!(open(&master, &associated_data, &wrapped).unwrap().as_slice(), b"secret");
        assert!(open(&other, &associated_data, &wrapped).is_none());
        for foreign in [
            AssociatedData { id: &other_id, ..associated_data },
            AssociatedData { purpose: KeyPurpose::Refresh, ..associated_data },
            AssociatedData { algorithm: Algorithm::EdDsa, ..associated_data },
        ] {
            assert!(open(&master, &foreign, &wrapped).is_none());
        }
        for index in 0..wrapped.len() {
            let mut bent = wrapped.clone();
            bent[index] ^= 1;
            assert!(open(&master, &associated_data, &bent).is_none(), "byte {index}");
            assert!(open(&master, &associated_data, &wrapped[..index]).is_none(), "{index} bytes");
        }
        let again = wrap(&master, &entropy, &associated_data, b"secret").unwrap();
        assert_ne!(wrapped, again, "each time under another nonce");
    }
}
