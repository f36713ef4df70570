//! `KeyRepo`: the keys and the identity of this installation.

use async_trait::async_trait;

use super::StoreError;
use crate::Timestamp;
use crate::key::StoredKey;

/// What all nodes on one store share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The issuer of all tokens (RFC 8414, section 2).
    pub issuer: String,
    /// When the store was first used.
    pub created_at: Timestamp,
}

/// The keys and the identity of this installation.
#[async_trait]
pub trait KeyRepo: Send {
    /// Makes the one row of the installation if there is none, locks it until the transaction ends
    /// and gives what stands there.
    ///
    /// Whoever makes keys holds this lock, so that nodes that start together make one set.
    async fn lock_instance(&mut self, proposed: &Instance) -> Result<Instance, StoreError>;

    /// The row of the installation, if the store was ever used.
    async fn find_instance(&mut self) -> Result<Option<Instance>, StoreError>;

    /// Gives the installation another issuer; the caller has locked it.
    async fn set_issuer(&mut self, issuer: &str) -> Result<(), StoreError>;

    /// Adds a key.
    async fn insert_key(&mut self, key: &StoredKey) -> Result<(), StoreError>;

    /// Replaces the sealed part of a key, and from when on it signs and is revoked; `false` if it
    /// is not there. All else of a key never changes.
    async fn update_key(&mut self, key: &StoredKey) -> Result<bool, StoreError>;

    /// All keys, in the order in which they become active.
    async fn list_keys(&mut self) -> Result<Vec<StoredKey>, StoreError>;
}
