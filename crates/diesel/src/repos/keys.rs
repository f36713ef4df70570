//! `KeyRepo`: the keys and the identity of this installation.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use gateward_domain::key::StoredKey;
use gateward_domain::ports::{Instance, KeyRepo, StoreError};

use super::super::Tx;
use super::super::rows::{InstanceRow, KeyPart, KeyRow};
use super::super::schema::{instance, keys};

#[async_trait]
impl KeyRepo for Tx {
    async fn lock_instance(&mut self, proposed: &Instance) -> Result<Instance, StoreError> {
        self.may_lock()?;
        let insert = diesel::insert_into(instance::table)
            .values(InstanceRow::from(proposed))
            .on_conflict_do_nothing();
        change!(self, "instance", conn => insert.execute(conn))?;
        let row = read!(self, "instance", conn => locked!(instance::table)
            .first::<InstanceRow>(conn))?;
        Ok(row.into())
    }

    async fn find_instance(&mut self) -> Result<Option<Instance>, StoreError> {
        let row = find!(self, "instance", conn => instance::table.first::<InstanceRow>(conn))?;
        Ok(row.map(Instance::from))
    }

    async fn set_issuer(&mut self, issuer: &str) -> Result<(), StoreError> {
        let update = diesel::update(instance::table).set(instance::issuer.eq(issuer));
        change!(self, "instance", conn => update.execute(conn)).map(drop)
    }

    async fn insert_key(&mut self, key: &StoredKey) -> Result<(), StoreError> {
        let insert = diesel::insert_into(keys::table).values(KeyRow::from(key));
        change!(self, "keys", conn => insert.execute(conn)).map(drop)
    }

    async fn update_key(&mut self, key: &StoredKey) -> Result<bool, StoreError> {
        let update = diesel::update(keys::table.find(&key.id.0)).set(KeyPart::from(key));
        Ok(change!(self, "keys", conn => update.execute(conn))? > 0)
    }

    async fn list_keys(&mut self) -> Result<Vec<StoredKey>, StoreError> {
        let rows = read!(self, "keys", conn => keys::table
            .order((keys::active_from, keys::created_at, keys::id))
            .load::<KeyRow>(conn))?;
        rows.into_iter().map(StoredKey::try_from).collect()
    }
}
