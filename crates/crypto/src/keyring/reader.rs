//! How the keyring verifies tokens.

use std::sync::Arc;

use gateward_domain::key::{KeyId, KeyPurpose};
use gateward_domain::refresh::{PresentedToken, Proof};
use gateward_domain::{AccessClaims, Timestamp, TokenError};

use super::material::RefreshMaterial;
use super::ring::{Material, ReadyKey, Ring};
use super::{Keyring, KeyringSettings};
use crate::claims::{self, ReadAccess};
use crate::jws::Compact;

/// The claims of a token with a valid signature, by its kind.
enum Genuine {
    Access(ReadAccess),
    Refresh(PresentedToken),
}

impl Keyring {
    /// Verifies an access token of any age, by a key of any age. A token of a revoked key is
    /// refused.
    pub(super) fn read_past_access(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<AccessClaims, TokenError> {
        let ring = self.ring_with(KeyPurpose::Access)?;
        let believes = |key: &ReadyKey| Ring::believes_past(key, now);
        match self.read(&ring, token, now, believes).ok_or(TokenError::Invalid)? {
            Genuine::Refresh(_) => Err(TokenError::WrongKind),
            Genuine::Access(good) => Ok(good.claims),
        }
    }

    /// Verifies an access token, except its expiry.
    pub(super) fn read_access(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<AccessClaims, TokenError> {
        let ring = self.ring_with(KeyPurpose::Access)?;
        let hash = self.verified.hash(token);
        if let Some(good) = hash.as_ref().and_then(|hash| self.verified.find(hash)) {
            let key = ring.find(&good.claims.key_id);
            let believed = key.is_some_and(|key| ring.believes(key, now));
            let holds = believed && good.has_started(now);
            return if holds { Ok(good.claims.clone()) } else { Err(TokenError::Invalid) };
        }
        let believes = |key: &ReadyKey| ring.believes(key, now);
        match self.read(&ring, token, now, believes).ok_or(TokenError::Invalid)? {
            Genuine::Refresh(_) => Err(TokenError::WrongKind),
            Genuine::Access(good) => {
                let claims = good.claims.clone();
                // An expired token is refused from now on and need not be cached.
                if let Some(hash) = hash.filter(|_| claims.expires_at > now) {
                    self.verified.insert(hash, good);
                }
                Ok(claims)
            }
        }
    }

    /// Verifies a refresh token, except its expiry.
    pub(super) fn read_refresh(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<PresentedToken, TokenError> {
        let ring = self.ring_with(KeyPurpose::Refresh)?;
        let believes = |key: &ReadyKey| ring.believes(key, now);
        match self.read(&ring, token, now, believes).ok_or(TokenError::Invalid)? {
            Genuine::Access(_) => Err(TokenError::WrongKind),
            Genuine::Refresh(presented) => Ok(presented),
        }
    }

    /// Returns the installed keys, if one of them has this purpose.
    pub(super) fn ring_with(&self, purpose: KeyPurpose) -> Result<Arc<Ring>, TokenError> {
        let ring = self.ring();
        if ring.has(purpose) { Ok(ring) } else { Err(TokenError::NoKey) }
    }

    /// Verifies a token of either kind, except its expiry, if its key is accepted.
    ///
    /// The key is found by its identifier, and determines the algorithm and the kind of the token.
    /// Nothing in the payload is read before the signature is verified.
    fn read(
        &self,
        ring: &Ring,
        token: &str,
        now: Timestamp,
        believes: impl Fn(&ReadyKey) -> bool,
    ) -> Option<Genuine> {
        let compact = Compact::parse(token)?;
        let id = KeyId(compact.header.kid.clone()?);
        let key = ring.find(&id).filter(|key| believes(key))?;
        if compact.header.typ.as_deref()? != key.material().typ()? {
            return None;
        }
        match key.material() {
            Material::Access { keys, .. } => {
                let payload = compact.verify(&keys.verifying, key.stored.algorithm)?;
                let KeyringSettings { issuer, audience, .. } = &self.settings;
                let read = claims::read_access(&payload, id, issuer, audience)?;
                read.has_started(now).then_some(Genuine::Access(read))
            }
            Material::Refresh(keys) => {
                self.read_shown(&compact, key, keys, now).map(Genuine::Refresh)
            }
            Material::Link(_) | Material::Audit(_) => None,
        }
    }

    /// Verifies a refresh token with the key that it names.
    fn read_shown(
        &self,
        compact: &Compact<'_>,
        key: &ReadyKey,
        keys: &RefreshMaterial,
        now: Timestamp,
    ) -> Option<PresentedToken> {
        let payload = compact.verify(&keys.verifying, key.stored.algorithm)?;
        let claims = claims::read_refresh(&payload, &self.settings.issuer, now)?;
        let keyed = keys.keyed(claims.session_id, claims.generation)?;
        Some(PresentedToken {
            session_id: claims.session_id,
            user_id: claims.user_id,
            generation: claims.generation,
            expires_at: claims.expires_at,
            proof: Proof { keyed, secret: claims.secret },
        })
    }
}
