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

/// The migrations, compiled in.
const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// Whoever migrates holds this advisory lock until its connection ends. The number is "gateward" in
/// ASCII, so that no other program's lock is likely to be the same.
///
/// It is waited for without limit, because another node's migration may take long. A migration's
/// own wait for a table is short: everybody else who wants the table would wait behind it.
const TAKE_TURNS: &str = "\
    SET statement_timeout = 0; \
    SET lock_timeout = 0; \
    SELECT pg_advisory_lock(7449363237790904932); \
    SET lock_timeout = '5s'";

/// The connection, as the migrations' own machinery wants it: blocking.
type Blocking = AsyncConnectionWrapper<AsyncPgConnection>;

/// Applies what is pending.
pub async fn migrate(settings: Settings) -> Result<Vec<String>, MigrateError> {
    in_turn(settings, |conn| apply(conn, || MIGRATIONS)).await
}

/// Lists what was altered since it was applied.
pub async fn altered(settings: Settings) -> Result<Vec<String>, MigrateError> {
    looking(settings, |conn| {
        let (applied, noted) = (applied(conn)?, noted(conn)?);
        differing::<Pg>(&MIGRATIONS, &applied, noted)
    })
    .await
}

/// Lists what is pending.
pub async fn pending(settings: Settings) -> Result<Vec<String>, MigrateError> {
    looking(settings, |conn| lacking::<Pg>(&MIGRATIONS, &applied(conn)?)).await
}

/// The versions that are applied; none in a database that was never migrated.
fn applied(conn: &mut Blocking) -> QueryResult<Vec<String>> {
    if is_there(conn, "__diesel_schema_migrations")? {
        applied_migrations::table.select(applied_migrations::version).load(conn)
    } else {
        Ok(Vec::new())
    }
}

/// The sums that were noted; none by the versions before.
fn noted(conn: &mut Blocking) -> QueryResult<Sums> {
    if is_there(conn, "gateward_migration_sums")? {
        gateward_migration_sums::table.load(conn)
    } else {
        Ok(Sums::new())
    }
}

/// Whether there is such a table.
fn is_there(conn: &mut Blocking, table: &str) -> QueryResult<bool> {
    let is_there = format!("to_regclass('{table}') IS NOT NULL");
    diesel::select(sql::<Bool>(&is_there)).get_result(conn)
}

/// Looks, and changes nothing. It waits for nobody, and nobody waits for it.
async fn looking<T: Send + 'static>(
    settings: Settings,
    work: impl FnOnce(&mut Blocking) -> Result<T, Cause> + Send + 'static,
) -> Result<T, MigrateError> {
    on_own_connection(settings, "SET default_transaction_read_only = on", work).await
}

/// Works while no other node migrates.
async fn in_turn<T: Send + 'static>(
    settings: Settings,
    work: impl FnOnce(&mut Blocking) -> Result<T, Cause> + Send + 'static,
) -> Result<T, MigrateError> {
    on_own_connection(settings, TAKE_TURNS, work).await
}

/// Works on a connection of its own, which is told something first.
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
