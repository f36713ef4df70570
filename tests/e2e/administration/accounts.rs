//! Effects of administration on an account: rows B9, B10, S5 and S6.

use std::time::Duration;

use gateward_e2e::{Client, Database, PASSWORD, TestResponse, claims, on_both};
use reqwest::Method;
use serde_json::json;

use super::fixture::{AdminFixture, ask, id, login, path, soon, tell};
use crate::support::api::{CLIENT, CLIENT_SECRET, form, operations};
use crate::support::inbox::link_token;
use crate::support::password_reset::forgot;
use crate::support::post::OTHER;

on_both!(
    s5_an_account_that_is_disabled_gets_nothing_on_any_node,
    s6_an_account_that_is_deleted_leaves_nothing_to_the_next_of_its_name,
    b9_nobody_but_its_owner_chooses_a_password,
    b10_what_cannot_be_taken_back_wants_a_recent_password,
    a_name_is_changed_for_everybody_at_once,
);

/// The title of the password reset email.
const RESET: &str = "Reset your password";

/// Row S5: neither the tokens nor the password nor an older link work.
async fn s5_an_account_that_is_disabled_gets_nothing_on_any_node(kind: Database) {
    let fixture = AdminFixture::start_with(kind, &CLIENT).await;
    let AdminFixture { one, other, grace, pair } = &fixture;
    let ada = one.begin("ada").await;
    forgot(one, "ada@example.org").await;
    let link = link_token(&fixture.email("ada", RESET, 1).await).to_owned();
    let disable = format!("{}/disable", path(&ada));
    for client in [one, other] {
        let disabled = ask(client, grace, "POST", &disable).await;
        assert_eq!(disabled.status, 200, "{disabled:?}");
        assert_eq!(disabled.body["disabled"], true);
        client.me(ada.access()).await.is(401, "session_ended");
    }
    let is_out = async || {
        pair.has_ended("account_disabled", &[&ada]).await;
        for client in [one, other] {
            let shown = client.request(Method::POST, "/oauth/introspect");
            let shown = shown.basic_auth("api", Some(CLIENT_SECRET));
            let shown = form(shown, [("token", ada.access())].into_iter());
            assert_eq!(client.send(shown).await.body, json!({"active": false}));
            let reset = json!({"token": link, "new_password": OTHER});
            client.send(client.post("/v1/password/reset", &reset)).await.is(400, "invalid_link");
        }
    };
    is_out().await;
    for client in [one, other] {
        client.login("ada", PASSWORD).await.is(403, "account_disabled");
        client.login("ada", OTHER).await.is(401, "invalid_credentials");
        let listed = ask(client, grace, "GET", "/users?disabled=true").await.body;
        assert_eq!(listed["items"].as_array().map(Vec::len), Some(1));
        assert_eq!(listed["items"][0]["id"], id(&ada));
    }
    let enabled = ask(other, grace, "POST", &format!("{}/enable", path(&ada))).await;
    assert_eq!((enabled.status.as_u16(), &enabled.body["disabled"]), (200, &json!(false)));
    is_out().await;
    pair.is_alive(&login(one, "ada").await).await;
}

/// Row S6: a later owner of the username is a different account.
async fn s6_an_account_that_is_deleted_leaves_nothing_to_the_next_of_its_name(kind: Database) {
    let fixture = AdminFixture::start(kind).await;
    let AdminFixture { one, other, grace, pair } = &fixture;
    let ada = fixture.holder("helper", &["users:read"]).await;
    let old = ada.text_of("session_id");
    assert_eq!(ask(one, grace, "DELETE", &path(&ada)).await.status, 204);
    one.me(ada.access()).await.is(401, "session_ended");
    pair.has_ended("account_deleted", &[&ada]).await;
    for client in [one, other] {
        for method in ["GET", "DELETE"] {
            ask(client, grace, method, &path(&ada)).await.is(404, "not_found");
        }
        client.login("helper", PASSWORD).await.is(401, "invalid_credentials");
        let listed = ask(client, grace, "GET", "/users?role=helper").await.body;
        assert_eq!(listed["items"], json!([]));
    }
    fixture.email("helper", "Your account was deleted", 1).await;

    let next = other.begin("helper").await;
    assert_ne!(id(&next), id(&ada));
    assert_eq!(claims(next.access())["roles"], json!(["user"]));
    assert_eq!(next.body["user"]["email_verified"], false);
    pair.has_ended("account_deleted", &[&ada]).await;
    ask(one, &next, "GET", "/users").await.is(403, "forbidden");
    let export = ask(one, &next, "GET", "/me/export").await;
    assert!(!export.text.contains(old) && !export.text.contains(id(&ada)), "{export:?}");
}

/// Row B9: no operation sets another user's password. The alternative starts a reset.
async fn b9_nobody_but_its_owner_chooses_a_password(kind: Database) {
    let fixture = AdminFixture::start(kind).await;
    let AdminFixture { one, other, grace, pair } = &fixture;
    let ada = one.begin("ada").await;
    let (mut asked, sid) = (0, ada.text_of("session_id"));
    for operation in operations(one).await {
        let changes = [Method::POST, Method::PUT, Method::PATCH].contains(&operation.method);
        if !operation.path.starts_with("/v1/users") || !changes {
            continue;
        }
        for member in ["password", "new_password", "current_password", "password_hash"] {
            let mut body = operation.valid_body();
            body[member] = json!(OTHER);
            let path = operation.path.replace("{id}", id(&ada)).replace("{sid}", sid);
            let request = one.request(operation.method.clone(), &path).json(&body);
            let refused = one.send(request.bearer_auth(grace.access())).await;
            refused.is(422, "validation_failed");
            assert!(refused.fields().contains(&member), "{path}: {refused:?}");
            asked += 1;
        }
    }
    assert_eq!(asked, 6 * 4, "invite, rename, disable, enable, reset and roles");
    pair.is_alive(&ada).await;
    one.login("ada", OTHER).await.is(401, "invalid_credentials");

    let reset = format!("{}/reset-password", path(&ada));
    let sent = ask(other, grace, "POST", &reset).await;
    assert_eq!((sent.status.as_u16(), &sent.body), (202, &json!({"status": "email_sent"})));
    let link = link_token(&fixture.email("ada", RESET, 1).await).to_owned();
    assert!(!sent.text.contains(&link));
    pair.is_alive(&ada).await;
    login(other, "ada").await;
    let body = json!({"token": link, "new_password": OTHER});
    assert_eq!(one.send(one.post("/v1/password/reset", &body)).await.status, 204);
    pair.has_ended("password_reset", &[&ada]).await;
    assert_eq!(other.login("ada", OTHER).await.status, 200);
    other.login("ada", PASSWORD).await.is(401, "invalid_credentials");
}

