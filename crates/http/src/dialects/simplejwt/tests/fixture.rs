//! The Simple JWT dialect for tests: its paths, requests and errors.

use actix_web::test::TestRequest;
use gateward_app::AdminActor;
use serde_json::{Value, json};

use super::super::SimpleJwt;
use crate::Options;
use crate::testing::{PASSWORD, TestApp, TestResponse, options};

pub(super) const LOGIN: &str = "/api/token/";
pub(super) const REFRESH: &str = "/api/token/refresh/";
pub(super) const VERIFY: &str = "/api/token/verify/";
pub(super) const BLACKLIST: &str = "/api/token/blacklist/";
pub(super) const USERS: &str = "/auth/users/";
pub(super) const ME: &str = "/auth/users/me/";

/// Longer than a spent refresh token may be repeated.
pub(super) const AFTER_LEEWAY: i64 = 60;

pub(super) fn options_with(rotate: bool) -> Options {
    let mut options = options();
    options.dialects.simplejwt = Some(SimpleJwt { rotate });
    options
}

/// A service with the dialect and one account, `ada`.
pub(super) async fn service() -> TestApp {
    TestApp::with(options_with(true)).await
}

pub(super) fn ada() -> Value {
    json!({"username": "ada", "password": PASSWORD})
}

pub(super) fn post(path: &str, body: &Value) -> TestRequest {
    TestRequest::post().uri(path).set_json(body)
}

/// The access token and the refresh token of a new session of `ada`.
pub(super) async fn tokens(test_app: &TestApp) -> (String, String) {
    let response = test_app.send(post(LOGIN, &ada())).await;
    is_ok(&response, 200);
    (response.text_of("access").to_owned(), response.text_of("refresh").to_owned())
}

/// Sends a token as the only field of a body.
pub(super) async fn send(test_app: &TestApp, path: &str, token: &str) -> TestResponse {
    let name = if path == VERIFY { "token" } else { "refresh" };
    test_app.send(post(path, &json!({name: token}))).await
}

/// Refreshes, and returns both tokens.
pub(super) async fn refreshed(test_app: &TestApp, token: &str) -> (String, String) {
    let response = send(test_app, REFRESH, token).await;
    is_ok(&response, 200);
    (response.text_of("access").to_owned(), response.text_of("refresh").to_owned())
}

pub(super) async fn me(test_app: &TestApp, authorization: &str) -> TestResponse {
    let request = TestRequest::get().uri(ME).insert_header(("authorization", authorization));
    test_app.send(request).await
}

/// Disables `ada`.
pub(super) async fn disable(test_app: &TestApp) {
    let id = test_app.store.users().first().unwrap().id;
    test_app.app.core().disable_user(AdminActor::Operator, id).await.unwrap();
}

/// Deletes `ada`.
pub(super) async fn delete(test_app: &TestApp) {
    let id = test_app.store.users().first().unwrap().id;
    test_app.app.core().delete_user(AdminActor::Operator, id).await.unwrap();
}

/// Checks a successful response.
#[track_caller]
pub(super) fn is_ok(response: &TestResponse, status: u16) {
    assert_eq!(response.status.as_u16(), status, "{response:?}");
    assert_eq!(response.header("content-type"), "application/json");
    assert_eq!(response.header("cache-control"), "no-store");
    assert_eq!(response.cookies(), [""; 0]);
}

/// Checks an error, which is complete: its challenge too, and that it sets no cookie.
#[track_caller]
pub(super) fn is_error(response: &TestResponse, status: u16, body: &Value) {
    assert_eq!((response.status.as_u16(), &response.json()), (status, body), "{response:?}");
    assert_eq!(response.header("content-type"), "application/json");
    let challenge = response.headers.get("www-authenticate").map(|value| value.to_str().unwrap());
    assert_eq!(challenge, (status == 401).then_some(r#"Bearer realm="api""#));
    assert_eq!(response.cookies(), [""; 0]);
}

/// `401` for a token that a token endpoint refuses.
#[track_caller]
pub(super) fn is_bad_token(response: &TestResponse, detail: &str) {
    is_error(response, 401, &json!({"detail": detail, "code": "token_not_valid"}));
}

pub(super) const INVALID: &str = "Token is invalid or expired";
pub(super) const WRONG_TYPE: &str = "Token has wrong type";
pub(super) const BLACKLISTED: &str = "Token is blacklisted";
