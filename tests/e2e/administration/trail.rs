//! `GET /audit`: who did what to whom, and what was denied: rows 16.2.1, 16.3.1 and 16.3.2.

use std::collections::BTreeSet;
use std::time::Duration;

use gateward_e2e::{Database, PASSWORD, TestResponse, on_both};
use serde_json::{Value, json};

use super::fixture::{AdminFixture, ask, id, path, tell};

on_both!(
    a16_2_1_an_event_tells_who_did_what_to_whom_from_where_and_in_which_session,
    a16_3_1_logins_that_fail_are_written_down,
    a16_3_2_what_is_refused_is_written_down,
    events_are_found_by_every_condition_and_by_pages,
);

/// The events that a filter matches.
type Meant<'a> = Box<dyn Fn(&Value) -> bool + 'a>;

/// A page of the trail.
async fn page(fixture: &AdminFixture, query: &str) -> Value {
    let page = ask(&fixture.other, &fixture.grace, "GET", &format!("/audit?{query}")).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert_eq!(page.header("cache-control"), Some("no-store"));
    page.body
}

/// All matching events, page by page.
async fn events(fixture: &AdminFixture, query: &str) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = page(fixture, &format!("{query}{cursor}")).await;
        all.extend(page["items"].as_array().unwrap().clone());
        match &page["next_cursor"] {
            Value::Null => return all,
            next => cursor = format!("&cursor={}", next.as_str().unwrap()),
        }
    }
}

/// The only event with this name about a user.
async fn only(fixture: &AdminFixture, whose: &TestResponse, name: &str) -> Value {
    let found = events(fixture, &format!("subject={}&event={name}", id(whose))).await;
    assert_eq!(found.len(), 1, "{name}: {found:#?}");
    found[0].clone()
}

/// Whether the events are in order, newest first: identifiers are ordered to the millisecond, texts
/// are compared to the second.
fn newest_first(events: &[Value]) -> bool {
    let key = |event: &Value| (second(event), event["id"].as_str().unwrap().to_owned());
    events.iter().map(key).is_sorted_by(|one, other| one > other)
}

fn second(event: &Value) -> String {
    event["at"].as_str().unwrap()[..19].to_owned()
}

/// Row 16.2.1: actions of an administrator, each with all its fields.
async fn a16_2_1_an_event_tells_who_did_what_to_whom_from_where_and_in_which_session(
    kind: Database,
) {
    let fixture = AdminFixture::start(kind).await;
    let AdminFixture { one, grace, .. } = &fixture;
    let role = json!({"permissions": ["users:read"]});
    assert_eq!(fixture.tell(grace, "PUT", "/roles/support", &role).await.status, 201);
    let ada = one.begin("ada").await;
    let path = path(&ada);
    let sid = ada.text_of("session_id");
    for (method, rest, body) in [
        ("PUT", "/roles".to_owned(), Some(json!({"roles": ["support"]}))),
        ("PATCH", String::new(), Some(json!({"username": "lovelace"}))),
        ("POST", "/reset-password".to_owned(), None),
        ("DELETE", format!("/sessions/{sid}"), None),
        ("POST", "/disable".to_owned(), None),
        ("POST", "/enable".to_owned(), None),
    ] {
        let path = format!("{path}{rest}");
        let done = match &body {
            Some(body) => tell(one, grace, (method, &path), body).await,
            None => ask(one, grace, method, &path).await,
        };
        assert!(done.status.is_success(), "{method} {path}: {done:?}");
    }
    for (name, more) in [
        ("roles_changed", json!({"detail": "roles=support,user before=user"})),
        ("username_changed", json!({})),
        ("reset_requested", json!({})),
        ("session_ended", json!({"reason": "ended_by_admin", "session_id": sid})),
        ("account_disabled", json!({})),
        ("account_enabled", json!({})),
    ] {
        let event = only(&fixture, &ada, name).await;
        let mut expected = json!({
            "id": event["id"], "at": event["at"], "event": name, "outcome": "success",
            "actor": {"kind": "user", "id": id(grace), "session_id": grace.body["session_id"]},
            "user_id": id(&ada), "ip": "127.0.0.1",
        });
        expected.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(event, expected);
        assert!(event["at"].as_str().unwrap().ends_with('Z'), "{event}");
    }
    let began = only(&fixture, &ada, "session_started").await;
    assert_eq!((&began["actor"]["id"], &began["session_id"]), (&json!(id(&ada)), &json!(sid)));
    let defined = events(&fixture, "event=role_defined").await;
    assert_eq!(defined.len(), 1, "{defined:#?}");
    assert_eq!(defined[0]["detail"], "role=support permissions=users:read before=");
    assert_eq!((defined[0].get("user_id"), &defined[0]["actor"]["id"]), (None, &json!(id(grace))));
    // No event contains personal data, except for the client's IP address.
    for event in events(&fixture, "").await {
        let text = event.to_string();
        // Identifiers may contain the username at random, but neither quotes nor an email address.
        assert!(!text.contains("\"ada") && !text.contains("ada@"), "{text}");
        assert!(!text.contains("lovelace"), "{text}");
    }
}

