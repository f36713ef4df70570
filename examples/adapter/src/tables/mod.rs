//! The tables: one for each kind of row, and the indexes.

mod change;
mod view;

pub use change::{claim, claim_secret, enter, insert, remove, update};
pub use view::View;

use gateward_domain::Timestamp;
use gateward_domain::ports::StoreError;
use redb::{TableDefinition, TableError, Value, WriteTransaction};

use crate::failed;
use crate::rows::{
    AttemptCounterRow, ChainRow, EventRow, InstanceRow, InvalidationEventRow, KeyRow,
    KnownDeviceRow, LinkRow, OutboxEmailRow, RoleRow, Row, SessionRow, SignupRow, UserRow,
};

/// A unique index: each key belongs to one row.
pub type Owners<K> = TableDefinition<'static, K, u128>;

/// The rows of an owner, ordered by time: owner, microseconds, row.
pub type Index<O> = TableDefinition<'static, (O, i64, u128), ()>;

/// The rows of an owner, ordered by identifier: owner, row.
pub type Pages = TableDefinition<'static, (u128, u128), ()>;

/// Rows ordered by a time: microseconds, row.
pub type Times = TableDefinition<'static, (i64, u128), ()>;

/// Rows ordered by a number that is not a time: number, row.
pub type Places = Times;

/// Usernames in folded case, with their accounts.
pub const USERNAMES: Owners<&'static str> = TableDefinition::new("usernames");
/// Email addresses, with their accounts.
pub const EMAILS: Owners<&'static str> = TableDefinition::new("emails");

/// The numbers of accounts.
pub const USER_NUMBERS: TableDefinition<'static, u128, i64> = TableDefinition::new("user_numbers");
/// The last assigned number of an account, which may have been deleted.
pub const LAST_USER_NUMBER: TableDefinition<'static, (), i64> =
    TableDefinition::new("last_user_number");

/// The sessions of a user, by start time.
pub const SESSIONS_OF_USER: Index<u128> = TableDefinition::new("sessions_of_user");
/// All sessions, by the end of their maximum lifetime.
pub const LIFETIMES: Times = TableDefinition::new("lifetimes");

/// The events of a session, by time.
pub const EVENTS_OF_SESSION: Index<u128> = TableDefinition::new("events_of_session");
/// The events about an account, by identifier.
pub const EVENTS_OF_USER: Pages = TableDefinition::new("events_of_user");

/// All events, by their position in the chain. Those without one are at 0.
pub const CHAIN: Places = TableDefinition::new("chain");
/// The accounts whose events are to be erased, by the time of the request.
pub const ERASURES: Times = TableDefinition::new("erasures");

/// The hashes of the secrets of sign-ups, with their sign-ups.
pub const SIGNUP_SECRETS: Owners<&'static [u8; 32]> = TableDefinition::new("signup_secrets");
/// The sign-ups of an email address, by time of creation.
pub const SIGNUPS_OF_EMAIL: Index<&'static str> = TableDefinition::new("signups_of_email");
/// All sign-ups, by expiry.
pub const SIGNUP_ENDS: Times = TableDefinition::new("signup_ends");

/// The hashes of the tokens of links, with their links.
pub const LINK_SECRETS: Owners<&'static [u8; 32]> = TableDefinition::new("link_secrets");
/// The links of an email address, by time of creation.
pub const LINKS_OF_EMAIL: Index<&'static str> = TableDefinition::new("links_of_email");
/// The links about a sign-up, an account or a session, by time of creation.
pub const LINKS_OF_SUBJECT: Index<u128> = TableDefinition::new("links_of_subject");
/// All links, by expiry.
pub const LINK_ENDS: Times = TableDefinition::new("link_ends");

/// The slots of emails, with their emails.
pub const EMAIL_SLOTS: Owners<&'static str> = TableDefinition::new("email_slots");
/// The waiting emails, by due time.
pub const EMAILS_DUE: Times = TableDefinition::new("emails_due");

