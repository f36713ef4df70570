//! The feed on Postgres: transactions that commit late, numbers of another server, and listening.

use std::time::Duration;

use gateward_domain::feed::{FeedCursor, FeedEntry, FeedItem, FeedPage, InvalidationEvent};
use gateward_domain::ports::{Access, FeedWatch, Store, StoreError};
use gateward_testkit::fixtures::invalidation;
use tokio::time::timeout;

use super::super::cursor::FeedPosition;
use crate::PostgresStore;
use crate::testing::{PostgresDatabase, comes_true};

/// Counts the connections that listen.
const LISTENERS: &str = "SELECT count(*) FROM pg_stat_activity \
                         WHERE datname = current_database() AND query LIKE '%LISTEN gateward%' \
                         AND pid <> pg_backend_pid()";

/// Begins a transaction that has written these invalidation events.
async fn started(store: &PostgresStore, seeds: &[u64]) -> Box<dyn gateward_domain::ports::Tx> {
    let items: Vec<_> = seeds.iter().map(|seed| invalidation(*seed)).collect();
    let mut tx = store.begin(Access::Write).await.unwrap();
    tx.insert_invalidation_events(&items).await.unwrap();
    tx
}

/// Writes invalidation events.
async fn write(store: &PostgresStore, seeds: &[u64]) {
    started(store, seeds).await.commit().await.unwrap();
}

/// Reads a page.
async fn page(store: &PostgresStore, since: Option<&FeedCursor>, limit: u32) -> FeedPage {
    let mut tx = store.begin(Access::Read).await.unwrap();
    tx.list_invalidation_events(since.cloned(), limit).await.unwrap()
}

/// Reads page by page until there is nothing more.
async fn rest(store: &PostgresStore, since: Option<&FeedCursor>, limit: u32) -> Vec<FeedEntry> {
    let mut read: Vec<FeedEntry> = Vec::new();
    loop {
        let since = read.last().map(|entry| entry.cursor.clone()).or(since.cloned());
        let page = page(store, since.as_ref(), limit).await;
        assert!(!page.is_restart);
        if page.entries.is_empty() {
            return read;
        }
        read.extend(page.entries);
        assert!(read.len() < 100, "the feed goes in a circle");
    }
}

/// Returns the items of entries.
fn told(entries: &[FeedEntry]) -> Vec<FeedItem> {
    entries.iter().map(|entry| entry.item.clone()).collect()
}

/// The items of these seeds.
fn items(seeds: impl IntoIterator<Item = u64>) -> Vec<FeedItem> {
    seeds.into_iter().map(invalidation).collect()
}

#[tokio::test]
async fn what_commits_late_is_read_once_wherever_a_page_ends() {
    for limit in 1..=8 {
        let database = PostgresDatabase::migrated().await;
        let store = database.store();
        let early = started(&store, &[1, 2, 3]).await;
        write(&store, &[10]).await;
        let second = started(&store, &[4, 5, 6]).await;
        write(&store, &[11]).await;

        let read = rest(&store, None, limit).await;
        assert_eq!(told(&read), items([10, 11]));
        let passed = &read.last().unwrap().cursor;
        second.commit().await.unwrap();
        write(&store, &[12]).await;
        let amid = page(&store, Some(passed), limit).await.entries;
        early.commit().await.unwrap();
        let amid_at = &amid.last().unwrap().cursor;
        let onward = rest(&store, Some(amid_at), limit).await;
        let mut all = [told(&amid), told(&onward)].concat();
        all.sort_by_key(|item| format!("{item:?}"));
        let mut expected = items([1, 2, 3, 4, 5, 6, 12]);
        expected.sort_by_key(|item| format!("{item:?}"));
        assert_eq!(all, expected, "{limit} at a time");

        // A reader that is behind receives the same from any position on.
        for (index, entry) in read.iter().enumerate() {
            let again = rest(&store, Some(&entry.cursor), limit).await;
            assert_eq!(again.len(), 7 + read.len() - index - 1, "{limit} at a time");
        }
    }
}

#[tokio::test]
async fn what_is_undone_does_no_harm() {
    let database = PostgresDatabase::migrated().await;
    let store = database.store();
    let undone = started(&store, &[1, 2]).await;
    write(&store, &[10]).await;
    let read = rest(&store, None, 10).await;
    assert_eq!(told(&read), items([10]));
    drop(undone);
    let since = Some(&read[0].cursor);
    assert!(rest(&store, since, 10).await.is_empty());
    write(&store, &[11]).await;
    let onward = rest(&store, since, 10).await;
    assert_eq!(told(&onward), items([11]));
}

#[tokio::test]
async fn a_unit_that_reads_what_it_has_written_skips_nothing_of_others() {
    let database = PostgresDatabase::migrated().await;
    let store = database.store();
    let other = started(&store, &[1]).await;
    let mut own = started(&store, &[2]).await;
    let mut cursors = Vec::new();
    // Its own number may be one that no snapshot counts yet, or one that all do.
    for (written, seen) in [(None, vec![2]), (Some(10), vec![2, 10])] {
        if let Some(seed) = written {
            write(&store, &[seed]).await;
        }
        let entries = own.list_invalidation_events(None, 10).await.unwrap().entries;
        assert_eq!(told(&entries), items(seen));
        cursors.extend(entries.into_iter().map(|entry| entry.cursor));
    }
    own.insert_invalidation_events(&[invalidation(3)]).await.unwrap();
    own.commit().await.unwrap();
    other.commit().await.unwrap();
    for cursor in &cursors {
        let read = told(&rest(&store, Some(cursor), 10).await);
        assert!(items([1, 2, 3]).iter().all(|item| read.contains(item)), "{cursor:?}: {read:?}");
    }
}

