//! Promises about the feed: news come back whole and in order, from any place on, until swept.

use gateward_domain::feed::{FeedCursor, FeedItem, FeedPage, News};
use gateward_domain::key::KeyId;
use gateward_domain::{EndReason, SessionId, Timestamp};

use super::Stage;
use super::stage::{after, logout_after, race};
use crate::fixtures::NEWS_SECONDS;

/// One item of each kind, with odd values where there can be some.
fn kinds(stage: &Stage) -> Vec<FeedItem> {
    let (session, user) = (stage.draft(&stage.stranger()).id, stage.stranger().id);
    let (before, reason) = (Timestamp::from_micros(-1), EndReason::NotMe);
    let all = [
        News::SessionEnded { id: session, reason: EndReason::IdleTimeout },
        News::UserCutOff { id: user, before: after(5), reason: EndReason::PasswordReset },
        News::AllCutOff { before, reason },
        News::KeyRevoked { id: KeyId("kéy.2026-11_ö".to_owned()) },
        News::UserChanged { id: user },
        News::KeysChanged,
        News::RolesChanged,
    ];
    let item = |(seconds, news)| FeedItem { news, at: after(seconds), until: after(900 - seconds) };
    (0..).zip(all).map(item).collect()
}

/// What the entries of a page tell.
fn told(page: &FeedPage) -> Vec<FeedItem> {
    page.entries.iter().map(|entry| entry.item.clone()).collect()
}

/// Stores so many items, each in a unit of its own.
async fn some(stage: &Stage, count: usize) -> Vec<FeedItem> {
    let items: Vec<_> = (0..count).map(|_| stage.news()).collect();
    for item in &items {
        stage.add_news(std::slice::from_ref(item)).await;
    }
    items
}

/// Cursors that no store makes.
fn foreign_cursors() -> impl Iterator<Item = FeedCursor> {
    let texts = ["not-mine".to_owned(), "_.-".to_owned(), "z".repeat(FeedCursor::LEN_MAX)];
    // A store whose cursors are numbers has never come so far.
    let numbers = ["1000000000000000000".to_owned(), "9".repeat(FeedCursor::LEN_MAX)];
    texts.into_iter().chain(numbers).map(|text| FeedCursor::parse(&text).unwrap())
}

/// Ends a session and tells it, in one unit.
async fn end_and_tell(stage: &Stage, id: SessionId, news: &FeedItem) {
    let mut tx = stage.write().await;
    // In one order and in the other.
    if id.uuid().as_u128().is_multiple_of(2) {
        tx.insert_news(std::slice::from_ref(news)).await.unwrap();
    }
    assert!(tx.end_session(id, logout_after(5)).await.unwrap());
    if !id.uuid().as_u128().is_multiple_of(2) {
        tx.insert_news(std::slice::from_ref(news)).await.unwrap();
    }
    tx.commit().await.unwrap();
}

