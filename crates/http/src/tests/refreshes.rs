//! Tests of refreshing in cookie mode.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use serde_json::json;

use crate::testing::{Browser, TestApp};

const PATH: &str = "/v1/refresh";

#[actix_web::test]
async fn a_refresh_by_cookie_sets_the_next_cookies() {
    let test_app = TestApp::new().await;
    let first = test_app.browser().await;
    test_app.clock.advance_seconds(60);
    let response = test_app.send(first.request("POST", PATH)).await.is(StatusCode::OK);
    assert_eq!(response.fields(), ["csrf_token", "expires_in", "session_id", "user"]);
    assert_eq!(response.text_of("session_id"), first.session_id);
    let second = Browser::of(&response);
    assert_eq!(second.csrf, first.csrf, "it is the same for the whole session");
    assert_ne!(second.access, first.access);
    assert_ne!(second.refresh, first.refresh);
    let names: Vec<&str> =
        response.cookies().iter().map(|line| line.split('=').next().unwrap()).collect();
    let session = ["__Host-gateward-access", "__Secure-gateward-refresh", "__Host-gateward-csrf"];
    assert_eq!(names, session);
    for value in [&second.access, &second.refresh] {
        assert!(!response.text.contains(value.as_str()));
    }
    test_app.send(second.bare("GET", "/v1/me")).await.is(StatusCode::OK);
    let empty = second.request("POST", PATH).set_json(json!({}));
    test_app.send(empty).await.is(StatusCode::OK);
}

#[actix_web::test]
async fn cookies_are_kept_for_the_rest_of_the_session() {
    let test_app = TestApp::new().await;
    let mut browser = test_app.browser().await;
    let mut lives = Vec::new();
    for _ in 0..4 {
        test_app.clock.advance_seconds(6 * 24 * 3600);
        let response = test_app.send(browser.request("POST", PATH)).await.is(StatusCode::OK);
        for line in response.cookies() {
            let max_age = line.split("Max-Age=").nth(1).unwrap().split(';').next().unwrap();
            lives.push(max_age.parse::<i64>().unwrap() / (24 * 3600));
        }
        browser = Browser::of(&response);
    }
    assert_eq!(lives, [7, 7, 7, 7, 7, 7, 7, 7, 7, 6, 6, 6], "thirty days in all");
}

#[actix_web::test]
async fn a_refresh_by_cookie_is_repeated_by_its_key() {
    let test_app = TestApp::new().await;
    let first = test_app.browser().await;
    let ask =
        |key| test_app.send(first.request("POST", PATH).insert_header(("idempotency-key", key)));
    let second = Browser::of(&ask("k1").await.is(StatusCode::OK));
    test_app.clock.advance_seconds(600);
    let again = Browser::of(&ask("k1").await.is(StatusCode::OK));
    assert_eq!(second.refresh, again.refresh);
    assert_ne!(second.access, again.access);
}

/// If another tab refreshes first, the browser keeps the cookies of that tab.
#[actix_web::test]
async fn a_refused_refresh_clears_no_cookie() {
    let test_app = TestApp::new().await;
    let first = test_app.browser().await;
    let second = Browser::of(&test_app.send(first.request("POST", PATH)).await);
    Browser::of(&test_app.send(second.request("POST", PATH)).await);
    let loser = || test_app.send(first.request("POST", PATH));
    loser().await.is(StatusCode::UNAUTHORIZED).refused("refresh_token_reused");
    loser().await.is(StatusCode::UNAUTHORIZED).refused("session_ended");
    test_app.clock.advance_seconds(7 * 24 * 3600);
    loser().await.is(StatusCode::UNAUTHORIZED).refused("token_expired");
    let garbage = Browser { refresh: "e30.e30.e30".to_owned(), ..first.clone() };
    let response = test_app.send(garbage.request("POST", PATH)).await;
    response.is(StatusCode::UNAUTHORIZED).refused("invalid_token");
    let access = Browser { refresh: second.access, ..first };
    let response = test_app.send(access.request("POST", PATH)).await;
    response.is(StatusCode::UNAUTHORIZED).refused("wrong_token_kind");
}

#[actix_web::test]
async fn a_refresh_token_in_body_and_cookie_is_refused() {
    let test_app = TestApp::new().await;
    let browser = test_app.browser().await;
    let body = json!({"refresh_token": browser.refresh});
    for request in [browser.request("POST", PATH), browser.bare("POST", PATH)] {
        let response = test_app.send(request.set_json(&body)).await;
        response.is(StatusCode::BAD_REQUEST).refused("malformed_request");
    }
    let twice =
        format!("__Secure-gateward-refresh={0}; __Secure-gateward-refresh={0}", browser.refresh);
    let request = TestRequest::post().uri(PATH).insert_header(("cookie", twice));
    let request = request.insert_header(("x-csrf-token", browser.csrf.as_str()));
    let response = test_app.send(request).await;
    response.is(StatusCode::BAD_REQUEST).refused("malformed_request");
    let unknown = browser.request("POST", PATH).set_json(json!({"refreshToken": "x"}));
    let response = test_app.send(unknown).await;
    response.is(StatusCode::UNPROCESSABLE_ENTITY).refused("validation_failed");
    // None of them has used the token.
    test_app.send(browser.request("POST", PATH)).await.is(StatusCode::OK);
}

#[actix_web::test]
async fn a_refresh_by_body_sets_no_cookie_and_needs_no_csrf_token() {
    let test_app = TestApp::new().await;
    let (browser, bearer) = (test_app.browser().await, test_app.bearer().await);
    let body = json!({"refresh_token": bearer.text_of("refresh_token")});
    // The cookie with the access token of another session is ignored.
    let line = format!("__Host-gateward-access={}", browser.access);
    let request = TestRequest::post().uri(PATH).insert_header(("cookie", line));
    let response = test_app.send(request.set_json(body)).await.is(StatusCode::OK);
    assert_eq!(response.cookies(), [""; 0]);
    assert_eq!(response.json()["session_id"], bearer.json()["session_id"]);
    // Without a token in a cookie, the body is required.
    let response = test_app.send(TestRequest::post().uri(PATH).set_json(json!({}))).await;
    response.is(StatusCode::UNPROCESSABLE_ENTITY).refused("validation_failed");
}
