//! Migrations: concurrent, after an interruption, up and down, and ahead of the program.

use std::collections::BTreeSet;
use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::sql_types::BigInt;
use diesel::{Connection, RunQueryDsl, SqliteConnection};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use gateward_domain::ports::{Access, Store};

use crate::testing::{PostgresDatabase, SqliteDatabase, log_in, rotate};
use crate::{CreateIfMissing, altered, migrate, pending};

/// Number of nodes that start at once.
const NODES: usize = 8;

/// The folder of a database's migrations.
fn folder(database: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations").join(database)
}

/// The names in that folder.
fn names(database: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder(database)).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// The statements that revert a Postgres migration.
fn down(name: &str) -> String {
    std::fs::read_to_string(folder("postgres").join(name).join("down.sql")).unwrap()
}

/// Migrates with many nodes at once. Returns how many migrations each applied.
async fn migrate_together(url: &str) -> Vec<usize> {
    let nodes: Vec<_> = (0..NODES)
        .map(|_| {
            let url = url.to_owned();
            tokio::spawn(async move { migrate(&url, CreateIfMissing::Yes).await.unwrap().len() })
        })
        .collect();
    let mut applied = Vec::new();
    for node in nodes {
        applied.push(node.await.unwrap());
    }
    applied
}

#[test]
fn both_databases_have_the_same_migrations() {
    assert_eq!(names("postgres"), names("sqlite"));
    assert!(names("postgres").len() >= 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn f24_nodes_that_start_together_migrate_sqlite_once() {
    let database = SqliteDatabase::missing();
    let applied = migrate_together(&database.url).await;
    assert_eq!(applied.iter().sum::<usize>(), names("sqlite").len(), "{applied:?}");
    assert!(pending(&database.url).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn f24_nodes_that_start_together_migrate_postgres_once() {
    let database = PostgresDatabase::empty().await;
    assert_eq!(pending(&database.url).await.unwrap().len(), names("postgres").len());
    let applied = migrate_together(&database.url).await;
    assert_eq!(applied.iter().sum::<usize>(), names("postgres").len(), "{applied:?}");
    assert!(pending(&database.url).await.unwrap().is_empty());
}

/// actix-web starts in a runtime with one thread.
#[tokio::test(flavor = "current_thread")]
async fn postgres_is_migrated_from_a_runtime_of_one_thread() {
    let database = PostgresDatabase::empty().await;
    let applied = migrate(&database.url, CreateIfMissing::No).await.unwrap();
    assert_eq!(applied.len(), names("postgres").len());
}

#[tokio::test]
async fn f25_an_interrupted_migration_of_sqlite_is_completed() {
    let database = SqliteDatabase::missing();
    let file = database.folder.path().join("gateward.db");
    let files = FileBasedMigrations::from_path(folder("sqlite")).unwrap();
    {
        let mut conn = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
        conn.run_next_migration(files).unwrap();
        // The process is killed in the middle of the second.
        conn.batch_execute("BEGIN IMMEDIATE; CREATE TABLE users (half TEXT)").unwrap();
    }
    let applied = migrate(&database.url, CreateIfMissing::No).await.unwrap();
    assert_eq!(applied.len(), names("sqlite").len() - 1);
    log_in(&database.store().await, 1).await;
}

#[tokio::test]
async fn f25_an_interrupted_migration_of_postgres_is_completed() {
    let database = PostgresDatabase::empty().await;
    migrate(&database.url, CreateIfMissing::No).await.unwrap();
    // As if only the first had been applied, and the process was killed in the middle of the
    // second.
    for name in names("postgres").iter().skip(1).rev() {
        database.run_sql(&down(name)).await;
    }
    let forget = "DELETE FROM __diesel_schema_migrations WHERE version <> \
                  (SELECT min(version) FROM __diesel_schema_migrations)";
    database.run_sql(forget).await;
    database.run_sql("BEGIN; CREATE TABLE users (half text)").await;
    let applied = migrate(&database.url, CreateIfMissing::No).await.unwrap();
    assert_eq!(applied.len(), names("postgres").len() - 1);
    log_in(&database.store(), 1).await;
}

#[tokio::test]
async fn f26_a_database_that_knows_more_serves_the_program_before() {
    let database = SqliteDatabase::migrated().await;
    let file = database.folder.path().join("gateward.db");
    let mut conn = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('20991231000001')";
    conn.batch_execute(newer).unwrap();
    assert!(pending(&database.url).await.unwrap().is_empty());
    assert!(migrate(&database.url, CreateIfMissing::No).await.unwrap().is_empty());
    let store = database.store().await;
    let (_, session) = log_in(&store, 1).await;
    rotate(&store, &session).await;

    let database = PostgresDatabase::migrated().await;
    database.run_sql(newer).await;
    assert!(pending(&database.url).await.unwrap().is_empty());
    assert!(migrate(&database.url, CreateIfMissing::No).await.unwrap().is_empty());
    let store = database.store();
    let mut tx = store.begin(Access::Read).await.unwrap();
    assert!(tx.list_keys().await.unwrap().is_empty());
}

#[test]
fn sqlite_can_be_taken_back_to_nothing() {
    let mut conn = SqliteConnection::establish(":memory:").unwrap();
    let files = || FileBasedMigrations::from_path(folder("sqlite")).unwrap();
    conn.run_pending_migrations(files()).unwrap();
    conn.revert_all_migrations(files()).unwrap();
    let left = "SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE '%diesel%' \
                AND name NOT LIKE 'sqlite_%'";
    assert_eq!(sql::<BigInt>(left).get_result::<i64>(&mut conn).unwrap(), 0);
    conn.run_pending_migrations(files()).unwrap();
}

#[tokio::test]
async fn postgres_can_be_taken_back_to_nothing() {
    let database = PostgresDatabase::migrated().await;
    for name in names("postgres").iter().rev() {
        database.run_sql(&down(name)).await;
    }
    let left = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace \
                AND relname NOT LIKE '%migration%'";
    assert_eq!(database.number(left).await, 0);
}

/// As if the second migration had had another text when it was applied.
const ANOTHER_TEXT: &str = "UPDATE gateward_migration_sums SET sum = repeat('0', 64) \
                            WHERE version = '20261130000002'";

#[tokio::test]
async fn a_migration_of_postgres_that_was_altered_since_is_named() {
    let database = PostgresDatabase::migrated().await;
    assert!(altered(&database.url).await.unwrap().is_empty());
    database.run_sql(ANOTHER_TEXT).await;
    assert_eq!(altered(&database.url).await.unwrap(), ["2026-11-30-000002_users_and_roles"]);
    // Migrating again does not correct it.
    migrate(&database.url, CreateIfMissing::No).await.unwrap();
    assert_eq!(altered(&database.url).await.unwrap().len(), 1);
    // A migration without a checksum receives one then.
    database.run_sql("DROP TABLE gateward_migration_sums").await;
    assert!(altered(&database.url).await.unwrap().is_empty());
    migrate(&database.url, CreateIfMissing::No).await.unwrap();
    database.run_sql(ANOTHER_TEXT).await;
    assert_eq!(altered(&database.url).await.unwrap(), ["2026-11-30-000002_users_and_roles"]);
}

#[tokio::test]
async fn a_migration_of_sqlite_that_was_altered_since_is_named() {
    let database = SqliteDatabase::migrated().await;
    assert!(altered(&database.url).await.unwrap().is_empty());
    database.run_sql(&ANOTHER_TEXT.replace("repeat('0', 64)", "'0'"));
    assert_eq!(altered(&database.url).await.unwrap(), ["2026-11-30-000002_users_and_roles"]);
    migrate(&database.url, CreateIfMissing::No).await.unwrap();
    assert_eq!(altered(&database.url).await.unwrap().len(), 1);
    database.run_sql("DROP TABLE gateward_migration_sums");
    assert!(altered(&database.url).await.unwrap().is_empty());
    migrate(&database.url, CreateIfMissing::No).await.unwrap();
    database.run_sql("UPDATE gateward_migration_sums SET sum = '0'");
    assert_eq!(altered(&database.url).await.unwrap().len(), names("sqlite").len());
}

/// Row 13.2.2: a role that may read and write the tables but owns none of them can list the pending
/// migrations, and creates nothing by it.
#[tokio::test(flavor = "multi_thread")]
async fn a13_2_2_what_is_pending_is_seen_without_a_right_to_make_tables() {
    let (empty, database) = (PostgresDatabase::empty().await, PostgresDatabase::migrated().await);
    let role = database.url.rsplit('/').next().unwrap().split('?').next().unwrap().to_owned();
    database
        .run_sql(&format!(
            "CREATE ROLE {role} LOGIN PASSWORD 'plain'; \
             REVOKE CREATE ON SCHEMA public FROM PUBLIC; \
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"
        ))
        .await;
    let (scheme, rest) = database.url.split_once("://").unwrap();
    let (_, server) = rest.rsplit_once('@').unwrap();
    let url = format!("{scheme}://{role}:plain@{server}");
    assert!(pending(&url).await.unwrap().is_empty());
    assert!(altered(&url).await.unwrap().is_empty());
    database.run_sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;

    assert_eq!(pending(&empty.url).await.unwrap().len(), names("postgres").len());
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(empty.number(tables).await, 0);
}
