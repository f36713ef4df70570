//! Tests of the errors, each in the form of the package.

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use super::fixture::{REVOKED, ada, bearer, flask, is_error, login, service};
use crate::testing::{PASSWORD, TestApp};

const BAD_LOGIN: &str = "Bad username or password";
const INVALID: &str = "Signature verification failed";
const NO_HEADER: &str = "Missing Authorization Header";
const NO_BEARER: &str =
    "Missing 'Bearer' type in 'Authorization' header. Expected 'Authorization: Bearer <JWT>'";
const BAD_HEADER: &str = "Bad Authorization header. Expected 'Authorization: Bearer <JWT>'";

fn sent(body: &Value) -> TestRequest {
    TestRequest::post().uri("/login").set_json(body)
}

#[actix_web::test]
async fn every_bad_login_has_one_answer() {
    let test_app = service(flask()).await;
    for body in [
        json!({"username": "ada", "password": "not the password"}),
        json!({"username": "nobody-here", "password": PASSWORD}),
        json!({"username": "no name at all", "password": PASSWORD}),
        json!({"password": PASSWORD}),
        json!({"username": "ada"}),
        json!({}),
        json!({"username": "", "password": PASSWORD}),
        json!({"username": "ada", "password": ""}),
        json!({"username": null, "password": PASSWORD}),
        json!({"username": "ada", "password": null}),
        json!({"username": ["ada"], "password": PASSWORD}),
        json!({"username": "ada", "password": 42}),
        json!({"username": "ada", "password": "x".repeat(2000)}),
    ] {
        is_error(&test_app.send(sent(&body)).await, 401, BAD_LOGIN);
    }
    test_app.send(login()).await.is(StatusCode::OK);
}

/// The status and media type of an error with a text of our own, in both fields.
async fn own_error(test_app: &TestApp, request: TestRequest) -> u16 {
    let response = test_app.send(request).await;
    let status = response.status.as_u16();
    let text = response.text_of("msg");
    assert!(text.ends_with('.'), "{text}");
    is_error(&response, status, text);
    status
}

#[actix_web::test]
async fn bodies_and_methods_are_refused_in_the_same_form() {
    let test_app = service(flask()).await;
    let raw = |kind: &'static str, body: &str| {
        let request = TestRequest::post().uri("/login").insert_header((CONTENT_TYPE, kind));
        request.set_payload(body.to_owned())
    };
    let text = ada().to_string();
    for (request, status) in [
        (sent(&json!(["ada"])), 400),
        (raw("application/json", "{username}"), 400),
        (raw("application/json", ""), 400),
        (raw("application/json", r#"{"username":"ada","username":"bob"}"#), 400),
        (raw("text/plain", &text), 415),
        (raw("application/x-www-form-urlencoded", "username=ada"), 415),
        (raw("application/json", &" ".repeat(17 * 1024)), 413),
        (TestRequest::get().uri("/login"), 405),
        (TestRequest::get().uri("/refresh"), 405),
        (TestRequest::get().uri("/logout"), 405),
        (TestRequest::post().uri("/protected"), 405),
    ] {
        assert_eq!(own_error(&test_app, request).await, status);
    }
    let response = test_app.send(TestRequest::get().uri("/logout")).await;
    let allowed: Vec<&str> = response.header("allow").split(", ").collect();
    assert_eq!(allowed, ["POST", "DELETE"]);
}

#[actix_web::test]
async fn a_header_without_a_token_is_refused_as_by_the_package() {
    let test_app = service(flask()).await;
    let session = test_app.send(login()).await;
    let (access, refresh) = (session.text_of("access_token"), session.text_of("refresh_token"));
    for (method, path, token) in [
        ("GET", "/protected", access),
        ("POST", "/refresh", refresh),
        ("DELETE", "/logout", access),
    ] {
        let bare = || TestRequest::default().method(method.parse().unwrap()).uri(path);
        is_error(&test_app.send(bare()).await, 401, NO_HEADER);
        let elsewhere = TestRequest::default().method(method.parse().unwrap());
        let elsewhere = elsewhere.uri(&format!("{path}?jwt={token}"));
        let line = format!("access_token_cookie={token}; refresh_token_cookie={token}");
        let elsewhere = elsewhere.insert_header(("cookie", line));
        is_error(&test_app.send(elsewhere).await, 401, NO_HEADER);
        for (value, status, text) in [
            (String::new(), 401, NO_HEADER),
            (" ".to_owned(), 401, NO_HEADER),
            (format!("bearer {token}"), 401, NO_BEARER),
            (format!("JWT {token}"), 401, NO_BEARER),
            ("Basic YTpi".to_owned(), 401, NO_BEARER),
            (token.to_owned(), 401, NO_BEARER),
            ("Bearer".to_owned(), 422, BAD_HEADER),
            ("Bearer ".to_owned(), 422, BAD_HEADER),
            (format!("Bearer {token} more"), 422, BAD_HEADER),
            ("Bearer rubbish".to_owned(), 422, INVALID),
            ("Bearer a.b.c".to_owned(), 422, INVALID),
            (format!("Bearer {token}x"), 422, INVALID),
        ] {
            let request = bare().insert_header(("authorization", value));
            is_error(&test_app.send(request).await, status, text);
        }
        let twice = bearer(method, path, token);
        let twice = twice.append_header(("authorization", format!("Bearer {token}")));
        is_error(&test_app.send(twice).await, 422, BAD_HEADER);
    }
    let request = bearer("GET", "/protected", refresh);
    is_error(&test_app.send(request).await, 422, "Only non-refresh tokens are allowed");
    let request = bearer("POST", "/refresh", access);
    is_error(&test_app.send(request).await, 422, "Only refresh tokens are allowed");
}

#[actix_web::test]
async fn too_many_attempts_are_refused_with_a_wait() {
    let test_app = service(flask()).await;
    let body = json!({"username": "ada", "password": "not the password"});
    for _ in 0..10 {
        is_error(&test_app.send(sent(&body)).await, 401, BAD_LOGIN);
    }
    let response = test_app.send(login()).await;
    let seconds: u32 = response.header("retry-after").parse().unwrap();
    let text = format!("Too many attempts. Wait {seconds} seconds, then try again.");
    is_error(&response, 429, &text);
}

#[actix_web::test]
async fn a_disabled_account_is_refused_like_a_wrong_password() {
    let test_app = service(flask()).await;
    let session = test_app.send(login()).await.is(StatusCode::OK);
    let id = test_app.store.users().first().unwrap().id;
    test_app.create_user("boss", true).await;
    let boss = test_app.send(sent(&json!({"username": "boss", "password": PASSWORD}))).await;
    let path = format!("/v1/users/{id}/disable");
    test_app.send(bearer("POST", &path, boss.text_of("access_token"))).await.is(StatusCode::OK);

    is_error(&test_app.send(login()).await, 401, BAD_LOGIN);
    for (method, path, token) in [
        ("GET", "/protected", "access_token"),
        ("POST", "/refresh", "refresh_token"),
        ("POST", "/logout", "access_token"),
    ] {
        let request = bearer(method, path, session.text_of(token));
        is_error(&test_app.send(request).await, 401, REVOKED);
    }
}
