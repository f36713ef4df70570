//! Promises about the feed: invalidation events are returned completely and in order, from any
//! cursor on, until they are cleaned up.

use gateward_domain::feed::{FeedCursor, FeedItem, FeedPage, InvalidationEvent};
use gateward_domain::key::KeyId;
use gateward_domain::{EndReason, SessionId, Timestamp};

use super::StoreFixture;
use super::fixture::{after, logout_after, race};
use crate::fixtures::INVALIDATION_SECONDS;

/// One item of each kind, with unusual values where possible.
fn kinds(fixture: &StoreFixture) -> Vec<FeedItem> {
    let (session, user) = (fixture.draft(&fixture.stranger()).id, fixture.stranger().id);
    let (before, reason) = (Timestamp::from_micros(-1), EndReason::NotMe);
    let all = [
        InvalidationEvent::SessionEnded { id: session, reason: EndReason::IdleTimeout },
        InvalidationEvent::UserTokensRevoked {
            id: user,
            before: after(5),
            reason: EndReason::PasswordReset,
        },
        InvalidationEvent::AllTokensRevoked { before, reason },
        InvalidationEvent::KeyRevoked { id: KeyId("kéy.2026-11_ö".to_owned()) },
        InvalidationEvent::UserChanged { id: user },
        InvalidationEvent::KeysChanged,
        InvalidationEvent::RolesChanged,
    ];
    let item = |(seconds, invalidation)| FeedItem {
        invalidation,
        at: after(seconds),
        until: after(900 - seconds),
    };
    (0..).zip(all).map(item).collect()
}

/// Returns the items of a page.
fn told(page: &FeedPage) -> Vec<FeedItem> {
    page.entries.iter().map(|entry| entry.item.clone()).collect()
}

/// Stores this many items, each in a unit of its own.
async fn some(fixture: &StoreFixture, count: usize) -> Vec<FeedItem> {
    let items: Vec<_> = (0..count).map(|_| fixture.invalidation()).collect();
    for item in &items {
        fixture.add_invalidation_events(std::slice::from_ref(item)).await;
    }
    items
}

/// Cursors that no store creates.
fn foreign_cursors() -> impl Iterator<Item = FeedCursor> {
    let texts = ["not-mine".to_owned(), "_.-".to_owned(), "z".repeat(FeedCursor::LEN_MAX)];
    // A store with numeric cursors has never reached these.
    let numbers = ["1000000000000000000".to_owned(), "9".repeat(FeedCursor::LEN_MAX)];
    texts.into_iter().chain(numbers).map(|text| FeedCursor::parse(&text).unwrap())
}

/// Ends a session and writes its invalidation event, in one unit.
async fn end_and_tell(fixture: &StoreFixture, id: SessionId, invalidation: &FeedItem) {
    let mut tx = fixture.write().await;
    // In either order.
    if id.uuid().as_u128().is_multiple_of(2) {
        tx.insert_invalidation_events(std::slice::from_ref(invalidation)).await.unwrap();
    }
    assert!(tx.end_session(id, logout_after(5)).await.unwrap());
    if !id.uuid().as_u128().is_multiple_of(2) {
        tx.insert_invalidation_events(std::slice::from_ref(invalidation)).await.unwrap();
    }
    tx.commit().await.unwrap();
}

