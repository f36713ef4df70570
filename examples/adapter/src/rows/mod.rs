//! The rows of the tables: one structure for each, serialized as JSON.
//!
//! They are not the domain's types: a row outlives the version of the code that wrote it, while a
//! domain type may change. A field that is added later gets `#[serde(default)]`.

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

/// A row and its conversion to and from the domain's type.
pub trait Row: Serialize + DeserializeOwned {
    /// The domain's type.
    type Noun;
    /// The key of the row.
    type Key: redb::Key + 'static;
    /// The name of the row's table.
    const TABLE: &'static str;

    /// Builds the row from the domain's type.
    fn of(noun: &Self::Noun) -> Self;

    /// Converts the row by the domain's own rules. The error is the name of the invalid column.
    fn into_noun(self) -> Result<Self::Noun, &'static str>;
}
