//! `KeyRepo`: the keys and the identity of this installation.

use async_trait::async_trait;

use super::StoreError;
use crate::Timestamp;
use crate::key::StoredKey;

/// The identity that all nodes on one store share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The issuer of all tokens (RFC 8414, section 2).
    pub issuer: String,
    /// Time of the first use of the store, UTC.
    pub created_at: Timestamp,
}

/// The keys and the identity of this installation.
#[async_trait]
pub trait KeyRepo: Send {
    /// Inserts the row of the installation if it does not exist, locks it until the transaction
    /// ends, and returns it.
    ///
    /// Hold this lock to create keys, so that nodes that start together create one set.
    async fn lock_instance(&mut self, proposed: &Instance) -> Result<Instance, StoreError>;

    /// Returns the row of the installation, if the store was ever used.
    async fn find_instance(&mut self) -> Result<Option<Instance>, StoreError>;

    /// Sets the issuer. The caller has locked the installation.
    async fn set_issuer(&mut self, issuer: &str) -> Result<(), StoreError>;

    /// Inserts a key.
    async fn insert_key(&mut self, key: &StoredKey) -> Result<(), StoreError>;

    /// Updates the wrapped part of a key and its times of activation and revocation. Returns
    /// `false` if the key does not exist. All other fields are immutable.
    async fn update_key(&mut self, key: &StoredKey) -> Result<bool, StoreError>;

    /// Returns all keys, in the order in which they become active.
    async fn list_keys(&mut self) -> Result<Vec<StoredKey>, StoreError>;
}