/// The hashes of the secrets of known devices, with their devices.
pub const CLIENT_SECRETS: Owners<&'static [u8; 32]> = TableDefinition::new("client_secrets");
/// The known devices of a user, by identifier.
pub const KNOWN_DEVICES_OF_USER: Pages = TableDefinition::new("clients_of_user");
/// All known devices, by expiry.
pub const KNOWN_DEVICE_ENDS: Times = TableDefinition::new("client_ends");

/// The last assigned sequence number of the feed. Its invalidation events may have been deleted.
pub const LAST_SEQUENCE: Owners<()> = TableDefinition::new("last_sequence");
/// All invalidation events, by the time at which they become irrelevant.
pub const INVALIDATION_ENDS: Times = TableDefinition::new("invalidation_events_ends");

/// Returns the table of a row.
pub const fn table<R: Row>() -> TableDefinition<'static, R::Key, &'static [u8]> {
    TableDefinition::new(R::TABLE)
}

/// The key of a row.
pub type KeyOf<'k, R> = <<R as Row>::Key as Value>::SelfType<'k>;

/// Returns the key of a row in [`Times`].
pub const fn place_in_time(at: Timestamp, row: u128) -> (i64, u128) {
    (at.micros(), row)
}

/// Converts a number of rows.
pub fn count_of(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// Creates all tables: a reader cannot open one that was never created.
pub fn create_all(transaction: &WriteTransaction) -> Result<(), StoreError> {
    create_rows(transaction).and_then(|()| create_indexes(transaction)).map_err(failed)
}

fn create_rows(transaction: &WriteTransaction) -> Result<(), TableError> {
    transaction.open_table(table::<UserRow>())?;
    transaction.open_table(table::<SessionRow>())?;
    transaction.open_table(table::<EventRow>())?;
    transaction.open_table(table::<KeyRow>())?;
    transaction.open_table(table::<InstanceRow>())?;
    transaction.open_table(table::<SignupRow>())?;
    transaction.open_table(table::<LinkRow>())?;
    transaction.open_table(table::<OutboxEmailRow>())?;
    transaction.open_table(table::<KnownDeviceRow>())?;
    transaction.open_table(table::<InvalidationEventRow>())?;
    transaction.open_table(table::<RoleRow>())?;
    transaction.open_table(table::<ChainRow>())?;
    transaction.open_table(table::<AttemptCounterRow>())?;
    Ok(())
}

fn create_indexes(transaction: &WriteTransaction) -> Result<(), TableError> {
    transaction.open_table(USERNAMES)?;
    transaction.open_table(EMAILS)?;
    transaction.open_table(USER_NUMBERS)?;
    transaction.open_table(LAST_USER_NUMBER)?;
    transaction.open_table(SESSIONS_OF_USER)?;
    transaction.open_table(LIFETIMES)?;
    transaction.open_table(EVENTS_OF_SESSION)?;
    transaction.open_table(EVENTS_OF_USER)?;
    transaction.open_table(CHAIN)?;
    transaction.open_table(ERASURES)?;
    transaction.open_table(SIGNUP_SECRETS)?;
    transaction.open_table(SIGNUPS_OF_EMAIL)?;
    transaction.open_table(SIGNUP_ENDS)?;
    transaction.open_table(LINK_SECRETS)?;
    transaction.open_table(LINKS_OF_EMAIL)?;
    transaction.open_table(LINKS_OF_SUBJECT)?;
    transaction.open_table(LINK_ENDS)?;
    transaction.open_table(EMAIL_SLOTS)?;
    transaction.open_table(EMAILS_DUE)?;
    transaction.open_table(CLIENT_SECRETS)?;
    transaction.open_table(KNOWN_DEVICES_OF_USER)?;
    transaction.open_table(KNOWN_DEVICE_ENDS)?;
    transaction.open_table(LAST_SEQUENCE)?;
    transaction.open_table(INVALIDATION_ENDS)?;
    Ok(())
}
