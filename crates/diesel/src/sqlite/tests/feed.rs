//! The feed in a file: other processes that write, and a restored file.

use std::time::Duration;

use diesel::SqliteConnection;
use diesel::connection::SimpleConnection;
use gateward_domain::feed::{FeedCursor, FeedItem, FeedPage, InvalidationEvent};
use gateward_domain::ports::{Access, FeedWatch, Store};
use gateward_testkit::fixtures::invalidation;
use tokio::time::timeout;

use super::super::file;
use crate::testing::SqliteDatabase;
use crate::{CreateIfMissing, SqliteStore};

/// A connection that locks like another process.
fn other_process(database: &SqliteDatabase) -> SqliteConnection {
    let path = database.folder.path().join("gateward.db");
    file::open_writer(&path, CreateIfMissing::No).unwrap()
}

/// Writes invalidation events.
async fn write(store: &SqliteStore, items: &[FeedItem]) {
    let mut tx = store.begin(Access::SingleWrite).await.unwrap();
    tx.insert_invalidation_events(items).await.unwrap();
}

/// Reads everything after a cursor.
async fn page(store: &SqliteStore, since: Option<&FeedCursor>) -> FeedPage {
    let mut tx = store.begin(Access::Read).await.unwrap();
    tx.list_invalidation_events(since.cloned(), 10).await.unwrap()
}

/// Returns the items of a page.
fn told(page: &FeedPage) -> Vec<FeedItem> {
    page.entries.iter().map(|entry| entry.item.clone()).collect()
}

/// Returns whether the watch wakes within a few seconds.
async fn wakes(watch: &mut dyn FeedWatch) -> bool {
    timeout(Duration::from_secs(10), watch.changed()).await.is_ok_and(|woken| woken.is_ok())
}

#[tokio::test]
async fn a_watch_is_woken_by_this_process_and_by_others() {
    let database = SqliteDatabase::migrated().await;
    let store = database.store().await;
    let mut other = other_process(&database);
    let mut watch = store.watch_feed().await.unwrap();
    assert!(timeout(Duration::from_millis(300), watch.changed()).await.is_err(), "nothing is new");
    write(&store, &[invalidation(1)]).await;
    assert!(wakes(watch.as_mut()).await);
    let written = "INSERT INTO invalidation_events (kind, happened_at, expires_at) \
                   VALUES ('keys_changed', 1, 2)";
    other.batch_execute(&format!("BEGIN IMMEDIATE; {written}")).unwrap();
    assert!(timeout(Duration::from_millis(300), watch.changed()).await.is_err(), "nor is this");
    other.batch_execute("COMMIT").unwrap();
    assert!(wakes(watch.as_mut()).await);
    assert_eq!(page(&store, None).await.entries.len(), 2);
}

#[tokio::test]
async fn a_place_that_a_restored_file_has_not_reached_begins_anew() {
    let database = SqliteDatabase::migrated().await;
    let store = database.store().await;
    let mut other = other_process(&database);
    write(&store, &[invalidation(1), invalidation(2)]).await;
    let cursor = page(&store, None).await.entries.pop().unwrap().cursor;
    // As it was before the second was written.
    let restored = "DELETE FROM invalidation_events WHERE seq = 2; \
                    UPDATE sqlite_sequence SET seq = 1 WHERE name = 'invalidation_events'";
    other.batch_execute(restored).unwrap();
    let found = page(&store, Some(&cursor)).await;
    assert_eq!((told(&found), found.is_restart), (vec![invalidation(1)], true));
    // Others take the numbers before the reader comes.
    let third = FeedItem { at: invalidation(3).at.plus_seconds(1), ..invalidation(3) };
    write(&store, std::slice::from_ref(&third)).await;
    let found = page(&store, Some(&cursor)).await;
    assert_eq!((told(&found), found.is_restart), (vec![invalidation(1), third], true));
}

#[tokio::test]
async fn numbers_of_invalidation_events_are_never_given_twice() {
    let database = SqliteDatabase::migrated().await;
    let store = database.store().await;
    write(&store, &[invalidation(1), invalidation(2)]).await;
    let cursor = page(&store, None).await.entries.pop().unwrap().cursor;
    other_process(&database).batch_execute("DELETE FROM invalidation_events").unwrap();
    assert!(!page(&store, Some(&cursor)).await.is_restart);
    write(&store, &[invalidation(3)]).await;
    let found = page(&store, Some(&cursor)).await;
    assert_eq!((told(&found), found.is_restart), (vec![invalidation(3)], false));
}

#[tokio::test]
async fn invalidation_events_that_cannot_be_read_keep_nobody_from_the_others() {
    let database = SqliteDatabase::migrated().await;
    let store = database.store().await;
    write(&store, &[invalidation(1), invalidation(2), invalidation(3)]).await;
    other_process(&database)
        .batch_execute("UPDATE invalidation_events SET kind = 'x' WHERE seq = 2")
        .unwrap();
    let unknown = FeedItem { invalidation: InvalidationEvent::Unknown, ..invalidation(2) };
    assert_eq!(told(&page(&store, None).await), [invalidation(1), unknown, invalidation(3)]);
}
