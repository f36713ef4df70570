//! Promises to readers of the feed: they miss nothing, whatever the order of commits, and are
//! woken.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gateward_domain::feed::{FeedCursor, FeedItem};
use gateward_domain::ports::FeedWatch;
use tokio::time::{sleep, timeout};

use super::StoreFixture;
use super::fixture::race;

/// Number of concurrent writers.
const WRITERS: usize = 8;

/// Number of units per writer.
const UNITS: usize = 12;

/// More items than a correct store ever returns here.
const APPLIED_MAX: usize = 10 * WRITERS * UNITS;

/// How long the test watches a writer that may have to wait for another.
const WATCHED: Duration = Duration::from_millis(100);

/// Maximum time until a watcher is woken.
const WOKEN_WITHIN: Duration = Duration::from_secs(10);

/// A reader that follows the feed page by page.
struct Follower {
    fixture: StoreFixture,
    limit: u32,
    cursor: Option<FeedCursor>,
    learned: Vec<FeedItem>,
}

impl Follower {
    fn new(fixture: &StoreFixture, limit: u32) -> Self {
        Self { fixture: fixture.clone(), limit, cursor: None, learned: Vec::new() }
    }

    /// Reads a page. Returns whether it has entries.
    async fn reads(&mut self) -> bool {
        let page = self.fixture.list_invalidation_events(self.cursor.as_ref(), self.limit).await;
        assert!(!page.is_restart, "the cursor is the store's, and no write was lost");
        assert!(self.learned.len() < APPLIED_MAX, "the feed goes in a circle");
        let some = !page.entries.is_empty();
        for entry in page.entries {
            self.cursor = Some(entry.cursor);
            self.learned.push(entry.item);
        }
        some
    }

    /// Reads until the end of the feed.
    async fn catches_up(&mut self) {
        while self.reads().await {}
    }

    /// Returns whether the item was received.
    fn knows(&self, item: &FeedItem) -> bool {
        self.learned.contains(item)
    }

    /// Waits to be woken and reads, until the item was received.
    async fn is_woken_for(&mut self, watch: &mut dyn FeedWatch, item: &FeedItem) {
        let learning = async {
            while !self.knows(item) {
                watch.changed().await.unwrap();
                self.catches_up().await;
            }
        };
        let in_time = timeout(WOKEN_WITHIN, learning).await;
        assert!(in_time.is_ok(), "the watcher was not woken");
    }
}

/// Writes units of two items, with a pause within each. Some units are dropped. Returns the
/// committed items.
async fn write_units(fixture: &StoreFixture, writer: usize) -> Vec<FeedItem> {
    let mut committed = Vec::new();
    for unit in 0..UNITS {
        let items = [fixture.invalidation(), fixture.invalidation()];
        let [first, second] = &items;
        let mut tx = fixture.write().await;
        tx.insert_invalidation_events(std::slice::from_ref(first)).await.unwrap();
        let pause = (writer * 7 + unit * 3) % 5;
        sleep(Duration::from_millis(u64::try_from(pause).unwrap())).await;
        tx.insert_invalidation_events(std::slice::from_ref(second)).await.unwrap();
        if !(writer + unit).is_multiple_of(4) {
            tx.commit().await.unwrap();
            committed.extend(items);
        }
    }
    committed
}

/// Follows until all writers are done and everything is read. Returns the received items.
async fn follow(fixture: &StoreFixture, limit: u32, done: &AtomicUsize) -> Vec<FeedItem> {
    let mut follower = Follower::new(fixture, limit);
    loop {
        // Checked first: everything committed before is then on a page that is read afterwards.
        let has_ended = done.load(Ordering::SeqCst) == WRITERS;
        if !follower.reads().await && has_ended {
            return follower.learned;
        }
    }
}

