//! The load on the server: one round trip for a refresh, parsed once.

use diesel::dsl::sql;
use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;
use gateward_domain::ports::{Access, Store};
use gateward_testkit::fixtures;

use crate::PostgresStore;
use crate::testing::{PostgresDatabase, log_in, rotate};

/// The text of the statements that the server keeps for the store's one connection.
async fn prepared(store: &PostgresStore) -> Vec<String> {
    let mut conn = store.connection().await.unwrap();
    sql::<Text>("SELECT statement FROM pg_prepared_statements").load(&mut conn).await.unwrap()
}

#[tokio::test]
async fn a_refresh_is_one_statement_that_is_parsed_once() {
    let database = PostgresDatabase::migrated().await;
    let store = PostgresStore::open(&database.url, 1).unwrap();
    let (_, mut session) = log_in(&store, 1).await;
    let before = prepared(&store).await;
    for _ in 0..50 {
        session = rotate(&store, &session).await;
    }
    let after = prepared(&store).await;
    let new: Vec<_> = after.iter().filter(|statement| !before.contains(statement)).collect();
    assert_eq!(new.len(), 1, "{new:?}");
    assert!(new.iter().all(|statement| statement.starts_with("UPDATE sessions")), "{new:?}");

    let calls = "SELECT generic_plans + custom_plans FROM pg_prepared_statements \
                 WHERE statement LIKE 'UPDATE sessions%'";
    let mut conn = store.connection().await.unwrap();
    let calls: Vec<i64> = sql::<BigInt>(calls).load(&mut conn).await.unwrap();
    assert_eq!(calls, [50], "each refresh is one execution of it");
}

#[tokio::test]
async fn reads_and_single_writes_open_no_transaction() {
    let database = PostgresDatabase::migrated().await;
    let store = PostgresStore::open(&database.url, 1).unwrap();
    let (user, session) = log_in(&store, 1).await;
    for access in [Access::Read, Access::SingleWrite] {
        let mut tx = store.begin(access).await.unwrap();
        if access == Access::Read {
            assert!(tx.find_user(user.id).await.unwrap().is_some());
        } else {
            tx.rotate_session(&fixtures::rotation(&session)).await.unwrap().unwrap();
        }
        let waiting = "SELECT count(*) FROM pg_stat_activity \
                       WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
        assert_eq!(database.number(waiting).await, 0);
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn a_refresh_finds_its_row_by_its_key_and_stays_on_its_page() {
    let database = PostgresDatabase::migrated().await;
    let store = PostgresStore::open(&database.url, 1).unwrap();
    let (_, mut session) = log_in(&store, 1).await;
    for _ in 0..20 {
        session = rotate(&store, &session).await;
    }
    let same_page = "SELECT pg_stat_get_xact_tuples_hot_updated('sessions'::regclass) \
                     + pg_stat_get_tuples_hot_updated('sessions'::regclass)";
    let mut conn = store.connection().await.unwrap();
    sql::<Text>("SELECT pg_stat_force_next_flush()::text").execute(&mut conn).await.unwrap();
    let same_page = sql::<BigInt>(same_page).get_result::<i64>(&mut conn).await.unwrap();
    assert_eq!(same_page, 20);
}
