//! Checksums of the applied migrations, so that a later change of their text is detected.

use std::any::Any;
use std::collections::HashMap;
use std::fmt::Write as _;

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::connection::{BoxableConnection, SimpleConnection};
use diesel::migration::{Migration, MigrationSource, MigrationVersion};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness};
use sha2::{Digest, Sha256};

use super::Cause;

diesel::table! {
    /// The checksums of the applied texts. The migration runner creates this table, because it is
    /// about migrations.
    gateward_migration_sums (version) {
        version -> Text,
        sum -> Text,
    }
}

/// Creates the table.
const CREATE: &str = "\
    CREATE TABLE IF NOT EXISTS gateward_migration_sums \
    (version text NOT NULL PRIMARY KEY, sum text NOT NULL)";

/// The rows of the table.
pub type Sums = Vec<(String, String)>;

/// Records the migrations that were just applied, and those applied before checksums existed.
pub fn note<DB: Backend, C: MigrationHarness<DB> + SimpleConnection>(
    conn: &mut C,
    migrations: &EmbeddedMigrations,
    applied_now: &[MigrationVersion<'_>],
) -> Result<(), Cause>
where
    EmbeddedMigrations: MigrationSource<DB>,
{
    let applied = conn.applied_migrations()?;
    let mut statements = format!("{CREATE};");
    for migration in MigrationSource::<DB>::migrations(migrations)? {
        let version = migration.name().version();
        let on_conflict = match (applied_now.contains(&version), applied.contains(&version)) {
            (true, _) => "UPDATE SET sum = excluded.sum",
            (false, true) => "NOTHING",
            (false, false) => continue,
        };
        let sum = sum(&*migration)?;
        write!(
            statements,
            "INSERT INTO gateward_migration_sums VALUES ('{version}', '{sum}') \
             ON CONFLICT (version) DO {on_conflict};"
        )?;
    }
    Ok(conn.batch_execute(&statements)?)
}

/// Returns the names of the applied migrations whose checksum differs from the recorded one.
pub fn differing<DB: Backend>(
    migrations: &EmbeddedMigrations,
    applied: &[String],
    noted: Sums,
) -> Result<Vec<String>, Cause>
where
    EmbeddedMigrations: MigrationSource<DB>,
{
    let noted: HashMap<_, _> = noted.into_iter().collect();
    let mut altered = Vec::new();
    for migration in MigrationSource::<DB>::migrations(migrations)? {
        let version = migration.name().version();
        let version = version.to_string();
        let noted = noted.get(&version).filter(|_| applied.contains(&version));
        if let Some(noted) = noted
            && *noted != sum(&*migration)?
        {
            altered.push(migration.name().to_string());
        }
    }
    Ok(altered)
}

/// Returns the checksum of a migration's text, in hexadecimal.
fn sum<DB: Backend>(migration: &dyn Migration<DB>) -> Result<String, Cause> {
    let mut listener = Listener(Sha256::new());
    migration.run(&mut listener)?;
    let mut text = String::new();
    for byte in listener.0.finalize() {
        write!(text, "{byte:02x}")?;
    }
    Ok(text)
}

/// A connection that executes nothing and hashes the statements: a migration exposes its text only
/// to a connection.
struct Listener(Sha256);

impl SimpleConnection for Listener {
    fn batch_execute(&mut self, statements: &str) -> QueryResult<()> {
        self.0.update(statements);
        Ok(())
    }
}

impl<DB: Backend> BoxableConnection<DB> for Listener {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}