promises! {
    __promises_follow;


    async fn whoever_follows_misses_nothing_of_racing_writers(fixture: StoreFixture) {
        let done = Arc::new(AtomicUsize::new(0));
        let limits = [1, 3, 100];
        let items = race(limits.len() + WRITERS, |index| {
            let (fixture, done) = (fixture.clone(), Arc::clone(&done));
            async move {
                if let Some(limit) = limits.get(index) {
                    return follow(&fixture, *limit, &done).await;
                }
                let committed = write_units(&fixture, index).await;
                done.fetch_add(1, Ordering::SeqCst);
                committed
            }
        })
        .await;
        let (learned, committed) = items.split_at(limits.len());
        let set = |items: &[FeedItem]| -> BTreeSet<String> {
            items.iter().map(|item| format!("{item:?}")).collect()
        };
        let committed = set(&committed.concat());
        assert!(committed.len() > WRITERS);
        for (learned, limit) in learned.iter().zip(limits) {
            assert_eq!(set(learned), committed, "{limit} at a time");
        }
    }

    /// If one writer waits for the other, the late item comes after the early one. If they write
    /// concurrently, the reader has passed the position of the early one before it commits.
    async fn a_unit_that_commits_after_later_ones_is_not_skipped(fixture: StoreFixture) {
        for (limit, commits) in [(1, true), (1, false), (100, true), (100, false)] {
            let mut follower = Follower::new(&fixture, limit);
            let [first, early, earlier, late, later] = [0; 5].map(|_| fixture.invalidation());
            fixture.add_invalidation_events(std::slice::from_ref(&first)).await;
            follower.catches_up().await;
            let mut holder = fixture.write().await;
            holder.insert_invalidation_events(&[early.clone(), earlier.clone()]).await.unwrap();
            let (theirs, items) = (fixture.clone(), [late.clone(), later.clone()]);
            let mut writing = tokio::spawn(async move {
                for item in items {
                    let mut tx = theirs.write().await;
                    tx.insert_invalidation_events(&[item]).await.unwrap();
                    tx.commit().await.unwrap();
                }
            });
            let written = timeout(WATCHED, &mut writing).await;
            follower.catches_up().await;
            assert!(!follower.knows(&early), "no reader sees what is not committed");
            if written.is_ok() {
                assert!(follower.knows(&later), "no reader waits for an open unit of work");
            }
            if commits {
                holder.commit().await.unwrap();
            } else {
                drop(holder);
            }
            if written.is_err() {
                writing.await.unwrap();
            }
            follower.catches_up().await;
            for (item, is_told) in [
                (&first, true),
                (&early, commits),
                (&earlier, commits),
                (&late, true),
                (&later, true),
            ] {
                assert_eq!(follower.knows(item), is_told, "{limit} at a time");
            }
        }
    }

    async fn whoever_watches_is_woken_by_each_commit_with_invalidation_events(fixture: StoreFixture) {
        let mut watches = [fixture.watch().await, fixture.watch().await];
        let mut followers = [Follower::new(&fixture, 10), Follower::new(&fixture, 10)];
        for round in 0..4 {
            let item = fixture.invalidation();
            if round % 2 == 0 {
                fixture.add_invalidation_events(std::slice::from_ref(&item)).await;
            } else {
                let mut tx = fixture.write().await;
                tx.insert_invalidation_events(std::slice::from_ref(&item)).await.unwrap();
                tx.commit().await.unwrap();
            }
            for (watch, follower) in watches.iter_mut().zip(&mut followers) {
                follower.is_woken_for(watch.as_mut(), &item).await;
            }
        }
        let mut newcomer = Follower::new(&fixture, 10);
        newcomer.catches_up().await;
        assert!(followers.iter().all(|follower| follower.learned == newcomer.learned));
    }

    async fn whoever_sleeps_at_the_watch_is_woken(fixture: StoreFixture) {
        let (mut watch, mut follower) = (fixture.watch().await, Follower::new(&fixture, 10));
        let item = fixture.invalidation();
        let awaited = item.clone();
        let sleeper = tokio::spawn(async move {
            follower.is_woken_for(watch.as_mut(), &awaited).await;
        });
        sleep(WATCHED).await;
        fixture.add_invalidation_events(&[item]).await;
        sleeper.await.unwrap();
    }

    async fn a_wait_at_the_watch_can_be_given_up(fixture: StoreFixture) {
        let (mut watch, mut follower) = (fixture.watch().await, Follower::new(&fixture, 10));
        for pause in [0, 1, 20] {
            // A spurious wake-up is allowed.
            let _ = timeout(Duration::from_millis(pause), watch.changed()).await;
            let item = fixture.invalidation();
            fixture.add_invalidation_events(std::slice::from_ref(&item)).await;
            follower.is_woken_for(watch.as_mut(), &item).await;
        }
    }
}
