//! Promises about lists that are read page by page: the sessions and the events of an account.

use gateward_domain::{Actor, Event, EventId, EventKind, Session, SessionId, Timestamp, User};

use super::Stage;
use super::stage::{after, logout_after};
use crate::{SeededEntropy, fixtures};

/// The times of what is listed, in the order in which it is written: not that of the identifiers.
const SECONDS: [i64; 7] = [40, 10, 70, 30, 60, 20, 50];

/// Sessions of the user, one for each time, sorted by their identifiers.
async fn sessions(stage: &Stage, user: &User) -> Vec<Session> {
    let mut sessions = Vec::new();
    for seconds in SECONDS {
        let id = SessionId::new(after(seconds), &SeededEntropy::new(stage.seed()));
        // Of two orders that are alike, one would hide the other.
        let session = Session { id, created_at: after(-seconds), ..stage.draft(user) };
        stage.add_session(&session).await;
        sessions.push(session);
    }
    sessions.sort_by_key(|session| session.id);
    sessions
}

/// Events about the user, one for each time, sorted by their identifiers.
async fn events(stage: &Stage, user: &User) -> Vec<Event> {
    let session = stage.draft(user);
    let mut events = Vec::new();
    for seconds in SECONDS {
        let id = EventId::new(after(seconds), &SeededEntropy::new(stage.seed()));
        let plain = fixtures::event(stage.seed(), EventKind::EmailChanged, &session);
        let event = Event { id, at: after(-seconds), session_id: None, ..plain };
        stage.single().await.insert_event(&event).await.unwrap();
        events.push(event);
    }
    events.sort_by_key(|event| event.id);
    events
}

promises! {
    __promises_pages;


    async fn the_sessions_of_a_user_are_listed_page_by_page(stage: Stage) {
        let (user, other) = (stage.user().await, stage.user().await);
        let expected = sessions(&stage, &user).await;
        sessions(&stage, &other).await;
        for limit in [1, 2, 3, 7, 100] {
            let (mut listed, mut last) = (Vec::new(), None);
            // A list that goes in a circle is longer than it should be, and not endless.
            for _ in 0..9 {
                let mut tx = stage.read().await;
                let page = tx.list_user_sessions(user.id, last, limit).await.unwrap();
                assert!(page.len() <= usize::try_from(limit).unwrap());
                let Some(session) = page.last() else { break };
                last = Some(session.id);
                listed.extend(page);
            }
            assert_eq!(listed, expected, "{limit} at a time");
        }
        let none = stage.read().await.list_user_sessions(user.id, None, 0).await.unwrap();
        assert!(none.is_empty());
    }

    async fn sessions_that_are_over_are_listed_with_the_others(stage: Stage) {
        // The account need not be there.
        let user = stage.stranger();
        let (ended, idle) = (stage.session_of(&user).await, stage.draft(&user));
        stage.end(ended.id, logout_after(5)).await;
        let idle = Session { lifetime_ends_at: after(-5), ..idle };
        stage.add_session(&idle).await;
        let mut expected = [stage.stored_session(ended.id).await, idle];
        expected.sort_by_key(|session| session.id);
        let listed = stage.read().await.list_user_sessions(user.id, None, 10).await.unwrap();
        assert_eq!(listed, expected);
        let nobody = stage.stranger().id;
        assert!(stage.read().await.list_user_sessions(nobody, None, 10).await.unwrap().is_empty());
    }

    async fn the_living_sessions_of_a_user_are_listed_page_by_page(stage: Stage) {
        let (user, other) = (stage.user().await, stage.user().await);
        let mut expected = sessions(&stage, &user).await;
        sessions(&stage, &other).await;
        // One that is over stands before, amid and after the others.
        for index in [6, 3, 0] {
            stage.end(expected.remove(index).id, logout_after(5)).await;
        }
        for limit in [1, 2, 4, 100] {
            let (mut listed, mut last) = (Vec::new(), None);
            // A list that goes in a circle is longer than it should be, and not endless.
            for _ in 0..6 {
                let mut tx = stage.read().await;
                let now = after(60);
                let page = tx.list_living_sessions(user.id, now, last, limit).await.unwrap();
                assert!(page.len() <= usize::try_from(limit).unwrap());
                let Some(session) = page.last() else { break };
                last = Some(session.id);
                listed.extend(page);
            }
            assert_eq!(listed, expected, "{limit} at a time");
        }
        let mut tx = stage.read().await;
        assert!(tx.list_living_sessions(user.id, after(60), None, 0).await.unwrap().is_empty());
    }

    async fn a_session_whose_time_ran_out_is_not_listed_among_the_living(stage: Stage) {
        // The account need not be there.
        let user = stage.stranger();
        let mut idle = stage.draft(&user);
        idle.line.expires_at = after(60);
        let over = Session { lifetime_ends_at: after(60), ..stage.draft(&user) };
        let ended = Session { ended: Some(logout_after(90)), ..stage.draft(&user) };
        let living = stage.draft(&user);
        for session in [&idle, &over, &ended, &living] {
            stage.add_session(session).await;
        }
        let mut before = [idle, over, living.clone()];
        before.sort_by_key(|session| session.id);
        let last = Timestamp::from_micros(after(60).micros() - 1);
        for (now, expected) in [(last, before.as_slice()), (after(60), &[living])] {
            let mut tx = stage.read().await;
            let listed = tx.list_living_sessions(user.id, now, None, 10).await.unwrap();
            assert_eq!(listed, expected);
        }
    }

    async fn the_events_about_a_user_are_listed_page_by_page(stage: Stage) {
        let (user, other) = (stage.user().await, stage.user().await);
        let expected = events(&stage, &user).await;
        events(&stage, &other).await;
        for limit in [1, 2, 3, 7, 100] {
            let (mut listed, mut last) = (Vec::new(), None);
            // A list that goes in a circle is longer than it should be, and not endless.
            for _ in 0..9 {
                let mut tx = stage.read().await;
                let page = tx.list_user_events(user.id, last, limit).await.unwrap();
                assert!(page.len() <= usize::try_from(limit).unwrap());
                let Some(event) = page.last() else { break };
                last = Some(event.id);
                listed.extend(page);
            }
            assert_eq!(listed, expected, "{limit} at a time");
        }
        let none = stage.read().await.list_user_events(user.id, None, 0).await.unwrap();
        assert!(none.is_empty());
    }

    async fn an_event_is_listed_with_the_account_that_it_is_about(stage: Stage) {
        let (user, admin) = (stage.user().await, stage.user().await);
        let session = stage.session_of(&user).await;
        let plain = fixtures::event(stage.seed(), EventKind::AccountDisabled, &session);
        let by_admin = Event { actor: Actor::User(admin.id), ..plain };
        let plain = fixtures::event(stage.seed(), EventKind::LetterGivenUp, &session);
        let about_nobody = Event { user_id: None, ..plain };
        for event in [&by_admin, &about_nobody] {
            stage.single().await.insert_event(event).await.unwrap();
        }
        let listed = stage.read().await.list_user_events(user.id, None, 10).await.unwrap();
        assert_eq!(listed, [by_admin]);
        assert!(stage.read().await.list_user_events(admin.id, None, 10).await.unwrap().is_empty());
    }
}