promises! {
    __promises_feed;


    async fn every_kind_of_invalidation_events_comes_back_whole_and_in_order(fixture: StoreFixture) {
        let together = kinds(&fixture);
        fixture.add_invalidation_events(&together).await;
        let mut expected = together;
        for item in kinds(&fixture) {
            fixture.add_invalidation_events(std::slice::from_ref(&item)).await;
            expected.push(item);
        }
        let page = fixture.list_invalidation_events(None, 1000).await;
        assert_eq!(told(&page), expected);
        assert!(!page.is_restart, "a reader without a cursor starts, and does not restart");
    }

    async fn every_reason_of_an_end_is_told(fixture: StoreFixture) {
        let item = |reason: &EndReason| {
            let id = fixture.draft(&fixture.stranger()).id;
            FeedItem { invalidation: InvalidationEvent::SessionEnded { id, reason: *reason }, ..fixture.invalidation() }
        };
        let expected: Vec<_> = EndReason::ALL.iter().map(item).collect();
        fixture.add_invalidation_events(&expected).await;
        assert_eq!(told(&fixture.list_invalidation_events(None, 1000).await), expected);
    }

    async fn a_store_without_invalidation_events_lists_none(fixture: StoreFixture) {
        fixture.add_invalidation_events(&[]).await;
        assert_eq!(fixture.list_invalidation_events(None, 10).await, FeedPage::default());
    }

    async fn the_same_invalidation_events_can_be_told_twice(fixture: StoreFixture) {
        let item = fixture.invalidation();
        fixture.add_invalidation_events(&[item.clone(), item.clone()]).await;
        fixture.add_invalidation_events(std::slice::from_ref(&item)).await;
        assert_eq!(told(&fixture.list_invalidation_events(None, 10).await), [item.clone(), item.clone(), item]);
    }

    async fn the_feed_goes_on_from_each_entry(fixture: StoreFixture) {
        let items = some(&fixture, 7).await;
        let page = fixture.list_invalidation_events(None, 100).await;
        for (index, entry) in page.entries.iter().enumerate() {
            let rest = fixture.list_invalidation_events(Some(&entry.cursor), 100).await;
            assert_eq!(Some(told(&rest).as_slice()), items.get(index + 1..));
            assert!(!rest.is_restart);
        }
        let last = &page.entries.last().unwrap().cursor;
        let late = some(&fixture, 2).await;
        assert_eq!(told(&fixture.list_invalidation_events(Some(last), 100).await), late);
    }

    async fn the_feed_is_read_page_by_page(fixture: StoreFixture) {
        let items = some(&fixture, 7).await;
        for limit in [1, 2, 3, 7, 100] {
            let (mut read, mut last) = (Vec::new(), None);
            // A feed that repeats itself is longer than expected, but the test ends.
            for _ in 0..9 {
                let page = fixture.list_invalidation_events(last.as_ref(), limit).await;
                assert!(page.entries.len() <= usize::try_from(limit).unwrap());
                assert!(!page.is_restart);
                read.extend(told(&page));
                let Some(entry) = page.entries.into_iter().last() else { break };
                last = Some(entry.cursor);
            }
            assert_eq!(read, items, "{limit} at a time");
        }
        assert!(fixture.list_invalidation_events(None, 0).await.entries.is_empty());
    }

    async fn a_cursor_of_another_store_begins_anew_and_says_so(fixture: StoreFixture) {
        for count in [0, 3] {
            let items = some(&fixture, count).await;
            for cursor in foreign_cursors() {
                let page = fixture.list_invalidation_events(Some(&cursor), 100).await;
                assert_eq!(told(&page), items, "{cursor:?}");
                assert!(page.is_restart, "{cursor:?}");
            }
        }
    }

    async fn invalidation_events_of_a_dropped_unit_are_never_told(fixture: StoreFixture) {
        let mut items = some(&fixture, 2).await;
        let cursor = fixture.list_invalidation_events(None, 1).await.entries.remove(0).cursor;
        let mut tx = fixture.write().await;
        tx.insert_invalidation_events(&[fixture.invalidation(), fixture.invalidation()]).await.unwrap();
        assert_eq!(tx.list_invalidation_events(None, 10).await.unwrap().entries.len(), 4, "but to itself");
        drop(tx);
        assert_eq!(told(&fixture.list_invalidation_events(None, 10).await), items);
        items.extend(some(&fixture, 1).await);
        assert_eq!(told(&fixture.list_invalidation_events(None, 10).await), items);
        let rest = fixture.list_invalidation_events(Some(&cursor), 10).await;
        assert_eq!(Some(told(&rest).as_slice()), items.get(1..));
    }

    async fn invalidation_events_are_there_with_the_change_that_they_tell_of_and_not_before(fixture: StoreFixture) {
        let user = fixture.user().await;
        let mut sessions = Vec::new();
        for _ in 0..24 {
            let id = fixture.session_of(&user).await.id;
            let invalidation = InvalidationEvent::SessionEnded { id, reason: EndReason::Logout };
            sessions.push((id, FeedItem { invalidation, ..fixture.invalidation() }));
        }
        race(3, |index| {
            let (fixture, sessions) = (fixture.clone(), sessions.clone());
            async move {
                for (id, invalidation) in sessions {
                    match index {
                        0 => end_and_tell(&fixture, id, &invalidation).await,
                        1 => {
                            let is_told = told(&fixture.list_invalidation_events(None, 100).await).contains(&invalidation);
                            let session = fixture.stored_session(id).await;
                            assert!(session.ended.is_some() || !is_told, "told too early");
                        }
                        _ => {
                            let session = fixture.stored_session(id).await;
                            let is_told = told(&fixture.list_invalidation_events(None, 100).await).contains(&invalidation);
                            assert!(is_told || session.ended.is_none(), "told too late");
                        }
                    }
                }
            }
        })
        .await;
        assert_eq!(fixture.list_invalidation_events(None, 100).await.entries.len(), sessions.len());
    }

    async fn invalidation_events_are_cleaned_up_once_they_matter_to_nobody(fixture: StoreFixture) {
        let before = after(100);
        let items = [99, 101, 50, 100].map(|seconds| FeedItem {
            at: after(-seconds),
            until: after(seconds),
            ..fixture.invalidation()
        });
        fixture.add_invalidation_events(&items).await;
        assert_eq!(fixture.single().await.delete_invalidation_events(before, 100).await.unwrap(), 2);
        let [_, late, _, last] = items;
        let left = told(&fixture.list_invalidation_events(None, 10).await);
        assert_eq!(left, [late, last], "the moment is not before it");
    }

    async fn no_more_invalidation_events_are_cleaned_up_than_asked(fixture: StoreFixture) {
        some(&fixture, 7).await;
        let before = after(INVALIDATION_SECONDS + 1);
        for (limit, deleted) in [(0, 0), (3, 3), (3, 3), (3, 1), (3, 0)] {
            assert_eq!(fixture.single().await.delete_invalidation_events(before, limit).await.unwrap(), deleted);
        }
    }

    async fn the_feed_goes_on_from_an_entry_that_was_cleaned_up(fixture: StoreFixture) {
        some(&fixture, 3).await;
        let cleaned_up = fixture.list_invalidation_events(None, 10).await.entries;
        let before = after(INVALIDATION_SECONDS + 1);
        assert_eq!(fixture.single().await.delete_invalidation_events(before, 10).await.unwrap(), 3);
        for entry in &cleaned_up {
            assert_eq!(fixture.list_invalidation_events(Some(&entry.cursor), 10).await, FeedPage::default());
        }
        let items = some(&fixture, 2).await;
        for entry in &cleaned_up {
            let page = fixture.list_invalidation_events(Some(&entry.cursor), 10).await;
            assert_eq!(told(&page), items);
            assert!(!page.is_restart);
        }
    }
}
