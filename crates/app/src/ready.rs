//! Readiness of this node.

use gateward_domain::key::{KeyState, StoredKey};
use gateward_domain::ports::{Access, KeyError, StoreError};

use crate::App;

/// Why this node is not ready.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// The store belongs to another issuer, or was never used.
    #[error(
        "the database has another issuer, or none; correct tokens.issuer or database.url, and \
         restart this node"
    )]
    OtherIssuer,
    /// No key signs.
    #[error("no signing key is active")]
    NoKey,
    /// The master key does not match the database.
    #[error(
        "keys.master_key does not match the database; set the master key that its signing keys are \
         wrapped with"
    )]
    MasterKey(#[from] KeyError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Checks the store and the keys.
    pub async fn ready(&self) -> Result<(), NotReady> {
        let now = self.now();
        self.ports.signer.refresh_key(now).map_err(|_| NotReady::NoKey)?;
        self.ports.links.link_key(now).map_err(|_| NotReady::NoKey)?;
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let instance = tx.find_instance().await?;
        let keys = tx.list_keys().await?;
        tx.commit().await?;
        match instance {
            Some(instance) if instance.issuer == self.policy.issuer => {}
            _ => return Err(NotReady::OtherIssuer),
        }
        let is_used = |key: &&StoredKey| self.key_state(key, &keys, now) != KeyState::Retired;
        let used: Vec<_> = keys.iter().filter(is_used).cloned().collect();
        Ok(self.ports.key_maker.check_keys(&used)?)
    }
}
