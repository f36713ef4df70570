//! Lists of accounts and of events: filtered, page by page, at a bounded cost.

use std::collections::BTreeSet;

use gateward_domain::ports::Access;
use gateward_domain::{Actor, Event, EventId, EventKind, RequestInfo, RoleName, User};
use gateward_testkit::{MemoryStore, fixtures};

use super::admins::role;
use super::attempts::attempt;
use super::mailbox::{address, open_test_app};
use super::test_app::{PASSWORD, TestApp, policy};
use crate::{AdminActor, EventFilter, UserFilter};

/// This many accounts. Every hundredth holds a role, and is disabled.
async fn callers(count: u64) -> TestApp {
    let (test_app, _) = open_test_app(policy()).await;
    let support = test_app.define("support", &[]).await;
    let mut tx = test_app.store.begin(Access::Write).await.unwrap();
    for seed in 1..=count {
        let mut user = fixtures::user(seed);
        if seed % 100 == 0 {
            user.disabled = true;
            user.roles = vec![support.clone(), RoleName::user()];
        }
        tx.insert_user(&user).await.unwrap();
    }
    tx.commit().await.unwrap();
    test_app
}

/// Reads all pages. Returns the size of each, and all rows.
async fn pages(test_app: &TestApp, filter: &UserFilter, limit: usize) -> (Vec<usize>, Vec<User>) {
    let (mut sizes, mut users, mut after) = (Vec::new(), Vec::new(), None);
    loop {
        let page = test_app.app.list_users(filter, after, limit).await.unwrap();
        sizes.push(page.users.len());
        users.extend(page.users);
        after = page.next;
        if after.is_none() {
            return (sizes, users);
        }
    }
}

#[tokio::test]
async fn every_account_stands_on_one_page() {
    let test_app = callers(250).await;
    for filter in [
        UserFilter::default(),
        UserFilter { q: Some("user-".to_owned()), ..UserFilter::default() },
        UserFilter { q: Some("USER-".to_owned()), ..UserFilter::default() },
    ] {
        for (limit, expected) in [(100, vec![100, 100, 50]), (125, vec![125, 125])] {
            let (sizes, users) = pages(&test_app, &filter, limit).await;
            assert_eq!(sizes, expected, "{filter:?}");
            let ids: BTreeSet<_> = users.iter().map(|user| user.id).collect();
            assert_eq!(ids.len(), 250);
        }
    }
}

#[tokio::test]
async fn accounts_are_found_by_what_they_are() {
    let test_app = callers(250).await;
    test_app.owner("ada", |_| ()).await;
    let named = |q: &str| UserFilter { q: Some(q.to_owned()), ..UserFilter::default() };
    let found = async |filter: UserFilter| pages(&test_app, &filter, 50).await.1;
    for q in ["ad", "Ada", "ada@", "ada@EXAMPLE.org"] {
        let users = found(named(q)).await;
        assert!(users.len() == 1 && users[0].email == address("ada"), "{q}: {users:?}");
    }
    assert!(found(named("example.org")).await.is_empty(), "it is no part from the middle");
    let support = || Some(role("support"));
    let by_role = UserFilter { role: support(), ..UserFilter::default() };
    assert_eq!(found(by_role).await.len(), 2);
    for (disabled, count) in [(true, 2), (false, 249)] {
        let filter = UserFilter { disabled: Some(disabled), ..UserFilter::default() };
        assert_eq!(found(filter).await.len(), count);
    }
    let neither = UserFilter { role: support(), disabled: Some(false), ..UserFilter::default() };
    assert!(found(neither).await.is_empty());
}

#[tokio::test]
async fn a_page_on_which_nobody_is_wanted_ends_and_the_next_one_goes_on() {
    let test_app = callers(1500).await;
    let nobody = UserFilter {
        q: Some("user-".to_owned()),
        role: Some(RoleName::admin()),
        ..UserFilter::default()
    };
    let (sizes, _) = pages(&test_app, &nobody, 50).await;
    assert_eq!(sizes, [0, 0], "a thousand were looked at, and then the rest");
    let few = UserFilter { role: Some(role("support")), ..nobody };
    let (sizes, users) = pages(&test_app, &few, 50).await;
    assert_eq!((sizes.len(), users.len()), (2, 15));
}

#[tokio::test]
async fn a_page_goes_on_where_the_last_account_was_though_it_is_gone() {
    let test_app = callers(30).await;
    let filter = UserFilter::default();
    let first = test_app.app.list_users(&filter, None, 10).await.unwrap();
    let last = first.users.last().unwrap().id;
    test_app.app.delete_user(AdminActor::Operator, last).await.unwrap();
    let second = test_app.app.list_users(&filter, first.next, 10).await.unwrap();
    assert_eq!(second.users.len(), 10);
    assert!(second.users.iter().all(|user| user.id > last));
}

