//! `Ring`: the installed keys, and which of them signs or is accepted at a time.

use std::collections::HashMap;
use std::sync::Arc;

use gateward_domain::Timestamp;
use gateward_domain::key::{
    CLOCK_SKEW_SECONDS, KeyId, KeyPurpose, KeyState, StoredKey, key_state, signing_key,
};
use gateward_domain::link::LINK_SECONDS_MAX;
use gateward_domain::ports::KeyError;

use super::material::{self, AccessMaterial, AuditMaterial, LinkMaterial, RefreshMaterial};
use super::wrap;
use crate::MasterKeys;
use crate::claims::{ACCESS_TYP, REFRESH_TYP};
use crate::jws;

/// Lifetime of the checkpoints of the audit trail: unlimited.
const AUDIT_SECONDS: i64 = i64::MAX - CLOCK_SKEW_SECONDS;

/// Lifetime of what a key signs, in seconds.
#[derive(Clone, Copy)]
pub(super) struct Lives {
    pub(super) access: i64,
    pub(super) refresh: i64,
}

/// The installed keys. Immutable: new keys come in a new ring.
#[derive(Clone)]
pub(super) struct Ring {
    stored: Vec<StoredKey>,
    ready: HashMap<KeyId, ReadyKey>,
    lives: Lives,
}

/// A key ready for use.
#[derive(Clone)]
pub(super) struct ReadyKey {
    /// The stored key without its wrapped part, which is no longer needed.
    pub(super) stored: StoredKey,
    pub(super) opened: Arc<OpenedKey>,
}

/// The immutable part of a key.
pub(super) struct OpenedKey {
    /// The header of every token that the key signs, in base64url. Empty if it signs none.
    /// Checkpoints of the audit trail are not tokens.
    pub(super) header_segment: String,
    pub(super) material: Material,
}

pub(super) enum Material {
    Access { keys: Box<AccessMaterial>, jwk: String },
    Refresh(Box<RefreshMaterial>),
    Link(Box<LinkMaterial>),
    Audit(Box<AuditMaterial>),
}

impl ReadyKey {
    /// Returns the material to sign and verify with.
    pub(super) fn material(&self) -> &Material {
        &self.opened.material
    }

    /// Returns whether every signature of the key is refused, whenever it was made.
    pub(super) const fn is_revoked(&self) -> bool {
        self.stored.revoked_at.is_some()
    }
}

impl OpenedKey {
    /// Unwraps a stored key and prepares it.
    pub(super) fn open(masters: &MasterKeys, stored: &StoredKey) -> Result<Self, KeyError> {
        let private = wrap::open_stored(masters, stored)?;
        let material = Material::prepare(stored, &private);
        let material = material.ok_or_else(|| KeyError::Corrupt(stored.id.clone()))?;
        let header_segment = material
            .typ()
            .map(|typ| jws::header_segment(stored.algorithm, typ, &stored.id.0))
            .unwrap_or_default();
        Ok(Self { header_segment, material })
    }
}

impl Material {
    /// Returns the only `typ` of the tokens that the key signs, if it signs any.
    pub(super) const fn typ(&self) -> Option<&'static str> {
        match self {
            Self::Access { .. } => Some(ACCESS_TYP),
            Self::Refresh(_) => Some(REFRESH_TYP),
            Self::Link(_) | Self::Audit(_) => None,
        }
    }

    /// Prepares a private key. `None` if it does not fit the purpose and the algorithm, or does not
    /// match its identifier. The public part in the store is not read.
    fn prepare(stored: &StoredKey, private: &[u8]) -> Option<Self> {
        if !material::fits(stored.purpose, stored.algorithm) {
            return None;
        }
        match stored.purpose {
            KeyPurpose::Access => {
                let keys = AccessMaterial::prepare(stored.algorithm, private)?;
                let jwk = keys.public.to_jwk(&stored.id, stored.algorithm)?;
                let keys = Box::new(keys);
                (keys.public.id() == stored.id).then_some(Self::Access { keys, jwk })
            }
            KeyPurpose::Refresh => {
                RefreshMaterial::prepare(private).map(Box::new).map(Self::Refresh)
            }
            KeyPurpose::Link => LinkMaterial::prepare(private).map(Box::new).map(Self::Link),
            KeyPurpose::Audit => {
                let keys = Box::new(AuditMaterial::prepare(private)?);
                (keys.id() == stored.id).then_some(Self::Audit(keys))
            }
        }
    }
}

impl Ring {
    /// A ring without keys.
    pub(super) fn empty(lives: Lives) -> Self {
        Self { stored: Vec::new(), ready: HashMap::new(), lives }
    }

    /// Builds a ring of exactly these keys. Keys of this ring are reused, and all others are
    /// unwrapped. If one fails, the call fails.
    pub(super) fn renewed(
        &self,
        masters: &MasterKeys,
        stored: &[StoredKey],
    ) -> Result<Self, KeyError> {
        let mut ring = Self::empty(self.lives);
        for key in stored {
            let opened = match self.opened(key) {
                Some(opened) => opened,
                None => Arc::new(OpenedKey::open(masters, key)?),
            };
            let kept = StoredKey { wrapped: Vec::new(), ..key.clone() };
            ring.stored.push(kept.clone());
            if ring.ready.insert(key.id.clone(), ReadyKey { stored: kept, opened }).is_some() {
                return Err(KeyError::Corrupt(key.id.clone()));
            }
        }
        Ok(ring)
    }

