//! Effects of other processes, a full disk and corrupt bytes on a store in a file.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::sql_types::Text;
use diesel::{RunQueryDsl, SqliteConnection};
use gateward_domain::ports::{Access, Store, StoreError};
use gateward_testkit::fixtures;

use super::super::file;
use crate::SqliteStore;
use crate::testing::{SqliteDatabase, comes_true, log_in, rotate};

/// A connection that locks like another process.
fn other_process(database: &SqliteDatabase) -> SqliteConnection {
    file::open_writer(&database.folder.path().join("gateward.db"), crate::CreateIfMissing::No)
        .unwrap()
}

/// Runs statements on the writing connection.
async fn on_writer(store: &SqliteStore, statements: &'static str) {
    let mut writer = store.writer().await.unwrap();
    writer.spawn_blocking(move |conn| conn.batch_execute(statements)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn f14_writers_wait_for_another_process_and_lose_nothing() {
    let database = SqliteDatabase::migrated().await;
    let store = database.store().await;
    let mut other = other_process(&database);
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    let writers: Vec<_> = (0..100)
        .map(|seed| {
            let store = store.clone();
            tokio::spawn(async move { log_in(&store, seed).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    // A reader is not blocked.
    let mut tx = store.begin(Access::Read).await.unwrap();
    assert!(tx.list_keys().await.unwrap().is_empty());
    other.batch_execute("COMMIT").unwrap();
    for writer in writers {
        let (user, session) = writer.await.unwrap();
        let found = tx.find_session(session.id).await.unwrap();
        assert_eq!(found, Some((session, Some(user))));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f14_a_process_that_never_stops_writing_makes_the_store_busy() {
    let database = SqliteDatabase::migrated().await;
    let store = database.store().await;
    let (_, session) = log_in(&store, 1).await;
    let mut other = other_process(&database);
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    let begin = Instant::now();
    let rotation = fixtures::rotation(&session);
    let (write, single) = tokio::join!(store.begin(Access::Write), async {
        store.begin(Access::SingleWrite).await.unwrap().rotate_session(&rotation).await
    });
    assert!(matches!(write.err(), Some(StoreError::Busy)));
    assert!(matches!(single.err(), Some(StoreError::Busy)));
    assert!(begin.elapsed() < Duration::from_secs(8), "they wait side by side");
    other.batch_execute("ROLLBACK").unwrap();
    rotate(&store, &session).await;
}

#[tokio::test]
async fn f13_a_full_disk_undoes_the_unit_and_heals_with_space() {
    let database = SqliteDatabase::migrated().await;
    let store = database.store().await;
    let (_, session) = log_in(&store, 1).await;
    on_writer(&store, "PRAGMA max_page_count = 1").await;
    let mut refused = None;
    for seed in 100..5000 {
        let user = fixtures::user(seed);
        let mut tx = store.begin(Access::Write).await.unwrap();
        let inserted = tx.insert_user(&user).await;
        if let Err(error) = inserted {
            assert!(tx.insert_session(&fixtures::session(seed, &user)).await.is_err());
            assert!(tx.commit().await.is_err(), "no half of it can be committed");
            refused = Some((user, error));
            break;
        }
        tx.commit().await.unwrap();
    }
    let (user, error) = refused.expect("the disk is full some time");
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    let mut tx = store.begin(Access::Read).await.unwrap();
    assert_eq!(tx.find_user(user.id).await.unwrap(), None);
    drop(tx);

    on_writer(&store, "PRAGMA max_page_count = 1000000").await;
    store.begin(Access::SingleWrite).await.unwrap().insert_user(&user).await.unwrap();
    rotate(&store, &session).await;
    let mut other = other_process(&database);
    let sound = sql::<Text>("PRAGMA integrity_check").get_result::<String>(&mut other).unwrap();
    assert_eq!(sound, "ok");
}

#[tokio::test]
async fn a_refresh_on_a_full_disk_is_refused_and_works_afterwards() {
    let database = SqliteDatabase::migrated().await;
    let store = database.store().await;
    let (_, session) = log_in(&store, 1).await;
    on_writer(&store, "PRAGMA query_only = ON").await;
    let mut tx = store.begin(Access::SingleWrite).await.unwrap();
    let refused = tx.rotate_session(&fixtures::rotation(&session)).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    on_writer(&store, "PRAGMA query_only = OFF").await;
    rotate(&store, &session).await;
}

#[tokio::test]
async fn f37_a_corrupt_row_is_named_and_hurts_nobody_else() {
    let database = SqliteDatabase::migrated().await;
    let store = database.store().await;
    let (user, session) = log_in(&store, 1).await;
    let (_, healthy) = log_in(&store, 2).await;
    let mut other = other_process(&database);
    other.batch_execute("PRAGMA ignore_check_constraints = ON").unwrap();
    for (damage, expected) in [
        ("UPDATE sessions SET salt = x'00'", ("sessions", "salt")),
        ("UPDATE sessions SET idempotency_hash = x'00'", ("sessions", "idempotency_hash")),
        ("UPDATE sessions SET ip = 'here'", ("sessions", "ip")),
        ("UPDATE sessions SET end_reason = 'tired', ended_at = 1", ("sessions", "end_reason")),
        ("UPDATE sessions SET ended_at = 1", ("sessions", "end_reason")),
        ("UPDATE users SET username = 'a b'", ("users", "username")),
        ("UPDATE users SET email = 'Ada'", ("users", "email")),
        ("UPDATE user_roles SET role = 'A'", ("user_roles", "role")),
    ] {
        let table = expected.0;
        let id = if table == "sessions" { session.id.uuid() } else { user.id.uuid() };
        let column = if table == "user_roles" { "user_id" } else { "id" };
        let hex = id.simple();
        let statement = format!(
            "CREATE TEMP TABLE old AS SELECT * FROM {table} WHERE {column} = x'{hex}'; \
             {damage} WHERE {column} = x'{hex}'"
        );
        other.batch_execute(&statement).unwrap();

        let mut tx = store.begin(Access::Read).await.unwrap();
        let error = tx.find_session(session.id).await.unwrap_err();
        let StoreError::Corrupt { table: named, column: of } = error else { panic!("{error:?}") };
        assert_eq!((named, of), expected);
        let mut single = store.begin(Access::SingleWrite).await.unwrap();
        let rotated = single.rotate_session(&fixtures::rotation(&session)).await;
        assert!(matches!(rotated, Err(StoreError::Corrupt { .. })), "{rotated:?}");
        assert!(tx.find_session(healthy.id).await.unwrap().is_some());

        other
            .batch_execute(&format!(
                "PRAGMA foreign_keys = OFF; DELETE FROM {table} WHERE {column} = x'{hex}'; \
                 INSERT INTO {table} SELECT * FROM old; DROP TABLE old"
            ))
            .unwrap();
    }
    let statement = "UPDATE sessions SET user_id = x'00' WHERE id = x'";
    other.batch_execute(&format!("{statement}{}'", session.id.uuid().simple())).unwrap();
    let mut tx = store.begin(Access::Read).await.unwrap();
    let error = tx.find_session(session.id).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { table: "sessions", column: "user_id" }));
}

#[tokio::test]
async fn refreshes_that_wait_are_done_in_one_transaction() {
    let database = SqliteDatabase::migrated().await;
    let store = database.store().await;
    let mut sessions = Vec::new();
    for seed in 0..200 {
        sessions.push(log_in(&store, seed).await.1);
    }
    let turn = store.writer().await.unwrap();
    let refreshing: Vec<_> = sessions
        .iter()
        .map(|session| {
            let (store, session) = (store.clone(), session.clone());
            tokio::spawn(async move { rotate(&store, &session).await.refresh_state.generation })
        })
        .collect();
    tokio::task::yield_now().await;
    drop(turn);
    for (refreshed, session) in refreshing.into_iter().zip(sessions) {
        assert_eq!(refreshed.await.unwrap(), session.refresh_state.generation + 1);
    }
}

#[test]
fn a_unit_that_outlives_its_runtime_is_undone() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = runtime.block_on(SqliteDatabase::migrated());
    let store = runtime.block_on(database.store());
    let user = fixtures::user(1);
    let tx = runtime.block_on(async {
        let mut tx = store.begin(Access::Write).await.unwrap();
        tx.insert_user(&user).await.unwrap();
        tx
    });
    drop(runtime);
    drop(tx);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        assert!(
            comes_true(|| async {
                let mut tx = store.begin(Access::Read).await.unwrap();
                tx.find_user(user.id).await.unwrap().is_none()
            })
            .await
        );
        store.begin(Access::SingleWrite).await.unwrap().insert_user(&user).await.unwrap();
    });
}
