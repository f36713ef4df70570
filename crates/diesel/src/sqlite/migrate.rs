//! Migrations on SQLite: all in one transaction, which only one process can have.

use std::path::PathBuf;

use diesel::dsl::sql;
use diesel::sql_types::Bool;
use diesel::{QueryResult, RunQueryDsl, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use tokio::task::spawn_blocking;

use super::file;
use crate::error::MigrateError;
use crate::migrations::{Cause, Sums, apply, differing, gateward_migration_sums, list};
use crate::open::CreateIfMissing;

/// The migrations, compiled in.
const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

/// An error of the machinery, as a transaction wants it.
struct Failure(Cause);

impl From<diesel::result::Error> for Failure {
    fn from(error: diesel::result::Error) -> Self {
        Self(Box::new(error))
    }
}

/// Applies what is pending.
pub async fn migrate(path: PathBuf, create: CreateIfMissing) -> Result<Vec<String>, MigrateError> {
    in_turn(path, create, |conn| apply(conn, || MIGRATIONS)).await
}

/// Lists what was altered since it was applied.
pub async fn altered(path: PathBuf) -> Result<Vec<String>, MigrateError> {
    in_turn(path, CreateIfMissing::No, |conn| {
        let noted = noted(conn)?;
        differing(conn, &MIGRATIONS, noted)
    })
    .await
}

/// The sums that were noted; none by the versions before.
fn noted(conn: &mut SqliteConnection) -> QueryResult<Sums> {
    let is_there = "EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'gateward_migration_sums')";
    if diesel::select(sql::<Bool>(is_there)).get_result(conn)? {
        gateward_migration_sums::table.load(conn)
    } else {
        Ok(Sums::new())
    }
}

/// Lists what is pending.
pub async fn pending(path: PathBuf) -> Result<Vec<String>, MigrateError> {
    in_turn(path, CreateIfMissing::No, |conn| list(conn, MIGRATIONS)).await
}

/// Works on a connection of its own, while no other process writes.
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
