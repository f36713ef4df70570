//! What roles grant, when they take effect, and who may grant them: rows 8.3.2, B5 and B6.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gateward_e2e::{Database, TestResponse, claims, on_both};
use serde_json::json;

use super::fixture::{AdminFixture, ask, id, path, soon, tell};

on_both!(
    a8_3_2_a_role_counts_from_the_next_request_on_every_node,
    roles_are_kept_as_they_are_defined,
    b5_an_old_or_changed_token_gives_nothing,
    b6_nobody_gives_more_than_they_hold,
    b6_nobody_acts_on_somebody_who_holds_more,
);

/// Row 8.3.2: granting, redefining and revoking. The token shows it after the next refresh.
async fn a8_3_2_a_role_counts_from_the_next_request_on_every_node(kind: Database) {
    let fixture = AdminFixture::start(kind).await;
    let AdminFixture { one, other, grace, .. } = &fixture;
    let ada = one.begin("ada").await;
    let define = async |permissions: &[&str]| {
        let role = json!({ "permissions": permissions });
        let response = fixture.tell(grace, "PUT", "/roles/support", &role).await;
        assert!(response.status.is_success(), "{response:?}");
    };
    let opens = async |path: &str, status: u16| {
        // The node that handled the request knows at once, the other one within a moment.
        assert_eq!(ask(one, &ada, "GET", path).await.status, status, "{path}");
        soon(other, &ada, path, status).await;
    };
    define(&["users:read"]).await;
    opens("/users", 403).await;
    fixture.grant(&ada, &["support"]).await;
    opens("/users", 200).await;
    opens("/roles", 403).await;
    define(&["roles:read"]).await;
    opens("/users", 403).await;
    opens("/roles", 200).await;
    define(&[]).await;
    opens("/roles", 403).await;
    define(&["users:read", "roles:read"]).await;
    opens("/roles", 200).await;

    // The claims of a token are from when it was issued.
    let told = |pair: &TestResponse| {
        let claims = claims(pair.access());
        (claims["roles"].clone(), claims["permissions"].clone())
    };
    assert_eq!(told(&ada), (json!(["user"]), json!([])));
    let next = other.refresh(ada.refresh_token(), None).await;
    let expected = (json!(["support", "user"]), json!(["roles:read", "users:read"]));
    assert_eq!(told(&next), expected);
    fixture.grant(&ada, &[]).await;
    opens("/users", 403).await;
    opens("/roles", 403).await;
    assert_eq!(ask(one, &next, "GET", "/roles").await.status, 403);
    let last = other.refresh(next.refresh_token(), None).await;
    assert_eq!(told(&last), (json!(["user"]), json!([])));
}

async fn roles_are_kept_as_they_are_defined(kind: Database) {
    let fixture = AdminFixture::start(kind).await;
    let AdminFixture { one, other, grace, .. } = &fixture;
    let support = json!({"permissions": ["users:read", "sessions:read", "users:read"]});
    let kept = json!({
        "name": "support", "permissions": ["sessions:read", "users:read"], "built_in": false,
    });
    let made = fixture.tell(grace, "PUT", "/roles/support", &support).await;
    assert_eq!((made.status.as_u16(), &made.body), (201, &kept));
    let again = fixture.tell(grace, "PUT", "/roles/support", &support).await;
    assert_eq!((again.status.as_u16(), &again.body), (200, &kept));
    assert_eq!(ask(other, grace, "GET", "/roles/support").await.body, kept);
    let all = ask(other, grace, "GET", "/roles").await.body;
    let names: Vec<_> = all["items"].as_array().unwrap().iter().map(|role| &role["name"]).collect();
    assert_eq!(names, ["admin", "support", "user"]);

    for (path, body, field) in [
        ("/roles/admin", json!({"permissions": []}), "name"),
        ("/roles/user", json!({"permissions": ["users:read"]}), "name"),
        ("/roles/Support", json!({"permissions": []}), "name"),
        ("/roles/x", json!({"permissions": ["weather:make"]}), "permissions"),
        ("/roles/x", json!({}), "permissions"),
        ("/roles/x", json!({"permissions": [], "name": "y"}), "name"),
    ] {
        let refused = fixture.tell(grace, "PUT", path, &body).await;
        refused.is(422, "validation_failed");
        assert_eq!(refused.fields(), [field], "{path} {body}");
    }
    ask(one, grace, "DELETE", "/roles/admin").await.is(422, "validation_failed");
    ask(one, grace, "GET", "/roles/x").await.is(404, "not_found");

    let ada = one.begin("ada").await;
    let unknown = json!({"roles": ["nobodys"]});
    let path = format!("{}/roles", path(&ada));
    fixture.tell(grace, "PUT", &path, &unknown).await.is(422, "validation_failed");
    fixture.grant(&ada, &["support"]).await;
    ask(other, grace, "DELETE", "/roles/support").await.is(409, "role_in_use");
    fixture.grant(&ada, &[]).await;
    assert_eq!(ask(other, grace, "DELETE", "/roles/support").await.status, 204);
    ask(one, grace, "GET", "/roles/support").await.is(404, "not_found");
    ask(one, grace, "DELETE", "/roles/support").await.is(404, "not_found");
}

