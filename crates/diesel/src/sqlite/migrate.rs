//! Migrations on SQLite: all in one transaction, which only one process can hold.

use std::path::PathBuf;

use diesel::dsl::sql;
use diesel::sql_types::Bool;
use diesel::sqlite::Sqlite;
use diesel::{QueryDsl, QueryResult, RunQueryDsl, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use tokio::task::spawn_blocking;

use super::file;
use crate::error::{MigrateError, OpenError};
use crate::migrations::{
    Cause, Sums, applied_migrations, apply, differing, gateward_migration_sums, lacking,
};
use crate::open::CreateIfMissing;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

/// Wraps an error of the migration harness for a transaction.
struct Failure(Cause);

impl From<diesel::result::Error> for Failure {
    fn from(error: diesel::result::Error) -> Self {
        Self(Box::new(error))
    }
}

/// Applies the pending migrations.
pub async fn migrate(path: PathBuf, create: CreateIfMissing) -> Result<Vec<String>, MigrateError> {
    in_turn(path, create, |conn| apply(conn, || MIGRATIONS)).await
}

/// Lists the migrations altered since they were applied.
pub async fn altered(path: PathBuf) -> Result<Vec<String>, MigrateError> {
    looking(path, |conn| {
        let (applied, noted) = (applied(conn)?, noted(conn)?);
        differing::<Sqlite>(&MIGRATIONS, &applied, noted)
    })
    .await
}

/// Lists the pending migrations.
pub async fn pending(path: PathBuf) -> Result<Vec<String>, MigrateError> {
    looking(path, |conn| lacking::<Sqlite>(&MIGRATIONS, &applied(conn)?)).await
}

/// Returns the applied versions. Empty for a database that was never migrated.
fn applied(conn: &mut SqliteConnection) -> QueryResult<Vec<String>> {
    if is_there(conn, "__diesel_schema_migrations")? {
        applied_migrations::table.select(applied_migrations::version).load(conn)
    } else {
        Ok(Vec::new())
    }
}

/// Returns the recorded checksums. Empty for a database of an earlier version.
fn noted(conn: &mut SqliteConnection) -> QueryResult<Sums> {
    if is_there(conn, "gateward_migration_sums")? {
        gateward_migration_sums::table.load(conn)
    } else {
        Ok(Sums::new())
    }
}

/// Returns whether the table exists.
fn is_there(conn: &mut SqliteConnection, table: &str) -> QueryResult<bool> {
    let is_there = format!("EXISTS (SELECT 1 FROM sqlite_schema WHERE name = '{table}')");
    diesel::select(sql::<Bool>(&is_there)).get_result(conn)
}

/// Runs a read-only check.
async fn looking<T: Send + 'static>(
    path: PathBuf,
    work: impl FnOnce(&mut SqliteConnection) -> Result<T, Cause> + Send + 'static,
) -> Result<T, MigrateError> {
    let worker = spawn_blocking(move || {
        if !path.exists() {
            return Err(OpenError::Missing(path).into());
        }
        work(&mut file::open_reader(&path)?).map_err(MigrateError::Failed)
    });
    worker.await.unwrap_or_else(|panicked| Err(MigrateError::Failed(Box::new(panicked))))
}

/// Runs work on a connection of its own, while no other process writes.
async fn in_turn<T: Send + 'static>(
    path: PathBuf,
    create: CreateIfMissing,
    work: impl FnOnce(&mut SqliteConnection) -> Result<T, Cause> + Send + 'static,
) -> Result<T, MigrateError> {
    let worker = spawn_blocking(move || {
        let mut conn = file::open_writer(&path, create)?;
        let done = conn.immediate_transaction(|conn| work(conn).map_err(Failure));
        done.map_err(|Failure(cause)| MigrateError::Failed(cause))
    });
    match worker.await {
        Ok(done) => done,
        Err(panicked) => Err(MigrateError::Failed(Box::new(panicked))),
    }
}
