//! The cost of a page on the server: a part of one index.

use diesel::dsl::sql;
use diesel::sql_types::{BigInt, Text};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use gateward_domain::ports::{Access, Store};
use gateward_testkit::fixtures;

use crate::PostgresStore;
use crate::testing::{PostgresDatabase, event_ranges, user_ranges};

/// So many rows that no plan reads all of them needlessly.
const MANY_ROWS: &str = "\
    INSERT INTO users SELECT gen_random_uuid(), 'User-' || n, 'user-' || n || '@example.org', false, \
        n % 100 = 0, 'x', 1, now(), now() FROM generate_series(1, 20000) AS n; \
    INSERT INTO user_roles SELECT id, CASE WHEN disabled THEN 'admin' ELSE 'user' END FROM users; \
    INSERT INTO events (id, happened_at, kind, actor, actor_id, user_id) SELECT gen_random_uuid(), \
        now(), 'login_failed', 'user', id, id FROM users; \
    ANALYZE";

/// The plan of the statement that the store's one connection has prepared last.
async fn last_plan(store: &PostgresStore) -> String {
    let mut conn = store.connection().await.unwrap();
    let last = "FROM pg_prepared_statements WHERE statement LIKE 'SELECT \"%' \
                ORDER BY prepare_time DESC LIMIT 1";
    let name = sql::<Text>(&format!("SELECT name {last}")).get_result::<String>(&mut conn);
    let name = name.await.unwrap();
    let count = sql::<BigInt>(&format!("SELECT cardinality(parameter_types)::bigint {last}"));
    let count = count.get_result::<i64>(&mut conn).await.unwrap();
    let values = vec!["NULL"; usize::try_from(count).unwrap()].join(", ");
    // The plan for any values.
    conn.batch_execute("SET plan_cache_mode = force_generic_plan").await.unwrap();
    let explain = format!("EXPLAIN EXECUTE \"{name}\" ({values})");
    let lines: Vec<String> = sql::<Text>(&explain).load(&mut conn).await.unwrap();
    lines.join("\n")
}

#[tokio::test]
async fn a_page_of_accounts_is_a_part_of_an_index() {
    let database = PostgresDatabase::migrated().await;
    database.run_sql(MANY_ROWS).await;
    for (range, index) in user_ranges() {
        let store = PostgresStore::open(&database.url, 1).unwrap();
        let mut tx = store.begin(Access::Read).await.unwrap();
        assert!(!tx.list_users(&range, None, 10).await.unwrap().is_empty());
        drop(tx);
        let plan = last_plan(&store).await;
        let index = index.replace("sqlite_autoindex_users_1", "users_pkey");
        assert!(plan.contains(&index), "{range:?}\n{plan}");
        assert!(!plan.contains("Seq Scan on users"), "{range:?}\n{plan}");
        let page_only = !plan.contains("Sort") || index == "user_roles_role_user_id_idx";
        assert!(page_only, "{range:?}\n{plan}");
    }
}

#[tokio::test]
async fn a_page_of_events_is_a_part_of_an_index() {
    let database = PostgresDatabase::migrated().await;
    database.run_sql(MANY_ROWS).await;
    for (range, index) in event_ranges(fixtures::user(1).id) {
        let store = PostgresStore::open(&database.url, 1).unwrap();
        let mut tx = store.begin(Access::Read).await.unwrap();
        tx.list_events(range, None, None, 10).await.unwrap();
        drop(tx);
        let plan = last_plan(&store).await;
        let index = index.replace("sqlite_autoindex_events_1", "events_pkey");
        assert!(plan.contains(&index), "{range:?}\n{plan}");
        assert!(!plan.contains("Sort") && !plan.contains("Seq Scan"), "{range:?}\n{plan}");
    }
}
