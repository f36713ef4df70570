//! Tests of wrong client secrets: their rate limit, and whom it does not lock out.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use gateward_testkit::StoreFault;

use crate::testing::{CLIENT, FORM, SECRET, TestApp, TestResponse, basic};

/// The number of wrong secrets per IP address and window, and the window in seconds.
const LIMIT: u32 = 100;
const WINDOW_SECONDS: i64 = 900;

/// Introspects a token with this secret, from this IP address.
async fn ask(test_app: &TestApp, ip: &str, secret: &str) -> TestResponse {
    let request = TestRequest::post().uri("/oauth/introspect").insert_header(FORM);
    let request = request.peer_addr(format!("{ip}:1").parse().unwrap());
    test_app.send(request.insert_header(basic(CLIENT, secret)).set_payload("token=x")).await
}

/// Rows L7 and L9: wrong secrets are counted per IP address. `Retry-After` is correct, and clients
/// with the correct secret are never locked out.
#[actix_web::test]
async fn l7_wrong_secrets_of_clients_are_counted_and_a_right_one_is_never_refused() {
    let test_app = TestApp::empty().await;
    for count in 1..=LIMIT {
        let response = ask(&test_app, "192.0.2.1", "wrong").await;
        assert_eq!(response.problem(), (401, "invalid_credentials".to_owned()), "{count}");
    }
    test_app.clock.advance_seconds(60);
    let response = ask(&test_app, "192.0.2.1", "wrong").await;
    assert_eq!(response.problem(), (429, "rate_limited".to_owned()));
    assert!(!response.headers.contains_key("www-authenticate"));
    assert!(response.json().get("error").is_none(), "OAuth has no word for it");
    let wait: i64 = response.header("retry-after").parse().unwrap();
    assert_eq!(wait, WINDOW_SECONDS - 60);
    assert!(response.text.contains("Wait 840 seconds"), "{}", response.text);

    assert_eq!(ask(&test_app, "192.0.2.1", SECRET).await.status, StatusCode::OK);
    assert_eq!(ask(&test_app, "192.0.2.2", "wrong").await.status, StatusCode::UNAUTHORIZED);
    test_app.clock.advance_seconds(wait - 1);
    assert_eq!(ask(&test_app, "192.0.2.1", "wrong").await.status, StatusCode::TOO_MANY_REQUESTS);
    test_app.clock.advance_seconds(1);
    assert_eq!(ask(&test_app, "192.0.2.1", "wrong").await.status, StatusCode::UNAUTHORIZED);
}

/// If a failure cannot be counted, the request fails.
#[actix_web::test]
async fn a_wrong_secret_that_cannot_be_counted_is_told_nothing() {
    let test_app = TestApp::empty().await;
    test_app.set_fault(Some(StoreFault::Unavailable));
    let response = ask(&test_app, "192.0.2.1", "wrong").await;
    assert_eq!(response.problem(), (503, "unavailable".to_owned()));
}
