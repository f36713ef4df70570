//! `KnownDevice`: a client that has logged in to an account before.

use crate::link::SecretHash;
use crate::{KnownDeviceId, RequestInfo, Timestamp, UserId};

/// A client that has logged in to an account before. It shows so by a secret that it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownDevice {
    /// Which client.
    pub id: KnownDeviceId,
    /// Whose account it logged in to.
    pub user_id: UserId,
    /// The hash of its secret.
    pub secret: SecretHash,
    /// Where it logged in last.
    pub request_info: RequestInfo,
    /// When it logged in first.
    pub created_at: Timestamp,
    /// When it logged in last.
    pub last_used_at: Timestamp,
    /// Until when it is known if it does not log in again.
    pub expires_at: Timestamp,
}

impl KnownDevice {
    /// For how many seconds a client is known after it has logged in: 180 days.
    pub const KNOWN_SECONDS: i64 = 180 * 24 * 3600;

    /// The most clients of one account; more than a person has, few enough to be read at each
    /// login.
    pub const PER_USER_MAX: u32 = 50;

    /// Whether it has ever come back.
    #[must_use]
    pub fn has_returned(&self) -> bool {
        self.last_used_at > self.created_at
    }
}
