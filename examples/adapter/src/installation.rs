//! The port of the installation: its keys and its identity.

use async_trait::async_trait;
use gateward_domain::key::StoredKey;
use gateward_domain::ports::{Instance, KeyRepo, StoreError};

use crate::rows::{InstanceRow, KeyRow};
use crate::tables::{insert, update};
use crate::unit::RedbTx;

#[async_trait]
impl KeyRepo for RedbTx {
    async fn lock_instance(&mut self, proposed: &Instance) -> Result<Instance, StoreError> {
        let proposed = proposed.clone();
        if let Some(stands) = self.lock(|view| view.find::<InstanceRow>(())).await? {
            return Ok(stands);
        }
        self.write(move |transaction| {
            insert::<InstanceRow>(transaction, (), &proposed)?;
            Ok(proposed)
        })
        .await
    }

    async fn find_instance(&mut self) -> Result<Option<Instance>, StoreError> {
        self.read(|view| view.find::<InstanceRow>(())).await
    }

    async fn set_issuer(&mut self, issuer: &str) -> Result<(), StoreError> {
        self.may_lock()?;
        let issuer = issuer.to_owned();
        self.write(move |transaction| {
            update::<InstanceRow>(transaction, (), |instance| {
                instance.issuer = issuer;
                true
            })?;
            Ok(())
        })
        .await
    }

    async fn insert_key(&mut self, key: &StoredKey) -> Result<(), StoreError> {
        let key = key.clone();
        self.write(move |transaction| insert::<KeyRow>(transaction, &key.id.0, &key)).await
    }

    async fn update_key(&mut self, key: &StoredKey) -> Result<bool, StoreError> {
        let key = key.clone();
        self.write(move |transaction| {
            update::<KeyRow>(transaction, &key.id.0, |stored| {
                stored.wrapped.clone_from(&key.wrapped);
                stored.active_from = key.active_from;
                stored.revoked_at = key.revoked_at;
                true
            })
        })
        .await
    }

    async fn list_keys(&mut self) -> Result<Vec<StoredKey>, StoreError> {
        self.read(|view| {
            let mut keys = view.all::<KeyRow>()?;
            keys.sort_by_key(|key| (key.active_from, key.created_at, key.id.clone()));
            Ok(keys)
        })
        .await
    }
}
