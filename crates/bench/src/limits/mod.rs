//! The limits: what the hardware allows for the part of a figure that cannot be avoided.

mod argon2;
mod bare;
mod postgres;
mod sqlite;

pub(crate) use self::argon2::hashes_per_second;
pub(crate) use self::bare::{BareServer, Resource, serve};
pub(crate) use self::postgres::PostgresRotations;
pub(crate) use self::sqlite::SqliteRotations;
