//! Promises about ranges of accounts and of events: each in its order, page by page.

use std::cmp::Reverse;

use gateward_domain::audit::EventRange;
use gateward_domain::{
    Actor, EmailAddress, Event, EventId, EventKind, RoleName, User, UserRange, Username,
};

use super::StoreFixture;
use super::fixture::after;
use crate::{SeededEntropy, fixtures};

/// Usernames in the order of their lower-case bytes. Other collations would order them differently.
const USERNAMES: [&str; 8] = ["Bob", "ann-d", "Ann.c", "ann0", "ANN_b", "annA", "anne", "annex"];

/// Local parts in the order of their bytes. The accounts of [`USERNAMES`] have them in reverse.
const LOCALS: [&str; 8] = ["a%b", "a*b", "a-b", "a_b", "aab", "zoe", "élan", "über"];

/// The role that every other account holds.
fn role() -> RoleName {
    RoleName::parse("auditor").unwrap()
}

/// One account per username. Every other one has a role, every third is disabled.
async fn callers(fixture: &StoreFixture) -> Vec<User> {
    let mut users = Vec::new();
    for (index, (name, local)) in USERNAMES.iter().zip(LOCALS.iter().rev()).enumerate() {
        let roles = if index % 2 == 0 { vec![role(), RoleName::user()] } else { vec![] };
        let user = User {
            username: Username::parse(name).unwrap(),
            email: EmailAddress::parse(&format!("{local}@example.org")).unwrap(),
            roles,
            disabled: index % 3 == 0,
            ..fixture.stranger()
        };
        fixture.add_user(&user).await;
        users.push(user);
    }
    users
}

/// Ranges of every kind.
fn ranges() -> Vec<UserRange> {
    let mut ranges = vec![UserRange::All, UserRange::Role(role()), UserRange::Disabled];
    for prefix in ["", "ann", "a", "zo"] {
        ranges.push(UserRange::Username(prefix.to_owned()));
        ranges.push(UserRange::Email(prefix.to_owned()));
    }
    ranges
}

/// Returns the accounts in the range, in its order.
fn meant(range: &UserRange, users: &[User]) -> Vec<User> {
    let mut meant: Vec<_> = users.iter().filter(|user| range.contains(user)).cloned().collect();
    meant.sort_by_key(|user| range.cursor(user));
    meant
}

async fn list(
    fixture: &StoreFixture,
    range: &UserRange,
    after: Option<&User>,
    limit: u32,
) -> Vec<User> {
    let after = after.map(|after| range.cursor(after));
    fixture.read().await.list_users(range, after, limit).await.unwrap()
}

async fn list_events(
    fixture: &StoreFixture,
    range: EventRange,
    bounds: (Option<EventId>, Option<EventId>),
    limit: u32,
) -> Vec<Event> {
    fixture.read().await.list_events(range, bounds.0, bounds.1, limit).await.unwrap()
}

/// Events of two accounts, about themselves and about each other, and without an actor. Newest
/// first.
async fn events(fixture: &StoreFixture, one: &User, other: &User) -> Vec<Event> {
    let session = fixture.draft(one);
    let by = |user: &User| Actor::User(user.id);
    let mut events = Vec::new();
    for (seconds, kind, actor, user_id) in [
        (30, EventKind::AccountDisabled, by(other), Some(one.id)),
        (10, EventKind::LoginFailed, Actor::Service, Some(one.id)),
        (60, EventKind::AccountEnabled, by(one), Some(other.id)),
        (20, EventKind::PasswordChanged, by(one), Some(one.id)),
        (50, EventKind::LoginFailed, Actor::Service, Some(other.id)),
        (40, EventKind::KeyCreated, Actor::Operator, None),
        (70, EventKind::RoleDefined, by(one), None),
    ] {
        let id = EventId::new(after(seconds), &SeededEntropy::new(fixture.seed()));
        // If both orders were the same, a wrong one would pass.
        let plain =
            Event { id, at: after(-seconds), ..fixtures::event(fixture.seed(), kind, &session) };
        let event = Event { actor, user_id, session_id: None, ..plain };
        fixture.single().await.insert_event(&event).await.unwrap();
        events.push(event);
    }
    events.sort_by_key(|event| Reverse(event.id));
    events
}

