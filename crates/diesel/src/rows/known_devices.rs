//! The rows of `known_devices`.

use diesel::prelude::{Insertable, Queryable};
use gateward_domain::known_device::KnownDevice;
use gateward_domain::link::SecretHash;
use gateward_domain::ports::StoreError;
use gateward_domain::{KnownDeviceId, RequestInfo, UserId};

use super::super::columns::{Id, Time};
use super::super::schema::known_devices;
use super::{address, bytes_32};

/// A row of `known_devices`.
#[derive(Queryable, Insertable)]
#[diesel(table_name = known_devices)]
pub struct KnownDeviceRow {
    id: Id,
    user_id: Id,
    secret: Vec<u8>,
    ip: Option<String>,
    user_agent: Option<String>,
    created_at: Time,
    last_used_at: Time,
    expires_at: Time,
}

impl From<&KnownDevice> for KnownDeviceRow {
    fn from(known_device: &KnownDevice) -> Self {
        Self {
            id: Id(known_device.id.uuid()),
            user_id: Id(known_device.user_id.uuid()),
            secret: known_device.secret.0.to_vec(),
            ip: known_device.request_info.ip.map(|ip| ip.to_string()),
            user_agent: known_device.request_info.user_agent.clone(),
            created_at: Time(known_device.created_at),
            last_used_at: Time(known_device.last_used_at),
            expires_at: Time(known_device.expires_at),
        }
    }
}

impl TryFrom<KnownDeviceRow> for KnownDevice {
    type Error = StoreError;

    fn try_from(row: KnownDeviceRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: KnownDeviceId::from_uuid(row.id.0),
            user_id: UserId::from_uuid(row.user_id.0),
            secret: SecretHash(bytes_32(&row.secret, "known_devices", "secret")?),
            request_info: RequestInfo {
                ip: address(row.ip.as_deref(), "known_devices")?,
                user_agent: row.user_agent,
            },
            created_at: row.created_at.0,
            last_used_at: row.last_used_at.0,
            expires_at: row.expires_at.0,
        })
    }
}
