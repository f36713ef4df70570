//! Bringing the tables up to date.

mod sums;

use diesel::backend::Backend;
use diesel::connection::SimpleConnection;
use diesel::migration::{MigrationSource, MigrationVersion};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness};

use crate::error::MigrateError;
use crate::open::CreateIfMissing;
use crate::target::Target;
use crate::{postgres, sqlite};
pub use __diesel_schema_migrations as applied_migrations;
pub use sums::{Sums, differing, gateward_migration_sums};

/// An error of the migrations' own machinery.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Applies all migrations that the database lacks; gives their versions.
///
/// Any number of nodes may do so at once: they take turns, and each migration is applied once.
/// Each is applied whole or not at all, so that whoever is killed in the midst of it can simply
/// start again. A database that knows more migrations than this program is left as it is.
pub async fn migrate(url: &str, create: CreateIfMissing) -> Result<Vec<String>, MigrateError> {
    match Target::parse(url)? {
        Target::Sqlite(path) => sqlite::migrate::migrate(path, create).await,
        Target::Postgres(settings) => postgres::migrate::migrate(*settings).await,
    }
}

/// The versions of the migrations that the database lacks. It is only looked at.
pub async fn pending(url: &str) -> Result<Vec<String>, MigrateError> {
    match Target::parse(url)? {
        Target::Sqlite(path) => sqlite::migrate::pending(path).await,
        Target::Postgres(settings) => postgres::migrate::pending(*settings).await,
    }
}

/// The names of the applied migrations that say something else in this program than they did when
/// they were applied. What was applied before such things were noted counts as it was at the next
/// [`migrate`].
pub async fn altered(url: &str) -> Result<Vec<String>, MigrateError> {
    match Target::parse(url)? {
        Target::Sqlite(path) => sqlite::migrate::altered(path).await,
        Target::Postgres(settings) => postgres::migrate::altered(*settings).await,
    }
}

/// Applies what is pending, in order.
pub fn apply<DB: Backend, C: MigrationHarness<DB> + SimpleConnection>(
    conn: &mut C,
    migrations: fn() -> EmbeddedMigrations,
) -> Result<Vec<String>, Cause>
where
    EmbeddedMigrations: MigrationSource<DB>,
{
    let mut applied = Vec::new();
    for migration in conn.pending_migrations(migrations())? {
        applied.push(conn.run_migration(&*migration)?);
    }
    sums::note(conn, &migrations(), &applied)?;
    Ok(applied.iter().map(MigrationVersion::to_string).collect())
}

/// Lists which of the migrations are not applied, in order.
pub fn lacking<DB: Backend>(
    migrations: &EmbeddedMigrations,
    applied: &[String],
) -> Result<Vec<String>, Cause>
where
    EmbeddedMigrations: MigrationSource<DB>,
{
    let mut versions: Vec<_> = MigrationSource::<DB>::migrations(migrations)?
        .iter()
        .map(|migration| migration.name().version().to_string())
        .collect();
    versions.retain(|version| !applied.contains(version));
    versions.sort_unstable();
    Ok(versions)
}

diesel::table! {
    /// What is applied. The runner makes this table; whoever only looks must not, and may lack the
    /// right.
    __diesel_schema_migrations (version) {
        version -> Text,
    }
}

#[cfg(test)]
mod tests;
