//! Tests of CORS: an exact list of origins, with credentials.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;

use crate::testing::{LISTED, TestApp, login, options};
use crate::{Dialects, Options, SimpleJwt};

/// Origins that differ from the only listed one.
const STRANGERS: [&str; 9] = [
    "https://evil.example",
    "null",
    "",
    "https://app.example.org.evil.example",
    "https://evil-app.example.org",
    "https://good.app.example.org",
    "http://app.example.org",
    "https://app.example.org:8443",
    "https://APP.example.org",
];

fn preflight(origin: &str, headers: &str) -> TestRequest {
    TestRequest::default()
        .method("OPTIONS".parse().unwrap())
        .uri("/v1/me")
        .insert_header(("origin", origin))
        .insert_header(("access-control-request-method", "PATCH"))
        .insert_header(("access-control-request-headers", headers))
}

/// Rows W4 and 3.4.2: only listed origins can read a response.
#[actix_web::test]
async fn w4_an_origin_that_is_not_listed_reads_nothing() {
    let test_app = TestApp::new().await;
    let browser = test_app.browser().await;
    for origin in STRANGERS {
        let header = ("origin", origin);
        for request in [
            preflight(origin, "content-type"),
            preflight(origin, "x-csrf-token, x-odd"),
            browser.bare("GET", "/v1/me").insert_header(header),
            browser.request("POST", "/v1/refresh").insert_header(header),
            login("cookie").insert_header(header),
            TestRequest::get().uri("/v1/nothing").insert_header(header),
        ] {
            let response = test_app.send(request).await;
            assert!(!response.headers.contains_key("access-control-allow-origin"), "{response:?}");
            assert!(!response.headers.contains_key("access-control-allow-headers"));
            if response.status != StatusCode::NOT_FOUND {
                assert!(response.header("vary").contains("Origin"), "{response:?}");
            }
        }
    }
}

#[actix_web::test]
async fn w4_a_listed_origin_reads_with_credentials() {
    let test_app = TestApp::new().await;
    let browser = test_app.browser().await;
    let asked = preflight(LISTED, "content-type,idempotency-key,x-csrf-token");
    let response = test_app.send(asked).await.is(StatusCode::OK);
    let header = ("origin", LISTED);
    let request = browser.request("PATCH", "/v1/me").insert_header(header);
    let read = test_app.send(browser.bare("GET", "/v1/me").insert_header(header)).await;
    let refused = test_app.send(request).await;
    for response in
        [response, read.is(StatusCode::OK), refused.is(StatusCode::UNSUPPORTED_MEDIA_TYPE)]
    {
        assert_eq!(response.header("access-control-allow-origin"), LISTED);
        assert_eq!(response.header("access-control-allow-credentials"), "true");
        assert!(response.header("vary").contains("Origin"), "{response:?}");
    }
    let odd = test_app.send(preflight(LISTED, "x-odd")).await.is(StatusCode::BAD_REQUEST);
    assert!(!odd.headers.contains_key("access-control-allow-origin"));
}

#[actix_web::test]
async fn w4_dialects_allow_the_headers_of_their_front_ends() {
    let headers = "x-csrftoken,x-requested-with";
    let asked = || preflight(LISTED, headers);
    TestApp::new().await.send(asked()).await.is(StatusCode::BAD_REQUEST);
    let dialects = Dialects { simplejwt: Some(SimpleJwt { rotate: true }), flask: None };
    let test_app = TestApp::with(Options { dialects, ..options() }).await;
    let response = test_app.send(asked()).await.is(StatusCode::OK);
    assert_eq!(response.header("access-control-allow-origin"), LISTED);
}

#[actix_web::test]
async fn w4_without_a_list_nobody_else_reads() {
    let test_app = TestApp::with(Options { cors_origins: Vec::new(), ..options() }).await;
    let browser = test_app.browser().await;
    let request = browser.bare("GET", "/v1/me").insert_header(("origin", LISTED));
    let response = test_app.send(request).await.is(StatusCode::OK);
    assert!(!response.headers.contains_key("access-control-allow-origin"));
    let response = test_app.send(preflight(LISTED, "content-type")).await;
    response.is(StatusCode::METHOD_NOT_ALLOWED);
}
