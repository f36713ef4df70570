//! `KnownDeviceRepo`: known devices.

use async_trait::async_trait;

use super::StoreError;
use crate::known_device::KnownDevice;
use crate::{KnownDeviceId, RequestInfo, Timestamp, UserId};

/// The devices that have logged in to an account before.
#[async_trait]
pub trait KnownDeviceRepo: Send {
    /// Inserts a device of an existing account. Returns [`StoreError::Unavailable`] if the
    /// identifier or the secret already exists.
    async fn insert_known_device(&mut self, known_device: &KnownDevice) -> Result<(), StoreError>;

    /// Records another login of a device, with its IP address and user agent. Returns `false` if
    /// the device does not exist.
    async fn touch_known_device(
        &mut self,
        id: KnownDeviceId,
        request_info: &RequestInfo,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Returns at most `limit` devices of an account, ordered by identifier, including expired
    /// ones.
    async fn list_known_devices(
        &mut self,
        user_id: UserId,
        limit: u32,
    ) -> Result<Vec<KnownDevice>, StoreError>;

    /// Deletes a device. Returns `false` if it does not exist.
    async fn delete_known_device(&mut self, id: KnownDeviceId) -> Result<bool, StoreError>;

    /// Deletes all devices of an account and returns their number. Deleting the account deletes
    /// them too.
    async fn delete_user_known_devices(&mut self, user_id: UserId) -> Result<u64, StoreError>;

    /// Deletes at most `limit` devices that expired before `before`.
    async fn delete_known_devices(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError>;
}
