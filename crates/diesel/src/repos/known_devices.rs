//! `KnownDeviceRepo`: known devices.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use gateward_domain::known_device::KnownDevice;
use gateward_domain::ports::{KnownDeviceRepo, StoreError};
use gateward_domain::{KnownDeviceId, RequestInfo, Timestamp, UserId};

use super::super::Tx;
use super::super::columns::{Id, Time};
use super::super::rows::KnownDeviceRow;
use super::super::schema::known_devices;

#[async_trait]
impl KnownDeviceRepo for Tx {
    async fn insert_known_device(&mut self, known_device: &KnownDevice) -> Result<(), StoreError> {
        let insert =
            diesel::insert_into(known_devices::table).values(KnownDeviceRow::from(known_device));
        change!(self, "known_devices", conn => insert.execute(conn)).map(drop)
    }

    async fn touch_known_device(
        &mut self,
        id: KnownDeviceId,
        request_info: &RequestInfo,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let update = diesel::update(known_devices::table.find(Id(id.uuid()))).set((
            known_devices::ip.eq(request_info.ip.map(|ip| ip.to_string())),
            known_devices::user_agent.eq(request_info.user_agent.as_deref()),
            known_devices::last_used_at.eq(Time(now)),
            known_devices::expires_at.eq(Time(expires_at)),
        ));
        Ok(change!(self, "known_devices", conn => update.execute(conn))? > 0)
    }

    async fn list_known_devices(
        &mut self,
        user_id: UserId,
        limit: u32,
    ) -> Result<Vec<KnownDevice>, StoreError> {
        let user_id = Id(user_id.uuid());
        let rows = read!(self, "known_devices", conn => known_devices::table
            .filter(known_devices::user_id.eq(user_id))
            .order(known_devices::id)
            .limit(i64::from(limit))
            .load::<KnownDeviceRow>(conn))?;
        rows.into_iter().map(KnownDevice::try_from).collect()
    }

    async fn delete_known_device(&mut self, id: KnownDeviceId) -> Result<bool, StoreError> {
        let delete = diesel::delete(known_devices::table.find(Id(id.uuid())));
        Ok(change!(self, "known_devices", conn => delete.execute(conn))? > 0)
    }

    async fn delete_user_known_devices(&mut self, user_id: UserId) -> Result<u64, StoreError> {
        let theirs = known_devices::user_id.eq(Id(user_id.uuid()));
        let delete = diesel::delete(known_devices::table.filter(theirs));
        let count = change!(self, "known_devices", conn => delete.execute(conn))?;
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }

    async fn delete_known_devices(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let old = diesel::alias!(known_devices as old);
        let over = old
            .filter(old.field(known_devices::expires_at).lt(Time(before)))
            .order(old.field(known_devices::expires_at))
            .limit(i64::from(limit))
            .select(old.field(known_devices::id));
        // A device that logs in meanwhile is kept.
        let still = known_devices::id.eq_any(over).and(known_devices::expires_at.lt(Time(before)));
        let delete = diesel::delete(known_devices::table.filter(still));
        let count = change!(self, "known_devices", conn => delete.execute(conn))?;
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }
}
