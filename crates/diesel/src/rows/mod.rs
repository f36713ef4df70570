//! The rows of the tables, and how they become nouns of the domain and back.

mod audit;
mod clients;
mod events;
mod keys;
mod letters;
mod links;
mod news;
mod roles;
mod sessions;
mod signups;
mod strikes;
mod users;

use std::net::IpAddr;

use gateward_domain::Email;
use gateward_domain::ports::StoreError;

pub use audit::ChainRow;
pub use clients::ClientRow;
pub use events::{EventRow, SealRow, entry};
pub use keys::{InstanceRow, KeyPart, KeyRow};
pub use letters::LetterRow;
pub use links::LinkRow;
pub use news::NewsRow;
pub use roles::RoleRow;
pub use sessions::{LineRow, SessionRow};
pub use signups::SignupRow;
pub use strikes::StrikeRow;
pub use users::{HeldRow, UserRow};

/// The error of a value that was never written by us.
const fn corrupt(table: &'static str, column: &'static str) -> StoreError {
    StoreError::Corrupt { table, column }
}

/// The 32 bytes of a hash or a salt.
fn bytes_32(
    bytes: &[u8],
    table: &'static str,
    column: &'static str,
) -> Result<[u8; 32], StoreError> {
    bytes.try_into().map_err(|_| corrupt(table, column))
}

/// A client's address.
fn address(text: Option<&str>, table: &'static str) -> Result<Option<IpAddr>, StoreError> {
    text.map(str::parse).transpose().map_err(|_| corrupt(table, "ip"))
}

/// A mail address, which is stored in its canonical form.
fn email(text: &str, table: &'static str, column: &'static str) -> Result<Email, StoreError> {
    Email::parse(text)
        .ok()
        .filter(|email| email.as_str() == text)
        .ok_or_else(|| corrupt(table, column))
}

/// How often something was done.
fn count(number: i64, table: &'static str, column: &'static str) -> Result<u32, StoreError> {
    number.try_into().map_err(|_| corrupt(table, column))
}
