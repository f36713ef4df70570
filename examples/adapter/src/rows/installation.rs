//! The rows of the installation: its keys and its identity.

use gateward_domain::Timestamp;
use gateward_domain::key::{Algorithm, KeyId, KeyPurpose, StoredKey};
use gateward_domain::ports::Instance;
use serde::{Deserialize, Serialize};

use super::Row;

/// The row of a key. Its private part is wrapped.
#[derive(Serialize, Deserialize)]
pub struct KeyRow {
    id: String,
    purpose: String,
    algorithm: String,
    wrapped: Vec<u8>,
    public_jwk: Option<String>,
    created_at: i64,
    active_from: i64,
    #[serde(default)]
    revoked_at: Option<i64>,
}

impl Row for KeyRow {
    type Noun = StoredKey;
    type Key = &'static str;
    const TABLE: &'static str = "keys";

    fn of(key: &StoredKey) -> Self {
        Self {
            id: key.id.0.clone(),
            purpose: key.purpose.as_str().to_owned(),
            algorithm: key.algorithm.as_str().to_owned(),
            wrapped: key.wrapped.clone(),
            public_jwk: key.public_jwk.clone(),
            created_at: key.created_at.micros(),
            active_from: key.active_from.micros(),
            revoked_at: key.revoked_at.map(Timestamp::micros),
        }
    }

    fn into_noun(self) -> Result<StoredKey, &'static str> {
        Ok(StoredKey {
            id: KeyId(self.id),
            purpose: KeyPurpose::from_name(&self.purpose).ok_or("purpose")?,
            algorithm: Algorithm::from_name(&self.algorithm).ok_or("algorithm")?,
            wrapped: self.wrapped,
            public_jwk: self.public_jwk,
            created_at: Timestamp::from_micros(self.created_at),
            active_from: Timestamp::from_micros(self.active_from),
            revoked_at: self.revoked_at.map(Timestamp::from_micros),
        })
    }
}

/// The one row of the installation.
#[derive(Serialize, Deserialize)]
pub struct InstanceRow {
    issuer: String,
    created_at: i64,
}

impl Row for InstanceRow {
    type Noun = Instance;
    type Key = ();
    const TABLE: &'static str = "instance";

    fn of(instance: &Instance) -> Self {
        Self { issuer: instance.issuer.clone(), created_at: instance.created_at.micros() }
    }

    fn into_noun(self) -> Result<Instance, &'static str> {
        Ok(Instance { issuer: self.issuer, created_at: Timestamp::from_micros(self.created_at) })
    }
}
