//! Promises about events: every kind is stored completely, and returned in the order in which they
//! happened.

use gateward_domain::{Actor, Event, EventKind};

use super::fixture::after;
use crate::fixtures::event;

promises! {
    __promises_events;


    async fn every_kind_of_event_comes_back(fixture: StoreFixture) {
        let session = fixture.session().await;
        let mut written = Vec::new();
        for (seconds, kind) in (0..).zip(EventKind::all()) {
            let event = Event { at: after(seconds), ..event(fixture.seed(), kind, &session) };
            fixture.single().await.insert_event(&event).await.unwrap();
            written.push(event);
        }
        let found = fixture.read().await.list_session_events(session.id, 1000).await.unwrap();
        assert_eq!(found, written);
    }

    async fn every_field_of_an_event_comes_back(fixture: StoreFixture) {
        let session = fixture.session().await;
        let admin = fixture.user().await;
        let mut written = Vec::new();
        for (seconds, (actor, user_id, ip)) in (0..).zip([
            (Actor::User(session.user_id), Some(session.user_id), Some("192.0.2.1")),
            (Actor::User(admin.id), Some(session.user_id), Some("2001:db8::7:1")),
            (Actor::Operator, Some(session.user_id), Some("::ffff:192.0.2.1")),
            (Actor::Service, None, None),
        ]) {
            let plain = event(fixture.seed(), EventKind::SessionStarted, &session);
            let ip = ip.map(|ip| ip.parse().unwrap());
            // The actor may be deleted, and so may their session.
            let actor_session_id = user_id.map(|_| fixture.draft(&admin).id);
            let detail = ip.map(|_| "rôle \"a\", 'b'; -- \u{1f980}".to_owned());
            let plain = Event { actor_session_id, detail, ..plain };
            let event = Event { at: after(seconds), actor, user_id, ip, ..plain };
            fixture.single().await.insert_event(&event).await.unwrap();
            written.push(event);
        }
        let found = fixture.read().await.list_session_events(session.id, 10).await.unwrap();
        assert_eq!(found, written);
    }

    async fn an_event_needs_no_session(fixture: StoreFixture) {
        let session = fixture.session().await;
        let plain = event(fixture.seed(), EventKind::KeyCreated, &session);
        let event = Event { actor: Actor::Service, user_id: None, session_id: None, ..plain };
        fixture.single().await.insert_event(&event).await.unwrap();
        let found = fixture.read().await.list_session_events(session.id, 10).await.unwrap();
        assert!(found.is_empty());
    }

    async fn the_events_of_a_session_are_listed_oldest_first(fixture: StoreFixture) {
        let (session, other) = (fixture.session().await, fixture.session().await);
        for of in [&session, &other] {
            for seconds in [30, 10, 40, 20] {
                let plain = event(fixture.seed(), EventKind::Reauthenticated, of);
                let event = Event { at: after(seconds), ..plain };
                fixture.single().await.insert_event(&event).await.unwrap();
            }
        }
        for limit in [0, 1, 3, 4, 100] {
            let found = fixture.read().await.list_session_events(session.id, limit).await.unwrap();
            let times: Vec<_> = found.iter().map(|event| event.at).collect();
            let expected = [10, 20, 30, 40].map(after);
            let count = usize::try_from(limit).unwrap().min(4);
            assert_eq!(Some(times.as_slice()), expected.get(..count), "the oldest {limit}");
            assert!(found.iter().all(|event| event.session_id == Some(session.id)));
        }
    }
}