promises! {
    __promises_ranges;


    async fn every_range_of_accounts_is_listed_page_by_page_in_its_order(fixture: StoreFixture) {
        let users = callers(&fixture).await;
        for range in ranges() {
            let expected = meant(&range, &users);
            for limit in [1, 2, 3, 8, 100] {
                let mut listed: Vec<User> = Vec::new();
                // A list that repeats itself is longer than expected, but the test ends.
                for _ in 0..10 {
                    let page = list(&fixture, &range, listed.last(), limit).await;
                    assert!(page.len() <= usize::try_from(limit).unwrap());
                    listed.extend(page);
                }
                assert_eq!(listed, expected, "{range:?}, {limit} at a time");
            }
            assert!(list(&fixture, &range, None, 0).await.is_empty());
        }
    }

    async fn names_and_addresses_are_in_the_order_of_their_bytes(fixture: StoreFixture) {
        callers(&fixture).await;
        let of_names = list(&fixture, &UserRange::Username("ann".to_owned()), None, 10).await;
        let names: Vec<_> = of_names.iter().map(|user| user.username.as_str()).collect();
        assert_eq!(names, ["ann-d", "Ann.c", "ann0", "ANN_b", "annA", "anne", "annex"]);
        let of_addresses = list(&fixture, &UserRange::Email(String::new()), None, 10).await;
        let locals: Vec<_> = of_addresses.iter().map(|user| user.email.local()).collect();
        assert_eq!(locals, LOCALS);
    }

    async fn a_prefix_means_itself(fixture: StoreFixture) {
        let users = callers(&fixture).await;
        for prefix in [
            "%", "_", "\\", "*", "?", "[a-z]", "'", "\"", "a%", "a_", "a*", "a?", "a\\", "a%b", "a_b",
            "ann_", "ann%", "ann.", "ann-", "ann\\", "é", "ü", "e", "\u{d7ff}", "\u{10ffff}",
            "ann\u{10ffff}", "a_b@example.org", "a_b@example.orgs", "annex", "annexe",
        ] {
            for range in
                [UserRange::Username(prefix.to_owned()), UserRange::Email(prefix.to_owned())]
            {
                let listed = list(&fixture, &range, None, 10).await;
                assert_eq!(listed, meant(&range, &users), "{range:?}");
            }
        }
    }

    async fn a_list_goes_on_after_an_account_that_is_gone(fixture: StoreFixture) {
        for range in [
            UserRange::All,
            UserRange::Role(role()),
            UserRange::Disabled,
            UserRange::Username(String::new()),
            UserRange::Email(String::new()),
        ] {
            let users = callers(&fixture).await;
            let listed = list(&fixture, &range, None, 2).await;
            let last = listed.last().unwrap();
            assert!(fixture.single().await.delete_user(last.id).await.unwrap());
            let rest = list(&fixture, &range, Some(last), 10).await;
            assert_eq!(Some(rest.as_slice()), meant(&range, &users).get(2..), "{range:?}");
            for user in &users {
                fixture.single().await.delete_user(user.id).await.unwrap();
            }
        }
    }

    async fn a_range_follows_what_is_changed(fixture: StoreFixture) {
        let user = fixture.user().await;
        assert!(list(&fixture, &UserRange::Disabled, None, 10).await.is_empty());
        fixture.single().await.set_user_disabled(user.id, true, after(5)).await.unwrap();
        let username = Username::parse("Zoe-2").unwrap();
        fixture.single().await.set_username(user.id, &username, after(5)).await.unwrap();
        let email = EmailAddress::parse("zoe@example.org").unwrap();
        fixture.set_email(user.id, &email, after(5)).await.unwrap();
        let changed = fixture.stored_user(&user).await;
        for range in [
            UserRange::Disabled,
            UserRange::Username("zoe-".to_owned()),
            UserRange::Email("zoe@".to_owned()),
        ] {
            let listed = list(&fixture, &range, None, 10).await;
            assert_eq!(listed.as_slice(), std::slice::from_ref(&changed), "{range:?}");
        }
        for range in
            [UserRange::Username(user.username.folded()), UserRange::Email("user-".to_owned())]
        {
            assert!(list(&fixture, &range, None, 10).await.is_empty(), "{range:?}");
        }
    }

    async fn every_range_of_events_is_listed_newest_first_page_by_page(fixture: StoreFixture) {
        let (one, other) = (fixture.user().await, fixture.user().await);
        let all = events(&fixture, &one, &other).await;
        for (range, count) in [
            (EventRange::All, 7),
            (EventRange::About(one.id), 3),
            (EventRange::About(other.id), 2),
            (EventRange::About(fixture.stranger().id), 0),
            (EventRange::CausedBy(one.id), 3),
            (EventRange::CausedBy(other.id), 1),
            (EventRange::CausedBy(fixture.stranger().id), 0),
            (EventRange::Named("login_failed"), 2),
            (EventRange::Named("login"), 0),
        ] {
            let meant = all.iter().filter(|event| range.contains(event));
            let expected: Vec<_> = meant.cloned().collect();
            assert_eq!(expected.len(), count);
            for limit in [1, 2, 3, 7, 100] {
                let mut listed: Vec<Event> = Vec::new();
                // A list that repeats itself is longer than expected, but the test ends.
                for _ in 0..9 {
                    let before = listed.last().map(|event| event.id);
                    let page = list_events(&fixture, range, (None, before), limit).await;
                    assert!(page.len() <= usize::try_from(limit).unwrap());
                    listed.extend(page);
                }
                assert_eq!(listed, expected, "{range:?}, {limit} at a time");
            }
            assert!(list_events(&fixture, range, (None, None), 0).await.is_empty());
        }
    }

    async fn events_are_listed_from_a_place_on_and_up_to_one(fixture: StoreFixture) {
        let (one, other) = (fixture.user().await, fixture.user().await);
        let all = events(&fixture, &one, &other).await;
        let by_one = all.iter().filter(|event| event.actor == Actor::User(one.id));
        let by_one: Vec<_> = by_one.cloned().collect();
        for (range, all) in [(EventRange::All, &all), (EventRange::CausedBy(one.id), &by_one)] {
            let newest_is_first = |index: usize| all.get(index).map(|event| event.id);
            for (since, before) in [(2, None), (2, Some(0)), (1, Some(1)), (2, Some(1))] {
                let bounds = (newest_is_first(since), before.and_then(newest_is_first));
                let first = before.map_or(0, |before| before + 1);
                let listed = list_events(&fixture, range, bounds, 10).await;
                let expected: Vec<_> = all.iter().take(since + 1).skip(first).cloned().collect();
                assert_eq!(listed, expected, "{range:?} from {since} up to {before:?}");
            }
        }
        let (since, before) = (after(20), after(50));
        let bounds = (EventId::before_all_at(since), EventId::before_all_at(before));
        let listed = list_events(&fixture, EventRange::All, (Some(bounds.0), Some(bounds.1)), 10).await;
        assert_eq!(Some(listed.as_slice()), all.get(3..6), "40, 30 and 20");
    }
}
