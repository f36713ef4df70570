//! How the keyring creates keys and installs them.

use std::sync::{Arc, PoisonError};

use gateward_domain::Timestamp;
use gateward_domain::key::{Algorithm, KeyId, KeyPurpose, StoredKey};
use gateward_domain::ports::{KeyError, KeyMaker};

use super::Keyring;
use super::material::{self, AccessMaterial, AuditMaterial};
use super::ring::OpenedKey;
use super::wrap::{self, AssociatedData};
use crate::jws;

/// Number of random bytes in the identifier of a symmetric key: 128 bits, so that identifiers never
/// collide.
const SYMMETRIC_KEY_ID_LEN: usize = 16;

impl KeyMaker for Keyring {
    /// Creates a key: Ed25519, P-256 or RSA of 3072 bits for access tokens, 32 random bytes for
    /// everything else. Fails if the algorithm does not fit the purpose. RSA is slow.
    fn make_key(
        &self,
        purpose: KeyPurpose,
        algorithm: Algorithm,
        now: Timestamp,
        active_from: Timestamp,
    ) -> Result<StoredKey, KeyError> {
        if !material::fits(purpose, algorithm) {
            return Err(KeyError::Failed);
        }
        let made = self.make_material(purpose, algorithm);
        let (id, public_jwk, wrapped) = made.ok_or(KeyError::Failed)?;
        Ok(StoredKey {
            id,
            purpose,
            algorithm,
            wrapped,
            public_jwk,
            created_at: now,
            active_from,
            revoked_at: None,
        })
    }

    fn install_keys(&self, keys: &[StoredKey]) -> Result<(), KeyError> {
        let ring = self.ring();
        let (ring, result) = match ring.renewed(&self.masters, keys) {
            Ok(ring) => (ring, Ok(())),
            // If another key cannot be unwrapped, a revoked key must still not remain in use.
            Err(error) => (ring.without_revoked(keys), Err(error)),
        };
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
        result
    }

    /// Unwraps each key again, installed or not, with the current or the previous master key.
    fn check_keys(&self, keys: &[StoredKey]) -> Result<(), KeyError> {
        keys.iter().try_for_each(|key| OpenedKey::open(&self.masters, key).map(drop))
    }

    fn rewrap_key(&self, key: &StoredKey) -> Result<StoredKey, KeyError> {
        let private = wrap::open_stored(&self.masters, key)?;
        let wrapped =
            wrap::wrap(&self.masters.present, &*self.entropy, &AssociatedData::of(key), &private);
        Ok(StoredKey { wrapped: wrapped.ok_or(KeyError::Failed)?, ..key.clone() })
    }
}

impl Keyring {
    /// Creates a key pair and its identifier.
    fn make_material(
        &self,
        purpose: KeyPurpose,
        algorithm: Algorithm,
    ) -> Option<(KeyId, Option<String>, Vec<u8>)> {
        let private = material::generate(purpose, algorithm, &*self.entropy)?;
        let (id, public_jwk) = match purpose {
            KeyPurpose::Access => {
                let public = AccessMaterial::prepare(algorithm, &private)?.public;
                let id = public.id();
                let jwk = public.to_jwk(&id, algorithm)?;
                (id, Some(jwk))
            }
            KeyPurpose::Audit => {
                let keys = AuditMaterial::prepare(&private)?;
                (keys.id(), Some(keys.jwk()?))
            }
            KeyPurpose::Refresh | KeyPurpose::Link => {
                let mut random = [0; SYMMETRIC_KEY_ID_LEN];
                self.entropy.fill(&mut random);
                (KeyId(jws::encode(&random)), None)
            }
        };
        let associated_data = AssociatedData { id: &id, purpose, algorithm };
        let wrapped =
            wrap::wrap(&self.masters.present, &*self.entropy, &associated_data, &private)?;
        Some((id, public_jwk, wrapped))
    }
}
