//! `KnownDeviceRepo`: the clients that have logged in before.

use async_trait::async_trait;

use super::StoreError;
use crate::known_device::KnownDevice;
use crate::{KnownDeviceId, RequestInfo, Timestamp, UserId};

/// The clients that have logged in to an account before.
#[async_trait]
pub trait KnownDeviceRepo: Send {
    /// Adds a client of an account that exists. An identifier or secret that is there already is
    /// [`StoreError::Unavailable`].
    async fn insert_known_device(&mut self, known_device: &KnownDevice) -> Result<(), StoreError>;

    /// Notes that a client has logged in again, and from where; `false` if it is not there.
    async fn touch_known_device(
        &mut self,
        id: KnownDeviceId,
        request_info: &RequestInfo,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError>;

    /// The clients of an account, in the order of their identifiers, in time or not, at most
    /// `limit`.
    async fn list_known_devices(
        &mut self,
        user_id: UserId,
        limit: u32,
    ) -> Result<Vec<KnownDevice>, StoreError>;

    /// Forgets a client; `false` if it is not there.
    async fn delete_known_device(&mut self, id: KnownDeviceId) -> Result<bool, StoreError>;

    /// Forgets all clients of an account; gives how many. They go with the account, too.
    async fn delete_user_known_devices(&mut self, user_id: UserId) -> Result<u64, StoreError>;

    /// Deletes at most `limit` clients whose time was over before `before`.
    async fn delete_known_devices(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError>;
}
