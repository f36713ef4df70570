//! The row of a known device.

use std::net::IpAddr;

use gateward_domain::known_device::KnownDevice;
use gateward_domain::link::SecretHash;
use gateward_domain::{KnownDeviceId, RequestInfo, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Row;

/// The row of a known device. It holds the hash of its secret, so it has no `Debug`.
#[derive(Serialize, Deserialize)]
pub struct KnownDeviceRow {
    id: Uuid,
    user_id: Uuid,
    secret: [u8; 32],
    ip: Option<IpAddr>,
    user_agent: Option<String>,
    created_at: i64,
    last_used_at: i64,
    expires_at: i64,
}

impl Row for KnownDeviceRow {
    type Noun = KnownDevice;
    type Key = u128;
    const TABLE: &'static str = "known_devices";

    fn of(known_device: &KnownDevice) -> Self {
        Self {
            id: known_device.id.uuid(),
            user_id: known_device.user_id.uuid(),
            secret: known_device.secret.0,
            ip: known_device.request_info.ip,
            user_agent: known_device.request_info.user_agent.clone(),
            created_at: known_device.created_at.micros(),
            last_used_at: known_device.last_used_at.micros(),
            expires_at: known_device.expires_at.micros(),
        }
    }

    fn into_noun(self) -> Result<KnownDevice, &'static str> {
        Ok(KnownDevice {
            id: KnownDeviceId::from_uuid(self.id),
            user_id: UserId::from_uuid(self.user_id),
            secret: SecretHash(self.secret),
            request_info: RequestInfo { ip: self.ip, user_agent: self.user_agent },
            created_at: Timestamp::from_micros(self.created_at),
            last_used_at: Timestamp::from_micros(self.last_used_at),
            expires_at: Timestamp::from_micros(self.expires_at),
        })
    }
}
