//! The cost of a page: a part of one index.

use std::sync::{Arc, Mutex};

use diesel::connection::{Instrumentation, InstrumentationEvent};
use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl};
use diesel_async::AsyncConnection;
use gateward_domain::ports::{Access, Store};
use gateward_testkit::fixtures;

use crate::SqliteStore;
use crate::testing::{SqliteDatabase, event_ranges, user_ranges};

/// The text of the last query.
#[derive(Clone, Default)]
struct Last(Arc<Mutex<String>>);

impl Instrumentation for Last {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            *self.0.lock().unwrap() = query.to_string();
        }
    }
}

/// A step of a plan.
#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// Records the queries of the reader that is taken next.
async fn listen(store: &SqliteStore) -> Last {
    let last = Last::default();
    let mut reader = store.readers.take().await.unwrap();
    reader.conn().unwrap().set_instrumentation(last.clone());
    last
}

/// The plan of the last query.
fn plan(database: &SqliteDatabase, last: &Last) -> String {
    let query = last.0.lock().unwrap();
    let (statement, _) = query.split_once(" -- binds:").unwrap();
    let explain = diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}"));
    let steps: Vec<Step> = explain.load(&mut database.connection()).unwrap();
    steps.into_iter().map(|step| step.detail + "\n").collect()
}

#[tokio::test]
async fn a_page_of_accounts_is_a_part_of_an_index() {
    let database = SqliteDatabase::migrated().await;
    let store = database.store().await;
    let last = listen(&store).await;
    for (range, index) in user_ranges() {
        let mut tx = store.begin(Access::Read).await.unwrap();
        tx.list_users(&range, None, 10).await.unwrap();
        let plan = plan(&database, &last);
        assert!(plan.contains(index), "{range:?}\n{plan}");
        assert!(!plan.contains("SCAN users") && !plan.contains("TEMP"), "{range:?}\n{plan}");
    }
}

#[tokio::test]
async fn a_page_of_events_is_a_part_of_an_index() {
    let database = SqliteDatabase::migrated().await;
    let store = database.store().await;
    let last = listen(&store).await;
    for (range, index) in event_ranges(fixtures::user(1).id) {
        let mut tx = store.begin(Access::Read).await.unwrap();
        tx.list_events(range, None, None, 10).await.unwrap();
        let plan = plan(&database, &last);
        assert!(plan.contains(index), "{range:?}\n{plan}");
        assert!(!plan.contains("SCAN") && !plan.contains("TEMP"), "{range:?}\n{plan}");
    }
}
