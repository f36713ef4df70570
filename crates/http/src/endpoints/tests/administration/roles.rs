//! Tests of defining and assigning roles.

use actix_web::http::StatusCode;
use serde_json::json;

use super::fixture::{holder, send_as, send_json_as};
use crate::testing::TestApp;

#[actix_web::test]
async fn a_role_is_defined_shown_changed_and_deleted() {
    let test_app = TestApp::empty().await;
    let root = test_app.admin("root-1").await;
    let path = "/roles/help-desk";
    let put = async |permissions| {
        send_json_as(&test_app, &root, ("PUT", path), json!({ "permissions": permissions })).await
    };
    assert_eq!(send_as(&test_app, &root, "GET", path).await.status, StatusCode::NOT_FOUND);
    let response = put(json!(["users:read", "sessions:read", "users:read"])).await;
    assert_eq!(response.status, StatusCode::CREATED);
    let role = json!({
        "name": "help-desk", "permissions": ["sessions:read", "users:read"], "built_in": false,
    });
    assert_eq!(response.json(), role);
    assert_eq!(send_as(&test_app, &root, "GET", path).await.json(), role);
    let response = put(json!([])).await;
    assert_eq!((response.status, &response.json()["permissions"]), (StatusCode::OK, &json!([])));
    assert_eq!(send_as(&test_app, &root, "DELETE", path).await.status, StatusCode::NO_CONTENT);
    for method in ["GET", "DELETE"] {
        for path in [path, "/roles/Admin", "/roles/%61%00"] {
            let response = send_as(&test_app, &root, method, path).await;
            assert_eq!(response.problem(), (404, "not_found".to_owned()), "{method} {path}");
        }
    }
}

#[actix_web::test]
async fn what_is_no_role_is_refused_by_its_field() {
    let test_app = TestApp::empty().await;
    let root = test_app.admin("root-1").await;
    for (name, permissions, field, code) in [
        ("desk", json!(["users:read", "weather:make"]), "permissions", "unknown_permission"),
        ("desk", json!("users:read"), "permissions", "wrong_type"),
        ("desk", json!([1]), "permissions", "wrong_type"),
        ("desk", json!(null), "permissions", "wrong_type"),
        ("Desk", json!([]), "name", "bad_form"),
        ("admin", json!([]), "name", "built_in"),
        ("user", json!(["users:read"]), "name", "built_in"),
    ] {
        let path = format!("/roles/{name}");
        let response =
            send_json_as(&test_app, &root, ("PUT", &path), json!({ "permissions": permissions }))
                .await;
        assert_eq!(
            response.field_errors(),
            [(field.to_owned(), code.to_owned())],
            "{name} {permissions}"
        );
        if code == "unknown_permission" {
            let message = response.json()["errors"][0]["message"].as_str().unwrap().to_owned();
            assert!(message.contains("audit:read, roles:grant"), "{message}");
        }
    }
    let response = send_as(&test_app, &root, "DELETE", "/roles/user").await;
    assert_eq!(response.field_errors(), [("name".to_owned(), "built_in".to_owned())]);
}

#[actix_web::test]
async fn a_role_gives_what_it_is_defined_to_give_from_the_next_request_on() {
    let test_app = TestApp::empty().await;
    let root = test_app.admin("root-1").await;
    let eve = holder(&test_app, &root, "desk", &["users:read"]).await;
    assert_eq!(send_as(&test_app, &eve, "GET", "/users").await.status, StatusCode::OK);
    assert_eq!(
        send_as(&test_app, &eve, "GET", "/me").await.json()["roles"],
        json!(["desk", "user"])
    );
    let response = send_as(&test_app, &root, "DELETE", "/roles/desk").await;
    assert_eq!(response.problem(), (409, "role_in_use".to_owned()));
    let response =
        send_json_as(&test_app, &root, ("PUT", "/roles/desk"), json!({ "permissions": [] })).await;
    assert_eq!(response.status, StatusCode::OK);
    assert_eq!(send_as(&test_app, &eve, "GET", "/users").await.status, StatusCode::FORBIDDEN);
    let roles = format!("/users/{}/roles", eve.user_id);
    let response = send_json_as(&test_app, &root, ("PUT", &roles), json!({ "roles": [] })).await;
    assert_eq!(response.json()["roles"], json!(["user"]), "{}", response.text);
    assert_eq!(
        send_as(&test_app, &root, "DELETE", "/roles/desk").await.status,
        StatusCode::NO_CONTENT
    );
    let response =
        send_json_as(&test_app, &root, ("PUT", &roles), json!({ "roles": ["desk"] })).await;
    assert_eq!(response.field_errors(), [("roles".to_owned(), "unknown_role".to_owned())]);
}

#[actix_web::test]
async fn the_pages_hold_each_role_once() {
    let test_app = TestApp::empty().await;
    let root = test_app.admin("root-1").await;
    for name in ["zoo", "desk", "auditor"] {
        holder(&test_app, &root, name, &[]).await;
    }
    for limit in 1..=6 {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/roles?limit={limit}{cursor}");
            let page = send_as(&test_app, &root, "GET", &path).await.json();
            let items = page["items"].as_array().unwrap();
            assert!(items.len() <= limit);
            seen.extend(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, ["admin", "auditor", "desk", "user", "zoo"], "{limit}");
    }
    let page = send_as(&test_app, &root, "GET", "/roles").await.json();
    assert_eq!(page["items"][0]["built_in"], true);
    assert_eq!(page["items"][0]["permissions"].as_array().unwrap().len(), 8);
    // An invalid name.
    let response = send_as(&test_app, &root, "GET", "/roles?cursor=QQ").await;
    assert_eq!(response.field_errors(), [("cursor".to_owned(), "bad_cursor".to_owned())]);
}
