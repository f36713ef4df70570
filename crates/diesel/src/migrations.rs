//! Migrates the tables.

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

/// An error of Diesel's migration harness.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Applies all pending migrations and returns their versions.
///
/// Any number of nodes may call it at once: they take turns, and each migration is applied once. A
/// migration is applied completely or not at all, so an interrupted run can be repeated. A database
/// with more migrations than this program knows is not changed.
pub async fn migrate(url: &str, create: CreateIfMissing) -> Result<Vec<String>, MigrateError> {
    match Target::parse(url)? {
        Target::Sqlite(path) => sqlite::migrate::migrate(path, create).await,
        Target::Postgres(settings) => postgres::migrate::migrate(*settings).await,
    }
}

/// Returns the versions of the pending migrations. Read-only.
pub async fn pending(url: &str) -> Result<Vec<String>, MigrateError> {
    match Target::parse(url)? {
        Target::Sqlite(path) => sqlite::migrate::pending(path).await,
        Target::Postgres(settings) => postgres::migrate::pending(*settings).await,
    }
}

/// Returns the names of the applied migrations whose text in this program differs from the text
/// that was applied. Migrations applied before checksums existed are recorded with their current
/// text at the next [`migrate`].
pub async fn altered(url: &str) -> Result<Vec<String>, MigrateError> {
    match Target::parse(url)? {
        Target::Sqlite(path) => sqlite::migrate::altered(path).await,
        Target::Postgres(settings) => postgres::migrate::altered(*settings).await,
    }
}

/// Applies the pending migrations in order.
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

/// Lists the pending migrations in order.
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
    /// The applied migrations. Diesel creates this table; a read-only check must not, and may lack
    /// the privilege.
    __diesel_schema_migrations (version) {
        version -> Text,
    }
}

#[cfg(test)]
mod tests;