/// Row 16.3.1: a wrong password, and the right one of a disabled account.
async fn a16_3_1_logins_that_fail_are_written_down(kind: Database) {
    let fixture = AdminFixture::start(kind).await;
    let AdminFixture { one, other, grace, .. } = &fixture;
    let ada = one.begin("ada").await;
    for client in [one, other] {
        client.login("ada", "not her password").await.is(401, "invalid_credentials");
    }
    assert_eq!(ask(one, grace, "POST", &format!("{}/disable", path(&ada))).await.status, 200);
    other.login("ada", PASSWORD).await.is(403, "account_disabled");
    let about = events(&fixture, &format!("subject={}", id(&ada))).await;
    for (name, count) in [("login_failed", 2), ("login_refused", 1)] {
        let found: Vec<&Value> = about.iter().filter(|event| event["event"] == name).collect();
        assert_eq!(found.len(), count, "{name}: {about:#?}");
        for event in found {
            assert_eq!((&event["outcome"], &event["ip"]), (&json!("failure"), &json!("127.0.0.1")));
            assert_eq!(event["actor"]["kind"], "service", "who it was is not known: {event}");
        }
    }
    assert!(newest_first(&about) && about[0]["event"] == "login_refused", "{about:#?}");
    assert!(about.iter().all(|event| !event.to_string().contains("password")), "{about:#?}");
}

/// Row 16.3.2: also that a user tried to read the trail itself.
async fn a16_3_2_what_is_refused_is_written_down(kind: Database) {
    let fixture = AdminFixture::start(kind).await;
    let AdminFixture { one, other, grace, .. } = &fixture;
    let bob = one.begin("bob").await;
    let mia = fixture.holder("manager", &["roles:grant", "users:read", "users:write"]).await;
    ask(other, &bob, "GET", "/audit").await.is(403, "forbidden");
    let own = format!("{}/roles", path(&mia));
    let admin = json!({"roles": ["admin"]});
    tell(one, &mia, ("PUT", &own), &admin).await.is(403, "forbidden");
    ask(one, grace, "DELETE", "/me").await.is(409, "last_admin");
    ask(one, grace, "DELETE", &path(grace)).await.is(409, "last_admin");
    for (who, detail) in [(&bob, "audit:read"), (grace, "last administrator")] {
        let denied = events(&fixture, &format!("actor={}&event=access_denied", id(who))).await;
        assert_eq!(denied.len(), 1, "{denied:#?}");
        let event = &denied[0];
        let expected = json!({
            "id": event["id"], "at": event["at"], "event": "access_denied", "outcome": "failure",
            "actor": {"kind": "user", "id": id(who), "session_id": who.body["session_id"]},
            "detail": detail, "ip": "127.0.0.1",
        });
        assert_eq!(*event, expected);
    }
    let denied = events(&fixture, &format!("actor={}&event=access_denied", id(&mia))).await;
    assert_eq!(denied.len(), 1, "{denied:#?}");
}

async fn events_are_found_by_every_condition_and_by_pages(kind: Database) {
    let fixture = AdminFixture::start(kind).await;
    let AdminFixture { one, grace, .. } = &fixture;
    let [ada, bob] = [one.begin("ada").await, one.begin("bob").await];
    for user in [&ada, &bob] {
        for act in ["disable", "enable", "disable"] {
            let path = format!("{}/{act}", path(user));
            assert_eq!(ask(one, grace, "POST", &path).await.status, 200);
        }
        // Times are in whole seconds: this makes some of them differ.
        tokio::time::sleep(Duration::from_millis(1100)).await;
    }
    let all = events(&fixture, "limit=100").await;
    assert!(newest_first(&all), "{all:#?}");
    let ids = |events: &[Value]| -> Vec<String> {
        events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
    };
    for limit in [1, 3, 7] {
        assert_eq!(ids(&events(&fixture, &format!("limit={limit}")).await), ids(&all), "{limit}");
    }

    // Each filter, and all of them together, find exactly the matching events.
    let middle = all[0]["at"].as_str().unwrap().to_owned();
    let [graces, adas] = [id(grace), id(&ada)];
    let conditions: Vec<(String, Meant<'_>)> = vec![
        (format!("subject={adas}"), Box::new(|event| event["user_id"] == adas)),
        (format!("actor={graces}"), Box::new(|event| event["actor"]["id"] == graces)),
        ("event=account_disabled".into(), Box::new(|event| event["event"] == "account_disabled")),
    ];
    for bits in 1..8_usize {
        let chosen: Vec<_> = (0..3).filter(|bit| bits >> bit & 1 == 1).collect();
        let query: Vec<&str> = chosen.iter().map(|bit| conditions[*bit].0.as_str()).collect();
        let meant = |event: &&Value| chosen.iter().all(|bit| conditions[*bit].1(event));
        let expected: Vec<Value> = all.iter().filter(meant).cloned().collect();
        assert!(!expected.is_empty() && expected.len() < all.len(), "{query:?}");
        for limit in ["", "&limit=2"] {
            let found = events(&fixture, &format!("{}{limit}", query.join("&"))).await;
            assert_eq!(ids(&found), ids(&expected), "{query:?}");
        }
    }
    // A time divides the trail in two, and the parts do not overlap.
    let [before, after] = [
        events(&fixture, &format!("to={middle}")).await,
        events(&fixture, &format!("from={middle}&limit=2")).await,
    ];
    let both: BTreeSet<String> = ids(&before).into_iter().chain(ids(&after)).collect();
    assert_eq!((before.len() + after.len(), both.len()), (all.len(), all.len()));
    assert!(!before.is_empty() && !after.is_empty());
    assert!(before.iter().all(|event| second(event).as_str() <= &middle[..19]));
    assert!(after.iter().all(|event| second(event).as_str() >= &middle[..19]));

    for query in ["subject=x", "actor=ada", "event=weather", "from=yesterday", "to=1", "cursor=x"] {
        let refused = ask(one, grace, "GET", &format!("/audit?{query}")).await;
        refused.is(422, "validation_failed");
        assert_eq!(refused.fields(), [query.split('=').next().unwrap()]);
    }
}
