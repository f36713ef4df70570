//! Promises about paginated lists: the sessions and the events of an account.

use gateward_domain::{Actor, Event, EventId, EventKind, Session, SessionId, Timestamp, User};

use super::StoreFixture;
use super::fixture::{after, logout_after};
use crate::{SeededEntropy, fixtures};

/// The times of the rows in the order of writing, which differs from that of the identifiers.
const SECONDS: [i64; 7] = [40, 10, 70, 30, 60, 20, 50];

/// One session of the user per time, ordered by identifier.
async fn sessions(fixture: &StoreFixture, user: &User) -> Vec<Session> {
    let mut sessions = Vec::new();
    for seconds in SECONDS {
        let id = SessionId::new(after(seconds), &SeededEntropy::new(fixture.seed()));
        // If both orders were the same, a wrong one would pass.
        let session = Session { id, created_at: after(-seconds), ..fixture.draft(user) };
        fixture.add_session(&session).await;
        sessions.push(session);
    }
    sessions.sort_by_key(|session| session.id);
    sessions
}

/// One event about the user per time, ordered by identifier.
async fn events(fixture: &StoreFixture, user: &User) -> Vec<Event> {
    let session = fixture.draft(user);
    let mut events = Vec::new();
    for seconds in SECONDS {
        let id = EventId::new(after(seconds), &SeededEntropy::new(fixture.seed()));
        let plain = fixtures::event(fixture.seed(), EventKind::EmailChanged, &session);
        let event = Event { id, at: after(-seconds), session_id: None, ..plain };
        fixture.single().await.insert_event(&event).await.unwrap();
        events.push(event);
    }
    events.sort_by_key(|event| event.id);
    events
}

promises! {
    __promises_pages;


    async fn the_sessions_of_a_user_are_listed_page_by_page(fixture: StoreFixture) {
        let (user, other) = (fixture.user().await, fixture.user().await);
        let expected = sessions(&fixture, &user).await;
        sessions(&fixture, &other).await;
        for limit in [1, 2, 3, 7, 100] {
            let (mut listed, mut last) = (Vec::new(), None);
            // A list that repeats itself is longer than expected, but the test ends.
            for _ in 0..9 {
                let mut tx = fixture.read().await;
                let page = tx.list_user_sessions(user.id, last, limit).await.unwrap();
                assert!(page.len() <= usize::try_from(limit).unwrap());
                let Some(session) = page.last() else { break };
                last = Some(session.id);
                listed.extend(page);
            }
            assert_eq!(listed, expected, "{limit} at a time");
        }
        let none = fixture.read().await.list_user_sessions(user.id, None, 0).await.unwrap();
        assert!(none.is_empty());
    }

    async fn sessions_that_are_over_are_listed_with_the_others(fixture: StoreFixture) {
        // The account need not exist.
        let user = fixture.stranger();
        let (ended, idle) = (fixture.session_of(&user).await, fixture.draft(&user));
        fixture.end(ended.id, logout_after(5)).await;
        let idle = Session { lifetime_ends_at: after(-5), ..idle };
        fixture.add_session(&idle).await;
        let mut expected = [fixture.stored_session(ended.id).await, idle];
        expected.sort_by_key(|session| session.id);
        let listed = fixture.read().await.list_user_sessions(user.id, None, 10).await.unwrap();
        assert_eq!(listed, expected);
        let nobody = fixture.stranger().id;
        assert!(fixture.read().await.list_user_sessions(nobody, None, 10).await.unwrap().is_empty());
    }

    async fn the_active_sessions_of_a_user_are_listed_page_by_page(fixture: StoreFixture) {
        let (user, other) = (fixture.user().await, fixture.user().await);
        let mut expected = sessions(&fixture, &user).await;
        sessions(&fixture, &other).await;
        // An ended session comes before, between and after the others.
        for index in [6, 3, 0] {
            fixture.end(expected.remove(index).id, logout_after(5)).await;
        }
        for limit in [1, 2, 4, 100] {
            let (mut listed, mut last) = (Vec::new(), None);
            // A list that repeats itself is longer than expected, but the test ends.
            for _ in 0..6 {
                let mut tx = fixture.read().await;
                let now = after(60);
                let page = tx.list_active_sessions(user.id, now, last, limit).await.unwrap();
                assert!(page.len() <= usize::try_from(limit).unwrap());
                let Some(session) = page.last() else { break };
                last = Some(session.id);
                listed.extend(page);
            }
            assert_eq!(listed, expected, "{limit} at a time");
        }
        let mut tx = fixture.read().await;
        assert!(tx.list_active_sessions(user.id, after(60), None, 0).await.unwrap().is_empty());
    }

    async fn a_session_whose_time_ran_out_is_not_listed_among_the_active(fixture: StoreFixture) {
        // The account need not exist.
        let user = fixture.stranger();
        let mut idle = fixture.draft(&user);
        idle.refresh_state.expires_at = after(60);
        let over = Session { lifetime_ends_at: after(60), ..fixture.draft(&user) };
        let ended = Session { ended: Some(logout_after(90)), ..fixture.draft(&user) };
        let active = fixture.draft(&user);
        for session in [&idle, &over, &ended, &active] {
            fixture.add_session(session).await;
        }
        let mut before = [idle, over, active.clone()];
        before.sort_by_key(|session| session.id);
        let last = Timestamp::from_micros(after(60).micros() - 1);
        for (now, expected) in [(last, before.as_slice()), (after(60), &[active])] {
            let mut tx = fixture.read().await;
            let listed = tx.list_active_sessions(user.id, now, None, 10).await.unwrap();
            assert_eq!(listed, expected);
        }
    }

    async fn the_events_about_a_user_are_listed_page_by_page(fixture: StoreFixture) {
        let (user, other) = (fixture.user().await, fixture.user().await);
        let expected = events(&fixture, &user).await;
        events(&fixture, &other).await;
        for limit in [1, 2, 3, 7, 100] {
            let (mut listed, mut last) = (Vec::new(), None);
            // A list that repeats itself is longer than expected, but the test ends.
            for _ in 0..9 {
                let mut tx = fixture.read().await;
                let page = tx.list_user_events(user.id, last, limit).await.unwrap();
                assert!(page.len() <= usize::try_from(limit).unwrap());
                let Some(event) = page.last() else { break };
                last = Some(event.id);
                listed.extend(page);
            }
            assert_eq!(listed, expected, "{limit} at a time");
        }
        let none = fixture.read().await.list_user_events(user.id, None, 0).await.unwrap();
        assert!(none.is_empty());
    }

    async fn an_event_is_listed_with_the_account_that_it_is_about(fixture: StoreFixture) {
        let (user, admin) = (fixture.user().await, fixture.user().await);
        let session = fixture.session_of(&user).await;
        let plain = fixtures::event(fixture.seed(), EventKind::AccountDisabled, &session);
        let by_admin = Event { actor: Actor::User(admin.id), ..plain };
        let plain = fixtures::event(fixture.seed(), EventKind::EmailFailed, &session);
        let about_nobody = Event { user_id: None, ..plain };
        for event in [&by_admin, &about_nobody] {
            fixture.single().await.insert_event(event).await.unwrap();
        }
        let listed = fixture.read().await.list_user_events(user.id, None, 10).await.unwrap();
        assert_eq!(listed, [by_admin]);
        assert!(fixture.read().await.list_user_events(admin.id, None, 10).await.unwrap().is_empty());
    }
}
