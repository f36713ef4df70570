//! Requests of administration, and users with permissions.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::testing::{LoggedIn, TestApp, TestResponse};

pub(super) fn request(method: &str, path: &str) -> TestRequest {
    TestRequest::default().method(method.parse().unwrap()).uri(&format!("/v1{path}"))
}

pub(super) async fn send_as(
    test_app: &TestApp,
    who: &LoggedIn,
    method: &str,
    path: &str,
) -> TestResponse {
    test_app.send(who.sends(request(method, path))).await
}

pub(super) async fn send_json_as(
    test_app: &TestApp,
    who: &LoggedIn,
    act: (&str, &str),
    body: Value,
) -> TestResponse {
    test_app.send(who.sends(request(act.0, act.1)).set_json(body)).await
}

/// Creates a user with a new role that has these permissions.
pub(super) async fn holder(
    test_app: &TestApp,
    root: &LoggedIn,
    name: &str,
    permissions: &[&str],
) -> LoggedIn {
    let role = format!("/roles/{name}");
    let response =
        send_json_as(test_app, root, ("PUT", &role), json!({ "permissions": permissions })).await;
    assert_eq!(response.status, StatusCode::CREATED, "{}", response.text);
    let user = test_app.user(name).await;
    let roles = format!("/users/{}/roles", user.user_id);
    let response = send_json_as(test_app, root, ("PUT", &roles), json!({ "roles": [name] })).await;
    assert_eq!(response.status, StatusCode::OK, "{}", response.text);
    user
}