promises! {
    __promises_feed;


    async fn every_kind_of_news_comes_back_whole_and_in_order(stage: Stage) {
        let together = kinds(&stage);
        stage.add_news(&together).await;
        let mut expected = together;
        for item in kinds(&stage) {
            stage.add_news(std::slice::from_ref(&item)).await;
            expected.push(item);
        }
        let page = stage.list_news(None, 1000).await;
        assert_eq!(told(&page), expected);
        assert!(!page.is_anew, "whoever has no cursor begins, and not anew");
    }

    async fn every_reason_of_an_end_is_told(stage: Stage) {
        let item = |reason: &EndReason| {
            let id = stage.draft(&stage.stranger()).id;
            FeedItem { news: News::SessionEnded { id, reason: *reason }, ..stage.news() }
        };
        let expected: Vec<_> = EndReason::ALL.iter().map(item).collect();
        stage.add_news(&expected).await;
        assert_eq!(told(&stage.list_news(None, 1000).await), expected);
    }

    async fn a_store_without_news_lists_none(stage: Stage) {
        stage.add_news(&[]).await;
        assert_eq!(stage.list_news(None, 10).await, FeedPage::default());
    }

    async fn the_same_news_can_be_told_twice(stage: Stage) {
        let item = stage.news();
        stage.add_news(&[item.clone(), item.clone()]).await;
        stage.add_news(std::slice::from_ref(&item)).await;
        assert_eq!(told(&stage.list_news(None, 10).await), [item.clone(), item.clone(), item]);
    }

    async fn the_feed_goes_on_from_each_entry(stage: Stage) {
        let items = some(&stage, 7).await;
        let page = stage.list_news(None, 100).await;
        for (index, entry) in page.entries.iter().enumerate() {
            let rest = stage.list_news(Some(&entry.cursor), 100).await;
            assert_eq!(Some(told(&rest).as_slice()), items.get(index + 1..));
            assert!(!rest.is_anew);
        }
        let last = &page.entries.last().unwrap().cursor;
        let late = some(&stage, 2).await;
        assert_eq!(told(&stage.list_news(Some(last), 100).await), late);
    }

    async fn the_feed_is_read_page_by_page(stage: Stage) {
        let items = some(&stage, 7).await;
        for limit in [1, 2, 3, 7, 100] {
            let (mut read, mut last) = (Vec::new(), None);
            // A feed that goes in a circle is longer than it should be, and not endless.
            for _ in 0..9 {
                let page = stage.list_news(last.as_ref(), limit).await;
                assert!(page.entries.len() <= usize::try_from(limit).unwrap());
                assert!(!page.is_anew);
                read.extend(told(&page));
                let Some(entry) = page.entries.into_iter().last() else { break };
                last = Some(entry.cursor);
            }
            assert_eq!(read, items, "{limit} at a time");
        }
        assert!(stage.list_news(None, 0).await.entries.is_empty());
    }

    async fn a_cursor_of_another_store_begins_anew_and_says_so(stage: Stage) {
        for count in [0, 3] {
            let items = some(&stage, count).await;
            for cursor in foreign_cursors() {
                let page = stage.list_news(Some(&cursor), 100).await;
                assert_eq!(told(&page), items, "{cursor:?}");
                assert!(page.is_anew, "{cursor:?}");
            }
        }
    }

    async fn news_of_a_dropped_unit_are_never_told(stage: Stage) {
        let mut items = some(&stage, 2).await;
        let cursor = stage.list_news(None, 1).await.entries.remove(0).cursor;
        let mut tx = stage.write().await;
        tx.insert_news(&[stage.news(), stage.news()]).await.unwrap();
        assert_eq!(tx.list_news(None, 10).await.unwrap().entries.len(), 4, "but to itself");
        drop(tx);
        assert_eq!(told(&stage.list_news(None, 10).await), items);
        items.extend(some(&stage, 1).await);
        assert_eq!(told(&stage.list_news(None, 10).await), items);
        let rest = stage.list_news(Some(&cursor), 10).await;
        assert_eq!(Some(told(&rest).as_slice()), items.get(1..));
    }

    async fn news_are_there_with_the_change_that_they_tell_of_and_not_before(stage: Stage) {
        let user = stage.user().await;
        let mut sessions = Vec::new();
        for _ in 0..24 {
            let id = stage.session_of(&user).await.id;
            let news = News::SessionEnded { id, reason: EndReason::Logout };
            sessions.push((id, FeedItem { news, ..stage.news() }));
        }
        race(3, |index| {
            let (stage, sessions) = (stage.clone(), sessions.clone());
            async move {
                for (id, news) in sessions {
                    match index {
                        0 => end_and_tell(&stage, id, &news).await,
                        1 => {
                            let is_told = told(&stage.list_news(None, 100).await).contains(&news);
                            let session = stage.stored_session(id).await;
                            assert!(session.ended.is_some() || !is_told, "told too early");
                        }
                        _ => {
                            let session = stage.stored_session(id).await;
                            let is_told = told(&stage.list_news(None, 100).await).contains(&news);
                            assert!(is_told || session.ended.is_none(), "told too late");
                        }
                    }
                }
            }
        })
        .await;
        assert_eq!(stage.list_news(None, 100).await.entries.len(), sessions.len());
    }

    async fn news_are_swept_once_they_matter_to_nobody(stage: Stage) {
        let before = after(100);
        let items = [99, 101, 50, 100].map(|seconds| FeedItem {
            at: after(-seconds),
            until: after(seconds),
            ..stage.news()
        });
        stage.add_news(&items).await;
        assert_eq!(stage.single().await.delete_news(before, 100).await.unwrap(), 2);
        let [_, late, _, last] = items;
        let left = told(&stage.list_news(None, 10).await);
        assert_eq!(left, [late, last], "the moment is not before it");
    }

    async fn no_more_news_are_swept_than_asked(stage: Stage) {
        some(&stage, 7).await;
        let before = after(NEWS_SECONDS + 1);
        for (limit, deleted) in [(0, 0), (3, 3), (3, 3), (3, 1), (3, 0)] {
            assert_eq!(stage.single().await.delete_news(before, limit).await.unwrap(), deleted);
        }
    }

    async fn the_feed_goes_on_from_an_entry_that_was_swept(stage: Stage) {
        some(&stage, 3).await;
        let swept = stage.list_news(None, 10).await.entries;
        let before = after(NEWS_SECONDS + 1);
        assert_eq!(stage.single().await.delete_news(before, 10).await.unwrap(), 3);
        for entry in &swept {
            assert_eq!(stage.list_news(Some(&entry.cursor), 10).await, FeedPage::default());
        }
        let items = some(&stage, 2).await;
        for entry in &swept {
            let page = stage.list_news(Some(&entry.cursor), 10).await;
            assert_eq!(told(&page), items);
            assert!(!page.is_anew);
        }
    }
}