/// Row B10: an unattended administrator screen cannot be used to destroy anything.
async fn b10_what_cannot_be_taken_back_wants_a_recent_password(kind: Database) {
    let fixture = AdminFixture::start_with(kind, &[("tokens.reauthentication_seconds", "6")]).await;
    let AdminFixture { one, other, grace, pair } = &fixture;
    let support = json!({"permissions": ["users:read"]});
    assert_eq!(fixture.tell(grace, "PUT", "/roles/support", &support).await.status, 201);
    let ada = one.begin("ada").await;
    tokio::time::sleep(Duration::from_millis(7_100)).await;
    let (path, sid) = (path(&ada), ada.text_of("session_id"));
    let new = |name: &str, roles: &[&str]| json!({"username": name, "email": format!("{name}@example.org"), "roles": roles});
    // A refresh does not confirm the password.
    let next = other.refresh(grace.refresh_token(), None).await;
    for (method, path, body) in [
        ("PUT", "/roles/support".to_owned(), Some(json!({"permissions": []}))),
        ("DELETE", "/roles/support".to_owned(), None),
        ("POST", "/users".to_owned(), Some(new("ivy", &["support"]))),
        ("PUT", format!("{path}/roles"), Some(json!({"roles": ["support"]}))),
        ("POST", format!("{path}/disable"), None),
        ("DELETE", format!("{path}/sessions/{sid}"), None),
        ("DELETE", format!("{path}/sessions"), None),
        ("DELETE", path.clone(), None),
    ] {
        for (client, who) in [(one, grace), (other, &next)] {
            let refused = match &body {
                Some(body) => tell(client, who, (method, &path), body).await,
                None => ask(client, who, method, &path).await,
            };
            refused.is(403, "reauthentication_required");
        }
    }
    pair.is_alive(&ada).await;
    assert_eq!(ask(one, grace, "GET", &path).await.body, ada.body["user"]);
    let role = ask(one, grace, "GET", "/roles/support").await.body;
    assert_eq!(role["permissions"], json!(["users:read"]));
    // A reversible action does not require it.
    let renamed = tell(one, grace, ("PATCH", &path), &json!({"username": "ada2"})).await;
    assert_eq!(renamed.status, 200, "{renamed:?}");
    assert_eq!(ask(one, grace, "POST", &format!("{path}/enable")).await.status, 200);
    assert_eq!(ask(one, grace, "POST", &format!("{path}/reset-password")).await.status, 202);
    assert_eq!(tell(one, grace, ("POST", "/users"), &new("joe", &["user"])).await.status, 201);

    let body = json!({"password": PASSWORD});
    let again = other.post_as(next.access(), "/v1/me/reauthenticate", &body).await;
    assert_eq!(again.status, 200, "{again:?}");
    let disabled = ask(one, &again, "POST", &format!("{path}/disable")).await;
    assert_eq!(disabled.status, 200, "{disabled:?}");
    pair.has_ended("account_disabled", &[&ada]).await;
}

async fn a_name_is_changed_for_everybody_at_once(kind: Database) {
    let fixture = AdminFixture::start(kind).await;
    let AdminFixture { one, other, grace, .. } = &fixture;
    let ada = one.begin("ada").await;
    one.begin("bob").await;
    let rename = async |client: &Client, body: serde_json::Value| -> TestResponse {
        tell(client, grace, ("PATCH", &path(&ada)), &body).await
    };
    rename(one, json!({"username": "BOB"})).await.is(409, "username_taken");
    for (body, field) in [
        (json!({"username": "a b"}), "username"),
        (json!({}), "username"),
        (json!({"username": "lovelace", "email": "x@example.org"}), "email"),
        (json!({"username": "lovelace", "roles": ["admin"]}), "roles"),
        (json!({"username": "lovelace", "disabled": true}), "disabled"),
        (json!({"username": "lovelace", "email_verified": true}), "email_verified"),
    ] {
        let refused = rename(other, body).await;
        refused.is(422, "validation_failed");
        assert_eq!(refused.fields(), [field]);
    }
    assert_eq!(other.me(ada.access()).await.body, ada.body["user"]);

    let renamed = rename(one, json!({"username": "Lovelace"})).await;
    assert_eq!((renamed.status.as_u16(), renamed.text_of("username")), (200, "Lovelace"));
    assert_eq!(one.me(ada.access()).await.body, renamed.body);
    for _ in 0..300 {
        if other.me(ada.access()).await.body == renamed.body {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(other.me(ada.access()).await.body, renamed.body);
    assert_eq!(soon(other, grace, &path(&ada), 200).await.body, renamed.body);
    fixture.email("ada", "Your username was changed", 1).await;
    login(other, "lovelace").await;
    other.login("ada", PASSWORD).await.is(401, "invalid_credentials");
}
