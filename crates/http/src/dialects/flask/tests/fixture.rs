//! The Flask dialect for tests: its settings, requests and errors.

use actix_web::test::TestRequest;
use serde_json::{Value, json};

use super::super::{Flask, FlaskTransport};
use crate::Options;
use crate::testing::{PASSWORD, TestApp, TestResponse, options};

/// The default settings of the dialect.
pub(super) fn flask() -> Flask {
    Flask { path: "/".to_owned(), transport: FlaskTransport::Header, csrf: true, rotate: true }
}

pub(super) fn options_with(flask: Flask) -> Options {
    let mut options = options();
    options.dialects.flask = Some(flask);
    options
}

/// A service with the dialect and one account, `ada`.
pub(super) async fn service(flask: Flask) -> TestApp {
    TestApp::with(options_with(flask)).await
}

pub(super) fn ada() -> Value {
    json!({"username": "ada", "password": PASSWORD})
}

pub(super) fn login() -> TestRequest {
    TestRequest::post().uri("/login").set_json(ada())
}

/// A request with a token in the header.
pub(super) fn bearer(method: &str, path: &str, token: &str) -> TestRequest {
    let request = TestRequest::default().method(method.parse().unwrap()).uri(path);
    request.insert_header(("authorization", format!("Bearer {token}")))
}

/// Checks a successful response.
#[track_caller]
pub(super) fn is_ok(response: &TestResponse, body: &Value) {
    assert_eq!((response.status.as_u16(), &response.json()), (200, body), "{response:?}");
    assert_eq!(response.header("cache-control"), "no-store");
}

/// Checks an error: its form, and that it sets no cookies.
#[track_caller]
pub(super) fn is_error(response: &TestResponse, status: u16, text: &str) {
    assert_eq!(response.json(), json!({"msg": text, "message": text}), "{response:?}");
    assert_eq!(response.status.as_u16(), status);
    assert_eq!(response.header("content-type"), "application/json");
    assert!(!response.headers.contains_key("www-authenticate"));
    assert_eq!(response.cookies(), [""; 0]);
}

pub(super) const REVOKED: &str = "Token has been revoked";
pub(super) const EXPIRED: &str = "Token has expired";
