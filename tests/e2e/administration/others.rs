//! What a user without a permission learns about others, and what identifiers reveal: rows B3, E8
//! and S4.

use gateward_e2e::{Client, Database, TestResponse, on_both};
use serde_json::{Value, json};

use super::fixture::{AdminFixture, UNKNOWN, ask, id, path, tell};
use crate::support::responses::are_alike;

on_both!(
    b3_e8_without_the_permission_nobody_learns_who_there_is,
    b3_an_identifier_is_one_in_one_spelling,
    s4_a_session_is_one_of_its_own_account_alone,
);

/// The operations on one account.
const OPERATIONS: &[(&str, &str)] = &[
    ("GET", ""),
    ("PATCH", ""),
    ("DELETE", ""),
    ("POST", "/disable"),
    ("POST", "/enable"),
    ("POST", "/reset-password"),
    ("PUT", "/roles"),
    ("GET", "/sessions"),
    ("DELETE", "/sessions"),
    ("DELETE", "/sessions/00000000-0000-7000-8000-000000000002"),
];

/// Sends a request, with a body where the operation takes one.
async fn act(client: &Client, who: &TestResponse, (method, path): (&str, &str)) -> TestResponse {
    match method {
        "PATCH" => tell(client, who, (method, path), &json!({"username": "mallory"})).await,
        "PUT" => tell(client, who, (method, path), &json!({"roles": []})).await,
        _ => ask(client, who, method, path).await,
    }
}

/// Rows B3 and E8: the error is the same for existing and for unknown accounts.
async fn b3_e8_without_the_permission_nobody_learns_who_there_is(kind: Database) {
    let fixture = AdminFixture::start(kind).await;
    let AdminFixture { one, other, grace, pair } = &fixture;
    let ada = one.begin("ada").await;
    let bob = other.begin("bob").await;
    for (method, rest) in OPERATIONS {
        let unknown = act(one, &bob, (method, &format!("/users/{UNKNOWN}{rest}"))).await;
        unknown.is(403, "forbidden");
        for id in [id(&ada), id(grace), id(&bob), "x", "%00"] {
            for client in [one, other] {
                let refused = act(client, &bob, (method, &format!("/users/{id}{rest}"))).await;
                are_alike(&refused, &unknown);
            }
        }
    }
    let look = ask(one, &bob, "GET", "/users?q=nobody").await;
    look.is(403, "forbidden");
    for query in ["", "?q=ada", "?q=ada@example.org", "?role=admin", "?limit=0", "?weather=1"] {
        are_alike(&ask(other, &bob, "GET", &format!("/users{query}")).await, &look);
    }
    let invite = async |body: Value| tell(one, &bob, ("POST", "/users"), &body).await;
    let free = invite(json!({"username": "carol", "email": "carol@example.org"})).await;
    free.is(403, "forbidden");
    for body in [
        json!({"username": "ada", "email": "carol@example.org"}),
        json!({"username": "carol", "email": "ada@example.org"}),
        json!({"username": "carol", "email": "carol@example.org", "roles": ["admin"]}),
        json!({"weather": 1}),
    ] {
        are_alike(&invite(body).await, &free);
    }
    // No account has changed.
    for somebody in [&ada, &bob, grace] {
        pair.is_alive(somebody).await;
        assert_eq!(other.me(somebody.access()).await.body, somebody.body["user"]);
    }
}

/// Row B3: an identifier in any other spelling than that of responses finds no account, even for an
/// administrator.
async fn b3_an_identifier_is_one_in_one_spelling(kind: Database) {
    let fixture = AdminFixture::start(kind).await;
    let AdminFixture { one, other, grace, pair } = &fixture;
    let ada = one.begin("ada").await;
    let own = id(&ada);
    for (method, rest) in OPERATIONS {
        let unknown = act(one, grace, (method, &format!("/users/{UNKNOWN}{rest}"))).await;
        unknown.is(404, "not_found");
        for spelled in [
            own.to_uppercase(),
            own.replace('-', ""),
            format!("{{{own}}}"),
            format!("urn:uuid:{own}"),
            format!("%20{own}"),
            format!("{own}%00"),
            "ada".to_owned(),
            "ada@example.org".to_owned(),
            "me".to_owned(),
        ] {
            let refused = act(other, grace, (method, &format!("/users/{spelled}{rest}"))).await;
            are_alike(&refused, &unknown);
        }
    }
    pair.is_alive(&ada).await;
    assert_eq!(ask(other, grace, "GET", &path(&ada)).await.body, ada.body["user"]);
}

/// Row S4: a request to end a session names account and session, and both must match.
async fn s4_a_session_is_one_of_its_own_account_alone(kind: Database) {
    let fixture = AdminFixture::start(kind).await;
    let AdminFixture { one, other, pair, .. } = &fixture;
    let mia = fixture.holder("guard", &["sessions:end", "sessions:read"]).await;
    let [ada, bob] = [one.begin("ada").await, other.begin("bob").await];
    let sid = ada.text_of("session_id");
    let end = async |client: &Client, who: &TestResponse, sid: &str| {
        ask(client, &mia, "DELETE", &format!("{}/sessions/{sid}", path(who))).await
    };
    let unknown = end(one, &bob, UNKNOWN).await;
    unknown.is(404, "not_found");
    let spelled = [
        sid.to_owned(),
        sid.to_uppercase(),
        format!("{sid}0"),
        format!("%20{sid}"),
        "x".to_owned(),
    ];
    for sid in &spelled {
        are_alike(&end(other, &bob, sid).await, &unknown);
    }
    for sid in &spelled[1..] {
        are_alike(&end(other, &ada, sid).await, &unknown);
    }
    pair.is_alive(&ada).await;

    let list = format!("{}/sessions", path(&ada));
    let seen = ask(other, &mia, "GET", &list).await;
    assert_eq!(seen.body["items"].as_array().map(Vec::len), Some(1), "{seen:?}");
    let item = &seen.body["items"][0];
    assert_eq!((item["id"].as_str(), &item["current"]), (Some(sid), &json!(false)));
    for client in [one, other] {
        assert_eq!(end(client, &ada, sid).await.status, 204);
    }
    pair.has_ended("ended_by_admin", &[&ada]).await;
    assert_eq!(ask(one, &mia, "GET", &list).await.body["items"], json!([]));
    pair.is_alive(&bob).await;
}
