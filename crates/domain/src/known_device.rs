//! `KnownDevice`: a device that has logged in to an account before.

use crate::link::SecretHash;
use crate::{KnownDeviceId, RequestInfo, Timestamp, UserId};

/// A device that has logged in to an account before. It proves this with a secret it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownDevice {
    /// The device's identifier.
    pub id: KnownDeviceId,
    /// The account it logged in to.
    pub user_id: UserId,
    /// Hash of the device's secret.
    pub secret: SecretHash,
    /// IP address and user agent of the last login.
    pub request_info: RequestInfo,
    /// Time of the first login, UTC.
    pub created_at: Timestamp,
    /// Time of the last login, UTC.
    pub last_used_at: Timestamp,
    /// Expiry, UTC, unless the device logs in again.
    pub expires_at: Timestamp,
}

impl KnownDevice {
    /// Number of seconds a device stays known after a login: 180 days.
    pub const KNOWN_SECONDS: i64 = 180 * 24 * 3600;

    /// Maximum number of devices per account. More than a person has, and few enough to read at
    /// each login.
    pub const PER_USER_MAX: u32 = 50;

    /// Returns whether the device has logged in more than once.
    #[must_use]
    pub fn has_returned(&self) -> bool {
        self.last_used_at > self.created_at
    }
}
