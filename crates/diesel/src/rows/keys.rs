//! The rows of `instance` and `keys`.

use diesel::prelude::{AsChangeset, Insertable, Queryable};
use gateward_domain::key::{Algorithm, KeyId, KeyPurpose, StoredKey};
use gateward_domain::ports::{Instance, StoreError};

use super::super::columns::Time;
use super::super::schema::{instance, keys};
use super::corrupt;

/// The one row of `instance`.
#[derive(Queryable, Insertable)]
#[diesel(table_name = instance)]
pub struct InstanceRow {
    only_row: bool,
    issuer: String,
    created_at: Time,
}

impl From<&Instance> for InstanceRow {
    fn from(instance: &Instance) -> Self {
        let Instance { issuer, created_at } = instance;
        Self { only_row: true, issuer: issuer.clone(), created_at: Time(*created_at) }
    }
}

impl From<InstanceRow> for Instance {
    fn from(row: InstanceRow) -> Self {
        Self { issuer: row.issuer, created_at: row.created_at.0 }
    }
}

/// A row of `keys`.
#[derive(Queryable, Insertable)]
#[diesel(table_name = keys)]
pub struct KeyRow {
    id: String,
    purpose: String,
    algorithm: String,
    wrapped: Vec<u8>,
    public_jwk: Option<String>,
    created_at: Time,
    active_from: Time,
    revoked_at: Option<Time>,
}

impl From<&StoredKey> for KeyRow {
    fn from(key: &StoredKey) -> Self {
        Self {
            id: key.id.0.clone(),
            purpose: key.purpose.as_str().to_owned(),
            algorithm: key.algorithm.as_str().to_owned(),
            wrapped: key.wrapped.clone(),
            public_jwk: key.public_jwk.clone(),
            created_at: Time(key.created_at),
            active_from: Time(key.active_from),
            revoked_at: key.revoked_at.map(Time),
        }
    }
}

impl TryFrom<KeyRow> for StoredKey {
    type Error = StoreError;

    fn try_from(row: KeyRow) -> Result<Self, StoreError> {
        let purpose = KeyPurpose::from_name(&row.purpose);
        let algorithm = Algorithm::from_name(&row.algorithm);
        Ok(Self {
            id: KeyId(row.id),
            purpose: purpose.ok_or_else(|| corrupt("keys", "purpose"))?,
            algorithm: algorithm.ok_or_else(|| corrupt("keys", "algorithm"))?,
            wrapped: row.wrapped,
            public_jwk: row.public_jwk,
            created_at: row.created_at.0,
            active_from: row.active_from.0,
            revoked_at: row.revoked_at.map(|at| at.0),
        })
    }
}

/// The columns of a key that can change.
#[derive(AsChangeset)]
#[diesel(table_name = keys, treat_none_as_null = true)]
pub struct KeyPart {
    wrapped: Vec<u8>,
    active_from: Time,
    revoked_at: Option<Time>,
}

impl From<&StoredKey> for KeyPart {
    fn from(key: &StoredKey) -> Self {
        Self {
            wrapped: key.wrapped.clone(),
            active_from: Time(key.active_from),
            revoked_at: key.revoked_at.map(Time),
        }
    }
}
