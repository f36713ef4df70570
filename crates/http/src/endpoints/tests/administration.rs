//! Tests of administration: permissions and their limits.

mod accounts;
mod fixture;
mod roles;
mod trail;

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use gateward_app::domain::Permission;
use gateward_app::domain::email::EmailKind;
use serde_json::{Value, json};

use self::fixture::{holder, request, send_as, send_json_as};
use crate::testing::{LoggedIn, PASSWORD, RECENT_SECONDS, TestApp, UNKNOWN_ID};

/// All operations of administration and their permissions. `ID` is replaced by a user ID.
const OPERATIONS: &[(&str, &str, Permission)] = &[
    ("GET", "/users", Permission::UsersRead),
    ("POST", "/users", Permission::UsersWrite),
    ("GET", "/users/ID", Permission::UsersRead),
    ("PATCH", "/users/ID", Permission::UsersWrite),
    ("DELETE", "/users/ID", Permission::UsersWrite),
    ("POST", "/users/ID/disable", Permission::UsersWrite),
    ("POST", "/users/ID/enable", Permission::UsersWrite),
    ("POST", "/users/ID/reset-password", Permission::UsersWrite),
    ("PUT", "/users/ID/roles", Permission::RolesGrant),
    ("GET", "/users/ID/sessions", Permission::SessionsRead),
    ("DELETE", "/users/ID/sessions", Permission::SessionsEnd),
    ("DELETE", "/users/ID/sessions/ID", Permission::SessionsEnd),
    ("GET", "/roles", Permission::RolesRead),
    ("GET", "/roles/weather", Permission::RolesRead),
    ("PUT", "/roles/weather", Permission::RolesWrite),
    ("DELETE", "/roles/weather", Permission::RolesWrite),
    ("GET", "/audit", Permission::AuditRead),
];

/// Row E8: without the permission the response is the same for every resource, and nothing is
/// looked up.
#[actix_web::test]
async fn e8_a_plain_user_learns_nothing_from_any_operation() {
    let test_app = TestApp::empty().await;
    let root = test_app.admin("root-1").await;
    let ada = test_app.user("ada").await;
    // No password confirmation is recent any more: the permission is checked first.
    test_app.clock.advance_seconds(RECENT_SECONDS);
    for (method, path, permission) in OPERATIONS {
        for id in [root.user_id.as_str(), UNKNOWN_ID, "x"] {
            let path = path.replace("ID", id);
            let response = test_app.send(request(method, &path)).await;
            assert_eq!(response.problem(), (401, "missing_token".to_owned()), "{method} {path}");
            let bent = ada.sends(request(method, &format!("{path}?x=1"))).set_payload("{");
            let response = test_app.send(bent).await;
            assert_eq!(response.problem(), (403, "forbidden".to_owned()), "{method} {path}");
            let wanted = format!(
                "You need the permission `{}`. Ask an administrator for it.",
                permission.as_str()
            );
            assert_eq!(response.json()["detail"], wanted.as_str(), "{method} {path}");
            assert!(response.header("www-authenticate").contains("insufficient_scope"));
        }
    }
    // The limit of audited denials is reached by now: the remaining work is the same for all.
    let mut work = BTreeSet::new();
    for (method, path, _) in OPERATIONS {
        for id in [root.user_id.as_str(), UNKNOWN_ID] {
            let before = test_app.transactions();
            send_as(&test_app, &ada, method, &path.replace("ID", id)).await;
            work.insert(test_app.transactions() - before);
        }
    }
    assert_eq!(work.len(), 1, "{work:?}");
}

/// Row B4: each permission allows its own operations and no other one.
#[actix_web::test]
async fn b4_a_permission_opens_its_operations_alone() {
    let test_app = TestApp::empty().await;
    let root = test_app.admin("root-1").await;
    for (index, permission) in Permission::ALL.iter().enumerate() {
        let one = [permission.as_str()];
        let caller = holder(&test_app, &root, &format!("only-{index}"), &one).await;
        for (method, path, wanted) in OPERATIONS {
            let path = path.replace("ID", UNKNOWN_ID);
            let response = send_as(&test_app, &caller, method, &path).await;
            let is_open = response.status != StatusCode::FORBIDDEN;
            assert_eq!(is_open, permission == wanted, "{one:?} {method} {path}: {}", response.text);
        }
    }
}