    /// Returns this ring, with the keys revoked that are revoked in the store.
    pub(super) fn without_revoked(&self, stored: &[StoredKey]) -> Self {
        let revoked_at =
            |id: &KeyId| stored.iter().find(|key| key.id == *id).and_then(|key| key.revoked_at);
        let mut ring = self.clone();
        for key in ring.stored.iter_mut().chain(ring.ready.values_mut().map(|key| &mut key.stored))
        {
            key.revoked_at = key.revoked_at.or_else(|| revoked_at(&key.id));
        }
        ring
    }

    /// Returns the same key, if this ring contains it. Everything that its material depends on is
    /// compared.
    fn opened(&self, key: &StoredKey) -> Option<Arc<OpenedKey>> {
        let same = |ready: &&ReadyKey| {
            ready.stored.purpose == key.purpose && ready.stored.algorithm == key.algorithm
        };
        self.find(&key.id).filter(same).map(|ready| Arc::clone(&ready.opened))
    }

    /// Returns whether there is a key for this purpose.
    pub(super) fn has(&self, purpose: KeyPurpose) -> bool {
        self.stored.iter().any(|key| key.purpose == purpose)
    }

    /// Returns the key that signs.
    pub(super) fn signing(&self, purpose: KeyPurpose, now: Timestamp) -> Option<&ReadyKey> {
        self.find(&signing_key(&self.stored, purpose, now)?.id)
    }

    /// Returns the refresh key that was signing at `time`, even if it was revoked since, or the
    /// earliest if none was.
    ///
    /// Later keys do not change the result, because they sign from a later time on.
    pub(super) fn refresh_key_at(&self, time: Timestamp) -> Option<&ReadyKey> {
        let keys = || self.stored.iter().filter(|key| key.purpose == KeyPurpose::Refresh);
        let signing = keys().filter(|key| key.active_from <= time);
        let key = signing
            .max_by(|one, other| order(one).cmp(&order(other)))
            .or_else(|| keys().min_by(|one, other| order(one).cmp(&order(other))))?;
        self.find(&key.id)
    }

    /// Returns the key for this purpose that was created first, of those not revoked, even if it
    /// does not sign yet. Later keys do not change the result.
    pub(super) fn oldest(&self, purpose: KeyPurpose) -> Option<&ReadyKey> {
        let keys = self.stored.iter().filter(|key| key.purpose == purpose);
        let active = keys.filter(|key| key.revoked_at.is_none());
        let age = |key: &&StoredKey| (key.created_at, key.active_from, key.id.clone());
        self.find(&active.min_by_key(age)?.id)
    }

    /// Returns the key with this identifier, whatever its age.
    pub(super) fn find(&self, id: &KeyId) -> Option<&ReadyKey> {
        self.ready.get(id)
    }

    /// Returns whether signatures of this key are accepted.
    ///
    /// A key that does not sign yet has signed nothing, except on a node whose clock is ahead.
    pub(super) fn believes(&self, key: &ReadyKey, now: Timestamp) -> bool {
        match self.state(&key.stored, now) {
            KeyState::Next => key.stored.active_from <= now.plus_seconds(CLOCK_SKEW_SECONDS),
            KeyState::Signing | KeyState::Retiring => true,
            KeyState::Retired => false,
        }
    }

    /// Returns whether signatures of this key are recognized as genuine, whatever their age.
    pub(super) fn believes_past(key: &ReadyKey, now: Timestamp) -> bool {
        !key.is_revoked() && key.stored.active_from <= now.plus_seconds(CLOCK_SKEW_SECONDS)
    }

    /// Returns the published keys: those that sign, will sign, or whose tokens may still be valid.
    pub(super) fn published(&self, now: Timestamp) -> impl Iterator<Item = &str> {
        let active = move |key: &&StoredKey| self.state(key, now) != KeyState::Retired;
        self.stored.iter().filter(active).filter_map(|key| match self.find(&key.id)?.material() {
            Material::Access { jwk, .. } => Some(jwk.as_str()),
            Material::Refresh(_) | Material::Link(_) | Material::Audit(_) => None,
        })
    }

    fn state(&self, key: &StoredKey, now: Timestamp) -> KeyState {
        let life = match key.purpose {
            KeyPurpose::Access => self.lives.access,
            KeyPurpose::Refresh => self.lives.refresh,
            KeyPurpose::Link => LINK_SECONDS_MAX,
            KeyPurpose::Audit => AUDIT_SECONDS,
        };
        key_state(key, &self.stored, life, now)
    }
}

/// The order in which keys sign, as in the domain.
fn order(key: &StoredKey) -> (Timestamp, Timestamp, &KeyId) {
    (key.active_from, key.created_at, &key.id)
}
