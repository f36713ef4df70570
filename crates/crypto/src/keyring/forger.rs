//! Tokens that the keyring would never issue, for tests of their verification.

use gateward_domain::key::KeyId;

use super::Keyring;
use super::ring::Material;
use crate::jws;

impl Keyring {
    /// Signs header and payload with the key of this identifier, whatever they contain. `None` if
    /// no such key is installed, or if it signs nothing.
    #[must_use]
    pub fn forge(&self, key_id: &KeyId, header: &[u8], payload: &[u8]) -> Option<String> {
        let ring = self.ring();
        let signing = match ring.find(key_id)?.material() {
            Material::Access { keys, .. } => &keys.signing,
            Material::Refresh(keys) => &keys.signing,
            Material::Audit(keys) => &keys.signing,
            Material::Link(_) => return None,
        };
        jws::sign(&jws::encode(header), payload, signing)
    }
}