/// Reads all pages of events.
async fn told(test_app: &TestApp, filter: &EventFilter, limit: usize) -> (usize, Vec<Event>) {
    let (mut count, mut events, mut before) = (0, Vec::new(), None);
    loop {
        let page = test_app.app.list_events(filter, before, limit).await.unwrap();
        count += 1;
        events.extend(page.events);
        before = page.next;
        if before.is_none() {
            return (count, events);
        }
    }
}

/// Two users who log in at different times, and an operator who disables one of them.
async fn history() -> (TestApp, MemoryStore, [User; 2]) {
    let (test_app, memory) = open_test_app(policy()).await;
    let users = [test_app.owner("ada", |_| ()).await, test_app.owner("eve", |_| ()).await];
    for name in ["ada", "eve", "ada"] {
        test_app.clock.advance_seconds(60);
        test_app.app.login(attempt(name, PASSWORD, RequestInfo::default())).await.unwrap();
    }
    test_app.clock.advance_seconds(60);
    test_app.set_disabled("eve", true).await;
    (test_app, memory, users)
}

#[tokio::test]
async fn events_are_told_the_newest_first_each_once() {
    let (test_app, memory, _) = history().await;
    for limit in [1, 2, 100] {
        let (_, events) = told(&test_app, &EventFilter::default(), limit).await;
        assert!(events.is_sorted_by_key(|event| std::cmp::Reverse(event.id)));
        assert_eq!(events.len(), memory.events().len());
    }
}

#[tokio::test]
async fn events_are_found_by_whom_they_are_about_who_did_them_what_they_are_and_when() {
    let (test_app, memory, [ada, eve]) = history().await;
    let all = memory.events();
    let started = EventKind::SessionStarted.as_str();
    let (first, third) = (fixtures::NOW.plus_seconds(60), fixtures::NOW.plus_seconds(180));
    let any = EventFilter::default();
    let check = async |filter: EventFilter, wanted: &dyn Fn(&Event) -> bool, min: usize| {
        let (_, found) = told(&test_app, &filter, 2).await;
        let found: BTreeSet<_> = found.iter().map(|event| event.id).collect();
        let expected = all.iter().filter(|event| wanted(event)).map(|event| event.id);
        assert_eq!(found, expected.collect(), "{filter:?}");
        assert!(found.len() >= min, "{filter:?}");
    };
    let about = |event: &Event| event.user_id == Some(eve.id);
    let did = |event: &Event| event.actor == Actor::User(ada.id);
    let is_begin = |event: &Event| event.kind == EventKind::SessionStarted;
    check(EventFilter { subject: Some(eve.id), ..any }, &about, 2).await;
    check(EventFilter { actor: Some(ada.id), ..any }, &did, 2).await;
    check(EventFilter { event: Some(started), ..any }, &is_begin, 3).await;
    let both = |event: &Event| did(event) && is_begin(event);
    check(EventFilter { actor: Some(ada.id), event: Some(started), ..any }, &both, 2).await;
    let self_done = EventFilter { subject: Some(eve.id), actor: Some(ada.id), ..any };
    check(self_done, &|_| false, 0).await;
    let between = |event: &Event| event.at >= first && event.at < third;
    check(EventFilter { from: Some(first), to: Some(third), ..any }, &between, 2).await;
    check(EventFilter { from: Some(third), ..any }, &|event| event.at >= third, 2).await;
}

#[tokio::test]
async fn a_page_on_which_no_event_is_wanted_ends_and_the_next_one_goes_on() {
    let (test_app, _) = open_test_app(policy()).await;
    let ada = test_app.owner("ada", |_| ()).await;
    let session = fixtures::session(1, &ada);
    let mut tx = test_app.store.begin(Access::Write).await.unwrap();
    for seed in 1..=1500 {
        let event = fixtures::event(seed, EventKind::SessionStarted, &session);
        tx.insert_event(&event).await.unwrap();
    }
    tx.commit().await.unwrap();
    let nothing = EventFilter {
        subject: Some(ada.id),
        event: Some(EventKind::PasswordReset.as_str()),
        ..EventFilter::default()
    };
    let (count, events) = told(&test_app, &nothing, 50).await;
    assert_eq!((count, events.len()), (2, 0));
    let late = EventFilter { to: Some(fixtures::NOW.minus_seconds(1)), ..nothing };
    let page =
        test_app.app.list_events(&late, Some(EventId::before_all_at(test_app.app.now())), 50);
    assert!(page.await.unwrap().next.is_none());
}
