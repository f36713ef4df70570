//! Known devices in a [`MemoryStore`](super::MemoryStore).

use async_trait::async_trait;
use gateward_domain::known_device::KnownDevice;
use gateward_domain::ports::{KnownDeviceRepo, StoreError};
use gateward_domain::{KnownDeviceId, RequestInfo, Timestamp, UserId};

use super::MemoryTx;
use super::state::{State, doubled, page, remove_where};

#[async_trait]
impl KnownDeviceRepo for MemoryTx {
    async fn insert_known_device(&mut self, known_device: &KnownDevice) -> Result<(), StoreError> {
        self.write(|state| state.insert_known_device(known_device)).await
    }

    async fn touch_known_device(
        &mut self,
        id: KnownDeviceId,
        request_info: &RequestInfo,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let touch = |known_device: &mut KnownDevice| {
            known_device.request_info.clone_from(request_info);
            known_device.last_used_at = now;
            known_device.expires_at = expires_at;
        };
        self.write(|state| {
            let known_device =
                state.known_devices.iter_mut().find(|known_device| known_device.id == id);
            Ok(known_device.map(touch).is_some())
        })
        .await
    }

    async fn list_known_devices(
        &mut self,
        user_id: UserId,
        limit: u32,
    ) -> Result<Vec<KnownDevice>, StoreError> {
        Ok(self.read(|state| {
            let of_user =
                state.known_devices.iter().filter(|known_device| known_device.user_id == user_id);
            page(of_user, |known_device| known_device.id, None, limit)
        }))
    }

    async fn delete_known_device(&mut self, id: KnownDeviceId) -> Result<bool, StoreError> {
        let is_it = move |known_device: &KnownDevice| known_device.id == id;
        self.write(|state| Ok(remove_where(&mut state.known_devices, 1, is_it) == 1)).await
    }

    async fn delete_user_known_devices(&mut self, user_id: UserId) -> Result<u64, StoreError> {
        let of_user = move |known_device: &KnownDevice| known_device.user_id == user_id;
        self.write(|state| Ok(remove_where(&mut state.known_devices, u32::MAX, of_user))).await
    }

    async fn delete_known_devices(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let has_ended = move |known_device: &KnownDevice| known_device.expires_at < before;
        self.write(|state| Ok(remove_where(&mut state.known_devices, limit, has_ended))).await
    }
}

impl State {
    fn insert_known_device(&mut self, known_device: &KnownDevice) -> Result<(), StoreError> {
        if !self.users.contains_key(&known_device.user_id) {
            return Err(StoreError::Unavailable("a client is of an account that exists".into()));
        }
        let is_same = |other: &KnownDevice| {
            other.id == known_device.id || other.secret == known_device.secret
        };
        if self.known_devices.iter().any(is_same) {
            return Err(doubled("client"));
        }
        self.known_devices.push(known_device.clone());
        Ok(())
    }
}
