//! Migrations on Postgres: one node at a time, each migration in a transaction.

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::sql_types::Bool;
use diesel::{QueryDsl, QueryResult, RunQueryDsl};
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use tokio::task::spawn_blocking;

use super::connect::Connector;
use super::settings::Settings;
use crate::error::MigrateError;
use crate::migrations::{
    Cause, Sums, applied_migrations, apply, differing, gateward_migration_sums, lacking,
};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// A migrating node holds this advisory lock until its connection ends. The number is "gateward" in
/// ASCII, so that a collision with another program's lock is unlikely.
///
/// The wait for it is unlimited, because another node's migration may take long. A migration's own
/// wait for a table is short, because everything else that needs the table queues behind it.
const TAKE_TURNS: &str = "\
    SET statement_timeout = 0; \
    SET lock_timeout = 0; \
    SELECT pg_advisory_lock(7449363237790904932); \
    SET lock_timeout = '5s'";

/// The blocking connection that Diesel's migration harness requires.
type Blocking = AsyncConnectionWrapper<AsyncPgConnection>;

/// Applies the pending migrations.
pub async fn migrate(settings: Settings) -> Result<Vec<String>, MigrateError> {
    in_turn(settings, |conn| apply(conn, || MIGRATIONS)).await
}

/// Lists the migrations altered since they were applied.
pub async fn altered(settings: Settings) -> Result<Vec<String>, MigrateError> {
    looking(settings, |conn| {
        let (applied, noted) = (applied(conn)?, noted(conn)?);
        differing::<Pg>(&MIGRATIONS, &applied, noted)
    })
    .await
}

/// Lists the pending migrations.
pub async fn pending(settings: Settings) -> Result<Vec<String>, MigrateError> {
    looking(settings, |conn| lacking::<Pg>(&MIGRATIONS, &applied(conn)?)).await
}

/// Returns the applied versions. Empty for a database that was never migrated.
fn applied(conn: &mut Blocking) -> QueryResult<Vec<String>> {
    if is_there(conn, "__diesel_schema_migrations")? {
        applied_migrations::table.select(applied_migrations::version).load(conn)
    } else {
        Ok(Vec::new())
    }
}

/// Returns the recorded checksums. Empty for a database of an earlier version.
fn noted(conn: &mut Blocking) -> QueryResult<Sums> {
    if is_there(conn, "gateward_migration_sums")? {
        gateward_migration_sums::table.load(conn)
    } else {
        Ok(Sums::new())
    }
}

/// Returns whether the table exists.
fn is_there(conn: &mut Blocking, table: &str) -> QueryResult<bool> {
    let is_there = format!("to_regclass('{table}') IS NOT NULL");
    diesel::select(sql::<Bool>(&is_there)).get_result(conn)
}

/// Runs a read-only check. It waits for no lock and blocks nothing.
async fn looking<T: Send + 'static>(
    settings: Settings,
    work: impl FnOnce(&mut Blocking) -> Result<T, Cause> + Send + 'static,
) -> Result<T, MigrateError> {
    on_own_connection(settings, "SET default_transaction_read_only = on", work).await
}

/// Runs work while no other node migrates.
async fn in_turn<T: Send + 'static>(
    settings: Settings,
    work: impl FnOnce(&mut Blocking) -> Result<T, Cause> + Send + 'static,
) -> Result<T, MigrateError> {
    on_own_connection(settings, TAKE_TURNS, work).await
}

/// Runs work on a connection of its own, after a first statement.
async fn on_own_connection<T: Send + 'static>(
    settings: Settings,
    first: &'static str,
    work: impl FnOnce(&mut Blocking) -> Result<T, Cause> + Send + 'static,
) -> Result<T, MigrateError> {
    let conn = Connector::new(settings)?.connect_unlimited().await;
    let conn = conn.map_err(|error| MigrateError::Unreachable(Box::new(error)))?;
    let worker = spawn_blocking(move || {
        let mut conn = Blocking::from(conn);
        conn.batch_execute(first)?;
        work(&mut conn)
    });
    match worker.await {
        Ok(done) => done.map_err(MigrateError::Failed),
        Err(panicked) => Err(MigrateError::Failed(Box::new(panicked))),
    }
}
