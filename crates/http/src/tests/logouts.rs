//! Tests of logging out in cookie mode.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use serde_json::json;

use crate::testing::{Browser, TestApp, TestResponse};

const PATH: &str = "/v1/logout";

fn clears(response: &TestResponse) {
    let lines = [
        "__Host-gateward-access=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
        "__Secure-gateward-refresh=; Path=/v1/refresh; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
        "__Host-gateward-csrf=; Path=/; Max-Age=0; Secure; SameSite=Lax",
    ];
    assert_eq!(response.cookies(), lines);
}

/// Rows S1 and 7.4.1: no token of the session works after a logout, which is idempotent.
#[actix_web::test]
async fn s1_a_logout_by_cookie_ends_the_session_and_clears_its_cookies() {
    let test_app = TestApp::new().await;
    let browser = test_app.browser().await;
    for _ in 0..2 {
        let response = test_app.send(browser.request("POST", PATH)).await;
        clears(&response.is(StatusCode::NO_CONTENT));
        assert!(!test_app.is_active(&browser.session_id));
    }
    let gone = test_app.send(browser.bare("GET", "/v1/me")).await;
    gone.is(StatusCode::UNAUTHORIZED).refused("session_ended");
    let gone = test_app.send(browser.request("POST", "/v1/refresh")).await;
    gone.is(StatusCode::UNAUTHORIZED).refused("session_ended");
}

#[actix_web::test]
async fn an_expired_cookie_logs_out_and_does_nothing_else() {
    let test_app = TestApp::new().await;
    let browser = test_app.browser().await;
    test_app.clock.advance_seconds(3600);
    for (method, path) in [("GET", "/v1/me"), ("POST", "/v1/logout-all"), ("DELETE", "/v1/me")] {
        let response = test_app.send(browser.request(method, path)).await;
        response.is(StatusCode::UNAUTHORIZED).refused("token_expired");
    }
    let foreign = test_app.send(browser.bare("POST", PATH)).await;
    foreign.is(StatusCode::FORBIDDEN).refused("csrf_failed");
    assert!(test_app.is_active(&browser.session_id));
    let response = test_app.send(browser.request("POST", PATH)).await;
    clears(&response.is(StatusCode::NO_CONTENT));
    assert!(!test_app.is_active(&browser.session_id));

    // In the header an expired token is still rejected.
    let bearer = test_app.bearer().await;
    test_app.clock.advance_seconds(3600);
    let header = ("authorization", format!("Bearer {}", bearer.text_of("access_token")));
    let response = test_app.send(TestRequest::post().uri(PATH).insert_header(header)).await;
    response.is(StatusCode::UNAUTHORIZED).refused("token_expired");
}

#[actix_web::test]
async fn only_a_logout_by_cookie_clears_cookies() {
    let test_app = TestApp::new().await;
    let (browser, bearer) = (test_app.browser().await, test_app.bearer().await);
    // The refresh token of another session in the body takes precedence over the cookies.
    let body = json!({"refresh_token": bearer.text_of("refresh_token")});
    let response = test_app.send(browser.bare("POST", PATH).set_json(body)).await;
    assert_eq!(response.is(StatusCode::NO_CONTENT).cookies(), [""; 0]);
    assert!(
        test_app.is_active(&browser.session_id)
            && !test_app.is_active(bearer.text_of("session_id"))
    );

    let bearer = test_app.bearer().await;
    let header = ("authorization", format!("Bearer {}", bearer.text_of("access_token")));
    let response = test_app.send(TestRequest::post().uri(PATH).insert_header(header)).await;
    assert_eq!(response.is(StatusCode::NO_CONTENT).cookies(), [""; 0]);

    for (access, code) in
        [("e30.e30.e30", "invalid_token"), (&*browser.refresh, "wrong_token_kind")]
    {
        let other = Browser { access: access.to_owned(), ..browser.clone() };
        let response = test_app.send(other.request("POST", PATH)).await;
        response.is(StatusCode::UNAUTHORIZED).refused(code);
    }
    let all = test_app.send(browser.request("POST", "/v1/logout-all")).await;
    assert_eq!(all.is(StatusCode::NO_CONTENT).cookies(), [""; 0]);
    let response = test_app.send(TestRequest::post().uri(PATH)).await;
    response.is(StatusCode::UNAUTHORIZED).refused("missing_token");
}