/// Row B5: the token of a former administrator keeps its claims without effect, and a token with
/// other roles is invalid.
async fn b5_an_old_or_changed_token_gives_nothing(kind: Database) {
    let fixture = AdminFixture::start(kind).await;
    let AdminFixture { one, other, .. } = &fixture;
    let bob = fixture.administrator("bob").await;
    assert_eq!(claims(bob.access())["roles"], json!(["admin", "user"]));
    soon(one, &bob, "/audit", 200).await;
    soon(other, &bob, "/audit", 200).await;
    fixture.grant(&bob, &[]).await;
    ask(one, &bob, "GET", "/audit").await.is(403, "forbidden");
    soon(other, &bob, "/audit", 403).await;
    let myself = json!({"roles": ["admin"]});
    for client in [one, other] {
        let path = format!("{}/roles", path(&bob));
        tell(client, &bob, ("PUT", &path), &myself).await.is(403, "forbidden");
    }

    let next = other.refresh(bob.refresh_token(), None).await;
    let mut said = claims(next.access());
    assert_eq!(said["roles"], json!(["user"]));
    said["roles"] = json!(["admin", "user"]);
    said["permissions"] = claims(bob.access())["permissions"].clone();
    let payload = URL_SAFE_NO_PAD.encode(said.to_string());
    let [header, _, signature] =
        next.access().split('.').collect::<Vec<_>>().try_into().expect("three parts");
    let old = bob.access().rsplit('.').next().unwrap();
    for signature in [signature, old, ""] {
        let forged = format!("{header}.{payload}.{signature}");
        for client in [one, other] {
            let request = client.request("GET".parse().unwrap(), "/v1/audit");
            client.send(request.bearer_auth(&forged)).await.is(401, "invalid_token");
        }
    }
}

