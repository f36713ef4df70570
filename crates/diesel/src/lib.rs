//! The storage adapter: Postgres and SQLite behind the ports of the domain.
//!
//! The queries are written once, in `schema.rs`, `rows/` and `repos/`. `postgres.rs` and
//! `sqlite.rs` each define a connection and a unit of work, and compile these files for it, with
//! column types of their own. Code for a single database is in that backend's folder:
//!
//! | | Postgres | SQLite |
//! |---|---|---|
//! | to rotate a session | `postgres/rotate.rs`: one statement | `sqlite/rotate.rs`: many refreshes in one transaction |
//! | to lock a row | `FOR NO KEY UPDATE` | nothing: one writer at a time |
//! | to lock many | in order, or `SKIP LOCKED` | nothing: one writer at a time |
//! | to append events to the chain | one statement for many: `postgres/audit_chain.rs` | one for each: `sqlite/audit_chain.rs` |
//! | to read the feed | by transactions: `postgres/feed.rs`, `postgres/cursor.rs` | by numbers: `sqlite/feed.rs` |
//! | to be woken | `LISTEN`: `postgres/watch.rs` | a poll every tenth of a second: `sqlite/watch.rs` |
//!
//! [`open()`] opens a store, [`migrate`] migrates its tables, and [`inspect()`] checks its
//! consistency.
#![expect(
    clippy::duplicate_mod,
    reason = "the queries are written once and compiled once for each database"
)]

#[macro_use]
mod run;
mod error;
mod inspect;
mod migrations;
mod open;
mod postgres;
mod sqlite;
mod target;
#[cfg(test)]
mod testing;

pub use error::{InspectError, MigrateError, OpenError};
pub use inspect::{Anomaly, Flaw, inspect, server_time};
pub use migrations::{altered, migrate, pending};
pub use open::{CreateIfMissing, Options, check_url, open, shown_url};
pub use postgres::{PoolLoad, PostgresStore};
pub use sqlite::SqliteStore;
