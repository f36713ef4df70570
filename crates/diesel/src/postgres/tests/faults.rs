//! Effects of a failing server, a slow neighbour and a client that goes away.

use std::time::{Duration, Instant};

use diesel::dsl::sql;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;
use gateward_domain::ports::{Access, Store, StoreError};
use gateward_domain::{End, EndReason};
use gateward_testkit::fixtures;

use crate::PostgresStore;
use crate::testing::{PostgresDatabase, comes_true, log_in, rotate};

/// Counts the open transactions in the database, except the one that asks.
const OPEN_TRANSACTIONS: &str = "SELECT count(*) FROM pg_stat_activity \
                                 WHERE datname = current_database() \
                                 AND xact_start IS NOT NULL AND pid <> pg_backend_pid()";

/// Terminates all connections of the database on the server, and waits until they have ended.
const CUT_ALL: &str = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
                       WHERE datname = current_database() AND pid <> pg_backend_pid()";

#[tokio::test(flavor = "multi_thread")]
async fn f17_a_client_that_goes_away_leaves_no_transaction_and_no_dirty_connection() {
    let database = PostgresDatabase::migrated().await;
    // One connection, so that anything left on it affects the next unit.
    let store = PostgresStore::open(&database.url, 1).unwrap();
    let observer = database.store();
    for round in 0..60 {
        let user = fixtures::user(round);
        let (theirs, row) = (store.clone(), user.clone());
        let work = tokio::spawn(async move {
            let mut tx = theirs.begin(Access::Write).await.unwrap();
            tx.insert_user(&row).await.unwrap();
            tx.set_user_disabled(row.id, true, fixtures::NOW).await.unwrap();
            std::future::pending::<()>().await;
        });
        tokio::time::sleep(Duration::from_micros(round * 100)).await;
        work.abort();
        let _ = work.await;
        let mut tx = store.begin(Access::SingleWrite).await.unwrap();
        tx.insert_user(&user).await.unwrap();
        drop(tx);
        let mut tx = observer.begin(Access::Read).await.unwrap();
        assert_eq!(tx.find_user(user.id).await.unwrap(), Some(user), "it was committed at once");
    }
    assert!(comes_true(|| async { database.number(OPEN_TRANSACTIONS).await == 0 }).await);
}

#[tokio::test]
async fn a_statement_that_hangs_does_not_reach_the_next_user_of_its_connection() {
    let database = PostgresDatabase::migrated().await;
    let store = PostgresStore::open(&database.url, 1).unwrap();
    let (_, session) = log_in(&store, 1).await;
    let other = database.store();
    let mut holder = other.begin(Access::Write).await.unwrap();
    holder.lock_session(session.id).await.unwrap();

    let mut tx = store.begin(Access::SingleWrite).await.unwrap();
    let rotation = fixtures::rotation(&session);
    let cut = tokio::time::timeout(Duration::from_millis(100), tx.rotate_session(&rotation)).await;
    assert!(cut.is_err());
    drop(tx);
    // The connection is cleared or closed within a second, and the lock is held for longer.
    tokio::time::sleep(Duration::from_millis(1200)).await;
    let begin = Instant::now();
    let mut tx = store.begin(Access::Read).await.unwrap();
    assert!(tx.find_session(session.id).await.unwrap().is_some());
    assert!(begin.elapsed() < Duration::from_millis(500));
    holder.commit().await.unwrap();
}

#[tokio::test]
async fn f31_whoever_waits_too_long_for_a_row_is_told_that_the_store_is_busy() {
    let database = PostgresDatabase::migrated().await;
    let store = database.store();
    let (user, session) = log_in(&store, 1).await;
    let mut holder = store.begin(Access::Write).await.unwrap();
    holder.lock_user(user.id).await.unwrap();
    holder.lock_session(session.id).await.unwrap();
    let end = End { at: fixtures::NOW, reason: EndReason::Logout };
    let (locked, ended) = tokio::join!(
        async { store.begin(Access::Write).await.unwrap().lock_user(user.id).await },
        async {
            store.begin(Access::SingleWrite).await.unwrap().end_session(session.id, end).await
        },
    );
    assert!(matches!(locked, Err(StoreError::Busy)), "{locked:?}");
    assert!(matches!(ended, Err(StoreError::Busy)), "{ended:?}");
}

#[tokio::test]
async fn f3_an_empty_pool_refuses_after_a_second() {
    let database = PostgresDatabase::migrated().await;
    let store = PostgresStore::open(&database.url, 1).unwrap();
    let _held = store.begin(Access::Read).await.unwrap();
    let begin = Instant::now();
    assert!(matches!(store.begin(Access::Read).await.err(), Some(StoreError::Busy)));
    assert!(begin.elapsed() < Duration::from_millis(1500));
}

