//! The rows of the tables, and their conversion to and from the domain's types.

mod audit;
mod events;
mod invalidation_events;
mod keys;
mod known_devices;
mod links;
mod outbox_emails;
mod rate_limit_counters;
mod roles;
mod sessions;
mod signups;
mod users;

use std::net::IpAddr;

use gateward_domain::EmailAddress;
use gateward_domain::ports::StoreError;

pub use audit::ChainRow;
pub use events::{ChainPositionRow, EventRow, entry};
pub use invalidation_events::InvalidationEventRow;
pub use keys::{InstanceRow, KeyPart, KeyRow};
pub use known_devices::KnownDeviceRow;
pub use links::LinkRow;
pub use outbox_emails::OutboxEmailRow;
pub use rate_limit_counters::AttemptCounterRow;
pub use roles::RoleRow;
pub use sessions::{RefreshStateRow, SessionRow};
pub use signups::SignupRow;
pub use users::{HeldRow, UserRow};

/// Returns the error of a value that this software never writes.
const fn corrupt(table: &'static str, column: &'static str) -> StoreError {
    StoreError::Corrupt { table, column }
}

/// Parses the 32 bytes of a hash or a salt.
fn bytes_32(
    bytes: &[u8],
    table: &'static str,
    column: &'static str,
) -> Result<[u8; 32], StoreError> {
    bytes.try_into().map_err(|_| corrupt(table, column))
}

/// Parses a client IP address.
fn address(text: Option<&str>, table: &'static str) -> Result<Option<IpAddr>, StoreError> {
    text.map(str::parse).transpose().map_err(|_| corrupt(table, "ip"))
}

/// Parses an email address, which is stored in its canonical form.
fn email(
    text: &str,
    table: &'static str,
    column: &'static str,
) -> Result<EmailAddress, StoreError> {
    EmailAddress::parse(text)
        .ok()
        .filter(|email| email.as_str() == text)
        .ok_or_else(|| corrupt(table, column))
}

/// Converts a count.
fn count(number: i64, table: &'static str, column: &'static str) -> Result<u32, StoreError> {
    number.try_into().map_err(|_| corrupt(table, column))
}
