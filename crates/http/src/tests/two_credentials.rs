//! Tests of two credentials at once, and of ignored credentials.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use serde_json::json;

use crate::testing::{TestApp, TestResponse, login};

const CHALLENGE: &str = r#"Bearer realm="gateward", error="invalid_request""#;

fn badly_sent(response: TestResponse) {
    let response = response.is(StatusCode::BAD_REQUEST).refused("malformed_request");
    assert_eq!(response.header("www-authenticate"), CHALLENGE);
}

/// Row J20: a request sends its access token in only one way.
#[actix_web::test]
async fn j20_two_access_tokens_are_refused() {
    let test_app = TestApp::new().await;
    let (browser, bearer) = (test_app.browser().await, test_app.bearer().await);
    let token = bearer.text_of("access_token");
    for token in [token, &*browser.access, "e30.e30.e30"] {
        for (method, path) in
            [("GET", "/v1/me"), ("POST", "/v1/logout"), ("POST", "/v1/logout-all")]
        {
            let header = ("authorization", format!("Bearer {token}"));
            badly_sent(test_app.send(browser.request(method, path).insert_header(header)).await);
        }
    }
    badly_sent(test_app.send(browser.bare("GET", "/v1/me?access_token=x")).await);
    let twice = format!("__Host-gateward-access={0}; __Host-gateward-access={0}", browser.access);
    let request = TestRequest::get().uri("/v1/me").insert_header(("cookie", twice.clone()));
    badly_sent(test_app.send(request).await);
    let request = TestRequest::post().uri("/v1/logout").insert_header(("cookie", twice));
    badly_sent(test_app.send(request).await);
    assert!(
        test_app.is_active(&browser.session_id) && test_app.is_active(bearer.text_of("session_id"))
    );
    // Other authentication schemes are ignored.
    let basic = ("authorization", "Basic YTpi");
    test_app.send(browser.bare("GET", "/v1/me").insert_header(basic)).await.is(StatusCode::OK);
}

#[actix_web::test]
async fn the_refresh_cookie_beside_the_access_cookie_is_one_credential() {
    let test_app = TestApp::new().await;
    let browser = test_app.browser().await;
    let line = format!(
        "__Secure-gateward-refresh={}; __Host-gateward-access={}",
        browser.refresh, browser.access
    );
    let request = TestRequest::get().uri("/v1/me").insert_header(("cookie", line));
    test_app.send(request).await.is(StatusCode::OK);
    test_app.send(browser.request("POST", "/v1/refresh")).await.is(StatusCode::OK);
}

#[actix_web::test]
async fn who_needs_no_access_token_looks_at_none() {
    let test_app = TestApp::new().await;
    let both = |request: TestRequest| {
        let cookies = "__Host-gateward-access=x; __Host-gateward-access=y; __Host-gateward-csrf=z";
        request.insert_header(("authorization", "Bearer x")).insert_header(("cookie", cookies))
    };
    test_app.send(both(login("bearer"))).await.is(StatusCode::OK);
    test_app.send(both(login("cookie"))).await.is(StatusCode::OK);
    let forgot = TestRequest::post().uri("/v1/password/forgot");
    let forgot = forgot.set_json(json!({"email": "ada@example.org"}));
    test_app.send(both(forgot)).await.is(StatusCode::ACCEPTED);
    let jwks = TestRequest::get().uri("/.well-known/jwks.json");
    test_app.send(both(jwks)).await.is(StatusCode::OK);
}