#[tokio::test]
async fn a_unit_of_which_a_statement_failed_cannot_be_committed() {
    let database = PostgresDatabase::migrated().await;
    let store = database.store();
    let (user, session) = log_in(&store, 1).await;
    let mut tx = store.begin(Access::Write).await.unwrap();
    assert!(tx.set_user_disabled(user.id, true, fixtures::NOW).await.unwrap());
    assert!(tx.insert_session(&session).await.is_err(), "it is there already");
    assert!(tx.find_user(user.id).await.is_err());
    assert!(tx.commit().await.is_err(), "the server would undo it and say nothing");
    let mut tx = store.begin(Access::Read).await.unwrap();
    assert_eq!(tx.find_user(user.id).await.unwrap(), Some(user));
}

#[tokio::test]
async fn f6_a_restart_of_the_server_is_over_with_the_restart() {
    let database = PostgresDatabase::migrated().await;
    let store = database.store();
    let (user, mut session) = log_in(&store, 1).await;
    for _ in 0..10 {
        // All pooled connections are used once, so that all of them are terminated.
        let mut held = Vec::new();
        for _ in 0..4 {
            held.push(store.begin(Access::Read).await.unwrap());
        }
        drop(held);
        database.run_sql(CUT_ALL).await;
        // At once, before this end has noticed: reads and BEGIN use another connection.
        let mut tx = store.begin(Access::Read).await.unwrap();
        assert!(tx.find_user(user.id).await.unwrap().is_some());
        let mut tx = store.begin(Access::Write).await.unwrap();
        assert!(tx.lock_user(user.id).await.unwrap().is_some());
        tx.commit().await.unwrap();
        session = rotate(&store, &session).await;
    }
}

#[tokio::test]
async fn a_read_on_a_connection_that_dies_in_its_hands_takes_another() {
    let database = PostgresDatabase::migrated().await;
    let store = database.store();
    let (user, _) = log_in(&store, 1).await;
    let mut tx = store.begin(Access::Read).await.unwrap();
    for _ in 0..3 {
        database.run_sql(CUT_ALL).await;
        assert!(tx.find_user(user.id).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable_and_no_error_tells_the_password() {
    // Nothing listens on port 1.
    let url = "postgres://ada:hunter2@127.0.0.1:1/none";
    let store = PostgresStore::open(url, 1).unwrap();
    let error = store.begin(Access::Read).await.err().unwrap();
    assert!(matches!(error, StoreError::Unavailable(_)));
    let migrating = crate::migrate(url, crate::CreateIfMissing::No).await.unwrap_err();
    for text in [format!("{error:?}"), format!("{migrating:?}"), format!("{store:?}")] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn every_connection_has_its_limits() {
    let database = PostgresDatabase::migrated().await;
    let mut conn = database.store().connection().await.unwrap();
    for (setting, expected) in [
        ("statement_timeout", "5s"),
        ("lock_timeout", "2s"),
        ("idle_in_transaction_session_timeout", "10s"),
        ("default_transaction_isolation", "read committed"),
        ("TimeZone", "UTC"),
        ("application_name", "gateward"),
    ] {
        let query = sql::<Text>(&format!("SELECT current_setting('{setting}')"));
        let value: String = query.get_result(&mut conn).await.unwrap();
        assert_eq!(value, expected, "{setting}");
    }
}

#[tokio::test]
async fn f37_a_corrupt_row_is_named_and_hurts_nobody_else() {
    let database = PostgresDatabase::migrated().await;
    let store = database.store();
    let (_, session) = log_in(&store, 1).await;
    let (_, healthy) = log_in(&store, 2).await;
    let id = session.id.uuid();
    let of = format!("WHERE id = '{id}'");
    for (damage, repair, expected) in [
        ("ip = 'here'", "ip = NULL", ("sessions", "ip")),
        (
            "end_reason = 'tired', ended_at = created_at",
            "end_reason = NULL, ended_at = NULL",
            ("sessions", "end_reason"),
        ),
    ] {
        database.run_sql(&format!("UPDATE sessions SET {damage} {of}")).await;
        let mut tx = store.begin(Access::Read).await.unwrap();
        let error = tx.find_session(session.id).await.unwrap_err();
        let StoreError::Corrupt { table, column } = error else { panic!("{error:?}") };
        assert_eq!((table, column), expected);
        assert!(tx.find_session(healthy.id).await.unwrap().is_some());
        database.run_sql(&format!("UPDATE sessions SET {repair} {of}")).await;
    }
    let user = session.user_id.uuid();
    database.run_sql(&format!("UPDATE users SET email = 'Ada' WHERE id = '{user}'")).await;
    let mut tx = store.begin(Access::SingleWrite).await.unwrap();
    let error = tx.rotate_session(&fixtures::rotation(&session)).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { table: "users", column: "email" }));
}

#[test]
fn a_unit_that_outlives_its_runtime_is_undone() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = runtime.block_on(PostgresDatabase::migrated());
    let store = database.store();
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
        let mut tx = store.begin(Access::SingleWrite).await.unwrap();
        tx.insert_user(&user).await.unwrap();
    });
}
