//! What stands in the tables: one structure for each, written as JSON.
//!
//! They are not the domain's nouns: a row outlives the version of the code that wrote it, and a
//! noun may change its shape. A field that comes later gets `#[serde(default)]`.

mod chain;
mod event;
mod installation;
mod invalidation_event;
mod known_device;
mod link;
mod outbox_email;
mod rate_limit_counter;
mod role;
mod session;
mod signup;
mod user;

pub use chain::ChainRow;
pub use event::EventRow;
pub use installation::{InstanceRow, KeyRow};
pub use invalidation_event::InvalidationEventRow;
pub use known_device::KnownDeviceRow;
pub use link::LinkRow;
pub use outbox_email::OutboxEmailRow;
pub use rate_limit_counter::AttemptCounterRow;
pub use role::RoleRow;
pub use session::SessionRow;
pub use signup::SignupRow;
pub use user::UserRow;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A row, and what the domain makes of it.
pub trait Row: Serialize + DeserializeOwned {
    /// What the domain calls it.
    type Noun;
    /// What finds it.
    type Key: redb::Key + 'static;
    /// The name of its table.
    const TABLE: &'static str;

    /// Writes the noun down.
    fn of(noun: &Self::Noun) -> Self;

    /// Reads the noun, by the domain's own rules; the error is the name of the bad column.
    fn into_noun(self) -> Result<Self::Noun, &'static str>;
}