#[tokio::test]
async fn a_place_that_this_server_has_not_reached_begins_anew() {
    let database = PostgresDatabase::migrated().await;
    let store = database.store();
    write(&store, &[1, 2]).await;
    let cursor = page(&store, None, 10).await.entries.pop().unwrap().cursor;
    assert!(!page(&store, Some(&cursor), 10).await.is_restart);
    let position = FeedPosition::of(&cursor).unwrap();
    let ahead = FeedPosition { xid: position.xid + 100_000, ..position.clone() };
    // A server that was restored, or took over, reaches the number before the reader comes.
    let elsewhere = FeedPosition { server: position.server - 1, ..position };
    for lost in [ahead, elsewhere] {
        let page = page(&store, lost.cursor().as_ref(), 10).await;
        assert!(page.is_restart);
        assert_eq!(told(&page.entries), items([1, 2]));
    }
}

#[tokio::test]
async fn rows_of_another_servers_dump_take_their_place_when_somebody_watches() {
    let database = PostgresDatabase::migrated().await;
    let store = database.store();
    write(&store, &[1, 2]).await;
    database.run_sql("UPDATE invalidation_events SET xid = xid + 1000000").await;
    write(&store, &[3]).await;
    let read = rest(&store, None, 10).await;
    assert_eq!(told(&read), items([3]));
    let _watch = store.watch_feed().await.unwrap();
    let onward = rest(&store, Some(&read[0].cursor), 1).await;
    assert_eq!(told(&onward), items([1, 2]));
    let before = database.number("SELECT sum(xid)::bigint FROM invalidation_events").await;
    let _watch = store.watch_feed().await.unwrap();
    assert_eq!(database.number("SELECT sum(xid)::bigint FROM invalidation_events").await, before);
}

#[tokio::test]
async fn invalidation_events_that_cannot_be_read_keep_nobody_from_the_others() {
    let database = PostgresDatabase::migrated().await;
    let store = database.store();
    write(&store, &[1, 2, 3]).await;
    let newer = invalidation(2).invalidation.subject().unwrap();
    database
        .run_sql(&format!("UPDATE invalidation_events SET kind = 'x' WHERE subject = '{newer}'"))
        .await;
    let unknown = FeedItem { invalidation: InvalidationEvent::Unknown, ..invalidation(2) };
    assert_eq!(told(&rest(&store, None, 10).await), [invalidation(1), unknown, invalidation(3)]);
    let more_than_one_statement = items(1000..3500);
    let mut tx = store.begin(Access::SingleWrite).await.unwrap();
    tx.insert_invalidation_events(&more_than_one_statement).await.unwrap();
    let entries = page(&store, None, 5000).await.entries;
    assert_eq!(told(&entries)[3..], more_than_one_statement);
}

/// Waits a few seconds for the watch to wake. Returns its result.
async fn woken(watch: &mut dyn FeedWatch) -> Result<(), StoreError> {
    timeout(Duration::from_secs(10), watch.changed()).await.expect("the watcher was not woken")
}

#[tokio::test]
async fn a_watch_whose_connection_is_cut_says_so_and_another_works() {
    let database = PostgresDatabase::migrated().await;
    let store = database.store();
    let mut watch = store.watch_feed().await.unwrap();
    write(&store, &[1]).await;
    woken(watch.as_mut()).await.unwrap();
    let cut = LISTENERS.replace("count(*)", "pg_terminate_backend(pid)");
    database.run_sql(&cut).await;
    let error = woken(watch.as_mut()).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    assert!(woken(watch.as_mut()).await.is_err(), "it stays closed");

    let mut watch = store.watch_feed().await.unwrap();
    write(&store, &[2]).await;
    woken(watch.as_mut()).await.unwrap();
    drop(watch);
    assert!(comes_true(|| async { database.number(LISTENERS).await == 0 }).await);
}

#[tokio::test]
async fn a_watch_sleeps_while_nothing_is_told() {
    let database = PostgresDatabase::migrated().await;
    let store = database.store();
    let mut watch = store.watch_feed().await.unwrap();
    let undone = started(&store, &[1]).await;
    drop(undone);
    crate::testing::log_in(&store, 1).await;
    assert!(timeout(Duration::from_millis(300), watch.changed()).await.is_err());
}

#[tokio::test]
async fn a_server_that_is_not_there_cannot_be_watched() {
    // Nothing listens on port 1.
    let store = PostgresStore::open("postgres://ada:hunter2@127.0.0.1:1/none", 1).unwrap();
    let error = store.watch_feed().await.err().unwrap();
    assert!(matches!(&error, StoreError::Unavailable(_)), "{error:?}");
    assert!(!format!("{error:?}").contains("hunter2"));
}
