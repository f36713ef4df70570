//! The port of the known devices.

use async_trait::async_trait;
use gateward_domain::known_device::KnownDevice;
use gateward_domain::ports::{KnownDeviceRepo, StoreError};
use gateward_domain::{KnownDeviceId, RequestInfo, Timestamp, UserId};
use redb::WriteTransaction;

use crate::rows::KnownDeviceRow;
use crate::tables::{
    CLIENT_SECRETS, KNOWN_DEVICE_ENDS, KNOWN_DEVICES_OF_USER, View, claim_secret, count_of, enter,
    insert, place_in_time, remove, table, update,
};
use crate::unit::RedbTx;
use crate::users;

#[async_trait]
impl KnownDeviceRepo for RedbTx {
    async fn insert_known_device(&mut self, known_device: &KnownDevice) -> Result<(), StoreError> {
        let known_device = known_device.clone();
        self.write(move |transaction| add(transaction, &known_device)).await
    }

    async fn touch_known_device(
        &mut self,
        id: KnownDeviceId,
        request_info: &RequestInfo,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let request_info = request_info.clone();
        self.write(move |transaction| {
            let Some(known_device) = View::Own(transaction).find::<KnownDeviceRow>(key(id))? else {
                return Ok(false);
            };
            remove(
                transaction,
                KNOWN_DEVICE_ENDS,
                place_in_time(known_device.expires_at, key(id)),
            )?;
            enter(transaction, KNOWN_DEVICE_ENDS, place_in_time(expires_at, key(id)))?;
            update::<KnownDeviceRow>(transaction, key(id), |known_device| {
                known_device.request_info = request_info;
                known_device.last_used_at = now;
                known_device.expires_at = expires_at;
                true
            })
        })
        .await
    }

    async fn list_known_devices(
        &mut self,
        user_id: UserId,
        limit: u32,
    ) -> Result<Vec<KnownDevice>, StoreError> {
        self.read(move |view| of_user(view, user_id, count_of(limit))).await
    }

    async fn delete_known_device(&mut self, id: KnownDeviceId) -> Result<bool, StoreError> {
        self.write(move |transaction| {
            let known_device = View::Own(transaction).find::<KnownDeviceRow>(key(id))?;
            Ok(forget_all(transaction, known_device.as_slice())? > 0)
        })
        .await
    }

    async fn delete_user_known_devices(&mut self, user_id: UserId) -> Result<u64, StoreError> {
        self.write(move |transaction| delete_of_user(transaction, user_id)).await
    }

    async fn delete_known_devices(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        self.write(move |transaction| {
            let view = View::Own(transaction);
            let over = view.span(KNOWN_DEVICE_ENDS, ..place_in_time(before, 0), count_of(limit))?;
            forget_all(transaction, &view.find_all::<KnownDeviceRow>(over)?)
        })
        .await
    }
}

/// Deletes all devices of an account. Returns their number.
pub fn delete_of_user(transaction: &WriteTransaction, user_id: UserId) -> Result<u64, StoreError> {
    forget_all(transaction, &of_user(View::Own(transaction), user_id, usize::MAX)?)
}

const fn key(id: KnownDeviceId) -> u128 {
    id.uuid().as_u128()
}

/// Returns the index key of a device among those of its account.
const fn place_of_user(known_device: &KnownDevice) -> (u128, u128) {
    (known_device.user_id.uuid().as_u128(), key(known_device.id))
}

fn of_user(view: View<'_>, user_id: UserId, limit: usize) -> Result<Vec<KnownDevice>, StoreError> {
    let ids = view.page(KNOWN_DEVICES_OF_USER, user_id.uuid().as_u128(), None, limit)?;
    view.find_all::<KnownDeviceRow>(ids)
}

fn add(transaction: &WriteTransaction, known_device: &KnownDevice) -> Result<(), StoreError> {
    if users::find(View::Own(transaction), known_device.user_id)?.is_none() {
        return Err(StoreError::Unavailable("a client is of an account that exists".into()));
    }
    let id = key(known_device.id);
    insert::<KnownDeviceRow>(transaction, id, known_device)?;
    claim_secret(transaction, CLIENT_SECRETS, &known_device.secret, id)?;
    enter(transaction, KNOWN_DEVICES_OF_USER, place_of_user(known_device))?;
    enter(transaction, KNOWN_DEVICE_ENDS, place_in_time(known_device.expires_at, id))
}

/// Deletes devices and their index entries. Returns their number.
fn forget_all(
    transaction: &WriteTransaction,
    known_devices: &[KnownDevice],
) -> Result<u64, StoreError> {
    let mut count = 0;
    for known_device in known_devices {
        let id = key(known_device.id);
        remove(transaction, CLIENT_SECRETS, &known_device.secret.0)?;
        remove(transaction, KNOWN_DEVICES_OF_USER, place_of_user(known_device))?;
        remove(transaction, KNOWN_DEVICE_ENDS, place_in_time(known_device.expires_at, id))?;
        remove(transaction, table::<KnownDeviceRow>(), id)?;
        count += 1;
    }
    Ok(count)
}