/// Row B6: neither to others nor to oneself, in any way.
async fn b6_nobody_gives_more_than_they_hold(kind: Database) {
    let fixture = AdminFixture::start(kind).await;
    let AdminFixture { one, other, grace, .. } = &fixture;
    let bob = one.begin("bob").await;
    let all = ["roles:grant", "roles:read", "roles:write", "users:read", "users:write"];
    let mia = fixture.holder("manager", &all).await;
    for (role, permissions) in [("auditor", json!(["audit:read"])), ("tester", json!([]))] {
        let body = json!({ "permissions": permissions });
        let made = fixture.tell(grace, "PUT", &format!("/roles/{role}"), &body).await;
        assert_eq!(made.status, 201, "{made:?}");
    }
    let roles = |whose: &TestResponse| format!("{}/roles", path(whose));
    let [own, bobs] = [roles(&mia), roles(&bob)];
    let invited =
        |role: &str| json!({"username": "newcomer", "email": "new@example.org", "roles": [role]});
    for (method, path, body) in [
        ("PUT", own.as_str(), json!({"roles": ["manager", "admin"]})),
        ("PUT", &own, json!({"roles": ["manager", "auditor"]})),
        ("PUT", &bobs, json!({"roles": ["admin"]})),
        ("PUT", &bobs, json!({"roles": ["manager", "auditor"]})),
        // A role without permissions here may grant some elsewhere.
        ("PUT", &bobs, json!({"roles": ["tester"]})),
        ("PUT", "/roles/manager", json!({"permissions": ["audit:read"]})),
        ("PUT", "/roles/auditor", json!({"permissions": []})),
        ("PUT", "/roles/new", json!({"permissions": ["users:read", "sessions:end"]})),
        ("DELETE", "/roles/auditor", json!(null)),
        ("POST", "/users", invited("admin")),
        ("POST", "/users", invited("tester")),
    ] {
        for client in [one, other] {
            let refused = if body.is_null() {
                ask(client, &mia, method, path).await
            } else {
                tell(client, &mia, (method, path), &body).await
            };
            assert_eq!(refused.status, 403, "{path} {body}: {refused:?}");
            refused.is(403, "forbidden");
        }
    }
    // A plain user may not even do what a manager may.
    for path in [roles(&bob), own.clone()] {
        let refused = fixture.tell(&bob, "PUT", &path, &json!({"roles": ["manager"]})).await;
        refused.is(403, "forbidden");
    }
    for somebody in [&mia, &bob] {
        let held = ask(other, grace, "GET", &path(somebody)).await.body["roles"].clone();
        let expected =
            if id(somebody) == id(&mia) { json!(["manager", "user"]) } else { json!(["user"]) };
        assert_eq!(held, expected);
    }
    assert_eq!(ask(other, grace, "GET", "/users?q=newcomer").await.body["items"], json!([]));
    let manager = ask(other, grace, "GET", "/roles/manager").await.body;
    assert_eq!(manager["permissions"], json!(all));

    // Permissions that she holds she can grant and revoke.
    assert_eq!(fixture.tell(&mia, "PUT", &bobs, &json!({"roles": ["manager"]})).await.status, 200);
    soon(other, &bob, "/users", 200).await;
    assert_eq!(fixture.tell(&mia, "PUT", &own, &json!({"roles": []})).await.status, 200);
    fixture.tell(&mia, "PUT", &own, &json!({"roles": ["manager"]})).await.is(403, "forbidden");
}

/// Row B6: the permission to write accounts does not cover the account of an administrator.
async fn b6_nobody_acts_on_somebody_who_holds_more(kind: Database) {
    let fixture = AdminFixture::start(kind).await;
    let AdminFixture { one, other, grace, .. } = &fixture;
    let all = ["roles:grant", "sessions:end", "sessions:read", "users:read", "users:write"];
    let mia = fixture.holder("manager", &all).await;
    let aud = fixture.holder("auditor", &["audit:read"]).await;
    for above in [grace, &aud] {
        let path = path(above);
        let session = format!("{path}/sessions/{}", above.text_of("session_id"));
        for (method, path, body) in [
            ("PATCH", path.clone(), Some(json!({"username": "renamed"}))),
            ("PUT", format!("{path}/roles"), Some(json!({"roles": []}))),
            ("POST", format!("{path}/disable"), None),
            ("POST", format!("{path}/enable"), None),
            ("POST", format!("{path}/reset-password"), None),
            ("DELETE", format!("{path}/sessions"), None),
            ("DELETE", session, None),
            ("DELETE", path.clone(), None),
        ] {
            for client in [one, other] {
                let refused = match &body {
                    Some(body) => tell(client, &mia, (method, &path), body).await,
                    None => ask(client, &mia, method, &path).await,
                };
                assert_eq!(refused.status, 403, "{method} {path}: {refused:?}");
                refused.is(403, "forbidden");
            }
        }
        fixture.pair.is_alive(above).await;
        let seen = ask(other, &mia, "GET", &path).await.body;
        assert_eq!(seen["username"], above.body["user"]["username"]);
        let role = if id(above) == id(grace) { "admin" } else { "auditor" };
        assert_eq!((&seen["disabled"], &seen["roles"]), (&json!(false), &json!([role, "user"])));
    }
    // She may administer the others.
    let bob = one.begin("bob").await;
    assert_eq!(ask(other, &mia, "DELETE", &format!("{}/sessions", path(&bob))).await.status, 204);
    fixture.pair.has_ended("ended_by_admin", &[&bob]).await;
}