/// Row B6: administrators cannot assign what they do not have, to themselves or others, nor act on
/// users with more permissions.
#[actix_web::test]
async fn b6_nobody_reaches_above_themselves() {
    let test_app = TestApp::empty().await;
    let root = test_app.admin("root-1").await;
    let all_but_one: Vec<_> = Permission::ALL
        .iter()
        .filter(|it| **it != Permission::AuditRead)
        .map(|it| it.as_str())
        .collect();
    let eve = holder(&test_app, &root, "eve", &all_but_one).await;
    let rob = holder(&test_app, &root, "rob", &["users:read"]).await;
    holder(&test_app, &root, "auditor", &["audit:read"]).await;

    let roles = |who: &LoggedIn| format!("/users/{}/roles", who.user_id);
    let (own, robs, roots) = (roles(&eve), roles(&rob), roles(&root));
    let root_is = format!("/users/{}", root.user_id);
    let (disable, reset) = (format!("{root_is}/disable"), format!("{root_is}/reset-password"));
    let (sessions, session) =
        (format!("{root_is}/sessions"), format!("{root_is}/sessions/{}", root.session_id));
    let invited = json!({"username": "mallory", "email": "m@example.org", "roles": ["admin"]});
    for (method, path, body) in [
        ("PUT", own.as_str(), json!({"roles": ["admin", "eve"]})),
        ("PUT", &own, json!({"roles": ["auditor", "eve"]})),
        // They have the permissions of these roles, but not the roles.
        ("PUT", &own, json!({"roles": ["eve", "rob"]})),
        ("PUT", &robs, json!({"roles": ["admin"]})),
        ("PUT", &robs, json!({"roles": []})),
        ("PUT", &roots, json!({"roles": ["user"]})),
        ("PATCH", &root_is, json!({"username": "toor"})),
        ("DELETE", &root_is, json!({})),
        ("POST", &disable, json!({})),
        ("POST", &reset, json!({})),
        ("DELETE", &sessions, json!({})),
        ("DELETE", &session, json!({})),
        ("POST", "/users", invited),
        ("PUT", "/roles/eve", json!({"permissions": ["audit:read"]})),
        ("PUT", "/roles/auditor", json!({"permissions": []})),
        ("DELETE", "/roles/auditor", json!({})),
    ] {
        let response = send_json_as(&test_app, &eve, (method, path), body).await;
        assert_eq!(response.problem(), (403, "forbidden".to_owned()), "{method} {path}");
    }
    // They can assign their own roles.
    let response =
        send_json_as(&test_app, &eve, ("PUT", &robs), json!({"roles": ["eve", "rob"]})).await;
    assert_eq!(response.json()["roles"], json!(["eve", "rob", "user"]), "{}", response.text);
    assert_eq!(send_as(&test_app, &root, "GET", "/me").await.status, StatusCode::OK);
}

/// Row B9: no operation sets the password of another user; a reset only sends the email.
#[actix_web::test]
async fn b9_nobody_chooses_the_password_of_another() {
    let test_app = TestApp::empty().await;
    let root = test_app.admin("root-1").await;
    let ada = test_app.user("ada").await;
    let one = format!("/users/{}", ada.user_id);
    let other = |what: &str| format!("{one}/{what}");
    for (method, path, body) in [
        ("POST", "/users", json!({"username": "bob", "email": "bob@example.org"})),
        ("PATCH", &one, json!({"username": "lovelace"})),
        ("POST", &other("disable"), json!({})),
        ("POST", &other("enable"), json!({})),
        ("POST", &other("reset-password"), json!({})),
        ("PUT", &other("roles"), json!({"roles": []})),
    ] {
        for name in ["password", "new_password", "password_hash"] {
            let mut body = body.clone();
            body[name] = json!("another horse battery");
            let response = send_json_as(&test_app, &root, (method, path), body).await;
            let unknown = (name.to_owned(), "unknown_field".to_owned());
            assert_eq!(response.field_errors(), [unknown], "{method} {path}");
        }
    }
    assert_eq!(test_app.store.users().len(), 2);

    let response = send_as(&test_app, &root, "POST", &other("reset-password")).await;
    assert_eq!(response.status, StatusCode::ACCEPTED);
    assert_eq!(response.json(), json!({ "status": "email_sent" }));
    let emails = test_app.store.outbox_emails();
    let resets: Vec<_> = emails.iter().filter(|it| it.kind == EmailKind::ForgotPassword).collect();
    assert_eq!(resets.len(), 1);
    assert_eq!(resets[0].recipient.as_str(), "ada@example.org");
    test_app.log_in("ada", "First/1").await;
    assert_eq!(send_as(&test_app, &ada, "GET", "/me").await.status, StatusCode::OK);
}

/// Row B10: irreversible operations need a recent password confirmation, which is checked before
/// the request is read; reversible ones do not.
#[actix_web::test]
async fn b10_sensitive_acts_want_the_password_of_late() {
    let test_app = TestApp::empty().await;
    let root = test_app.admin("root-1").await;
    let ada = test_app.user("ada").await;
    test_app.clock.advance_seconds(RECENT_SECONDS);
    let one = format!("/users/{}", ada.user_id);
    for id in [ada.user_id.as_str(), UNKNOWN_ID, "x"] {
        for (method, path) in [
            ("DELETE", "/users/ID"),
            ("POST", "/users/ID/disable"),
            ("PUT", "/users/ID/roles"),
            ("DELETE", "/users/ID/sessions"),
            ("DELETE", "/users/ID/sessions/ID"),
            ("PUT", "/roles/weather"),
            ("DELETE", "/roles/weather"),
        ] {
            let path = path.replace("ID", id);
            let response = test_app.send(root.sends(request(method, &path)).set_payload("{")).await;
            let refused = (403, "reauthentication_required".to_owned());
            assert_eq!(response.problem(), refused, "{method} {path}");
        }
    }
    let invite = |name: &str, roles: Value| json!({"username": name, "email": format!("{name}@example.org"), "roles": roles});
    let response =
        send_json_as(&test_app, &root, ("POST", "/users"), invite("bob", json!(["admin"]))).await;
    assert_eq!(response.problem(), (403, "reauthentication_required".to_owned()));
    let response =
        send_json_as(&test_app, &root, ("POST", "/users"), invite("bob", json!(["user"]))).await;
    assert_eq!(response.status, StatusCode::CREATED, "{}", response.text);
    let response =
        send_json_as(&test_app, &root, ("PATCH", &one), json!({"username": "lovelace"})).await;
    assert_eq!(response.status, StatusCode::OK, "{}", response.text);

    let body = json!({ "password": PASSWORD });
    let access = send_json_as(&test_app, &root, ("POST", "/me/reauthenticate"), body).await.json();
    let access = access["access_token"].as_str().unwrap().to_owned();
    let root = LoggedIn { access, ..root };
    assert_eq!(send_as(&test_app, &root, "DELETE", &one).await.status, StatusCode::NO_CONTENT);
}
