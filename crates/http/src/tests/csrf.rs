//! Tests of requests from other sites, with the cookies that a browser adds to them.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use gateward_app::domain::refresh::RefreshState;
use serde_json::json;

use crate::testing::{Browser, LISTED, OURS, PASSWORD, TestApp, login};

/// Requests that change data with the access cookie, with valid bodies.
fn acts(browser: &Browser, bare: bool) -> Vec<(TestRequest, &'static str)> {
    let bodies = [
        ("PATCH", "/v1/me", json!({"username": "mallory"})),
        ("DELETE", "/v1/me", json!({"password": PASSWORD})),
        (
            "POST",
            "/v1/me/password",
            json!({"current_password": PASSWORD, "new_password": "other horse battery"}),
        ),
        ("POST", "/v1/me/email", json!({"new_email": "mallory@example.org", "password": PASSWORD})),
        ("POST", "/v1/me/reauthenticate", json!({"password": PASSWORD})),
        ("POST", "/v1/logout-all", json!({})),
        ("POST", "/v1/logout", json!({})),
        ("POST", "/v1/refresh", json!({})),
        ("POST", "/v1/email/confirm", json!({"token": "x"})),
    ];
    let request = |method, path| {
        if bare { browser.bare(method, path) } else { browser.request(method, path) }
    };
    bodies.map(|(method, path, body)| (request(method, path).set_json(body), path)).into()
}

/// Whether the account and the session are unchanged.
fn is_untouched(test_app: &TestApp, browser: &Browser) -> bool {
    let users = test_app.store.users();
    let user = users.first().unwrap();
    let (sessions, links) = (test_app.store.sessions(), test_app.store.links());
    let session = sessions.iter().find(|session| session.id.to_string() == browser.session_id);
    let session = session.unwrap();
    test_app.is_active(&browser.session_id)
        && user.username.to_string() == "ada"
        && user.password_hash.expose() == format!("plain:{PASSWORD}")
        && links.iter().all(|link| !link.email.to_string().starts_with("mallory"))
        && session.refresh_state.generation == RefreshState::FIRST_GENERATION
        && session.auth_time == session.created_at
}

/// Rows W1 and 3.5.1: nothing changes without the CSRF token of the same session.
#[actix_web::test]
async fn w1_an_act_by_cookie_wants_the_csrf_token() {
    let test_app = TestApp::new().await;
    let (browser, other) = (test_app.browser().await, test_app.browser().await);
    let upper = browser.csrf.to_uppercase();
    let shown =
        [None, Some(""), Some("x"), Some(&*other.csrf), Some(&*browser.access), Some(&upper)];
    for token in shown.into_iter().filter(|token| *token != Some(&*browser.csrf)) {
        for (request, path) in acts(&browser, true) {
            let request = match token {
                Some(token) => request.insert_header(("x-csrf-token", token)),
                None => request,
            };
            let response = test_app.send(request.insert_header(("origin", OURS))).await;
            assert_eq!(response.status, StatusCode::FORBIDDEN, "{path} {token:?}");
            response.refused("csrf_failed");
        }
    }
    for (request, path) in acts(&browser, false) {
        let twice = request.append_header(("x-csrf-token", &*browser.csrf));
        assert_eq!(test_app.send(twice).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert!(is_untouched(&test_app, &browser));
}

/// Row W1: a page of another site is rejected even with the correct CSRF token.
#[actix_web::test]
async fn w1_an_act_by_cookie_from_another_site_is_refused() {
    let test_app = TestApp::new().await;
    let browser = test_app.browser().await;
    let foreign: [&[(&str, &str)]; 10] = [
        &[("origin", "null")],
        &[("origin", "")],
        &[("origin", "https://evil.example")],
        &[("origin", "http://auth.example.org")],
        &[("origin", "https://auth.example.org.evil.example")],
        &[("origin", "https://auth.example.org:444")],
        &[("origin", OURS), ("origin", OURS)],
        &[("origin", OURS), ("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
    ];
    for headers in foreign {
        for (mut request, path) in acts(&browser, false) {
            for header in headers {
                request = request.append_header(*header);
            }
            let response = test_app.send(request).await;
            assert_eq!(response.status, StatusCode::FORBIDDEN, "{path} {headers:?}");
            response.refused("csrf_failed");
        }
    }
    assert!(is_untouched(&test_app, &browser));
}

/// Row W1: form bodies are rejected, and method override headers have no effect.
#[actix_web::test]
async fn w1_a_form_or_another_method_is_no_way_round() {
    let test_app = TestApp::new().await;
    let browser = test_app.browser().await;
    let kinds =
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"];
    for kind in kinds {
        for path in ["/v1/logout-all", "/v1/me/reauthenticate", "/v1/logout", "/v1/refresh"] {
            let form = browser.bare("POST", path).insert_header(("content-type", kind));
            let form = form.insert_header(("origin", "null")).set_payload("{}");
            let status = test_app.send(form).await.status.as_u16();
            assert!([403, 415].contains(&status), "{path} {kind}: {status}");
        }
    }
    let names = ["x-http-method-override", "x-http-method", "x-method-override"];
    for (name, path) in
        names.into_iter().flat_map(|name| [(name, "/v1/me?_method=GET"), (name, "/v1/me")])
    {
        let act = browser.bare("DELETE", path).insert_header((name, "GET"));
        let act = act.set_json(json!({"password": PASSWORD}));
        test_app.send(act).await.is(StatusCode::FORBIDDEN).refused("csrf_failed");
        let read = browser.bare("GET", "/v1/me").insert_header((name, "DELETE"));
        test_app.send(read).await.is(StatusCode::OK);
    }
    assert!(is_untouched(&test_app, &browser));
}

#[actix_web::test]
async fn a_page_that_may_act_does() {
    let allowed: [&[(&str, &str)]; 6] = [
        &[],
        &[("origin", OURS)],
        &[("origin", OURS), ("sec-fetch-site", "same-origin")],
        &[("origin", LISTED), ("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-origin")],
        &[("sec-fetch-site", "none")],
    ];
    for headers in allowed {
        let test_app = TestApp::new().await;
        let browser = test_app.browser().await;
        let mut request = browser.request("POST", "/v1/logout-all");
        for header in headers {
            request = request.insert_header(*header);
        }
        let response = test_app.send(request).await;
        assert_eq!(response.status, StatusCode::NO_CONTENT, "{headers:?}");
        assert!(!test_app.is_active(&browser.session_id));
    }
}

#[actix_web::test]
async fn what_changes_nothing_needs_no_csrf_token() {
    let test_app = TestApp::new().await;
    let browser = test_app.browser().await;
    for method in ["GET", "HEAD"] {
        let request = browser.bare(method, "/v1/me").insert_header(("origin", "null"));
        test_app.send(request).await.is(StatusCode::OK);
    }
}

/// Only the client itself can set the header, so it needs no CSRF token.
#[actix_web::test]
async fn a_token_in_the_header_needs_no_csrf_token() {
    let test_app = TestApp::new().await;
    let bearer = test_app.bearer().await;
    let header = ("authorization", format!("Bearer {}", bearer.text_of("access_token")));
    let request = TestRequest::post().uri("/v1/logout-all").insert_header(header);
    let request = request.insert_header(("origin", "https://evil.example"));
    test_app.send(request).await.is(StatusCode::NO_CONTENT);
}

#[actix_web::test]
async fn the_token_is_judged_first_and_the_body_last() {
    let test_app = TestApp::new().await;
    let browser = test_app.browser().await;
    let forged = Browser { access: "e30.e30.e30".to_owned(), ..browser.clone() };
    for (request, path) in acts(&forged, true).into_iter().take(7) {
        let response = test_app.send(request).await;
        assert_eq!(response.status, StatusCode::UNAUTHORIZED, "{path}");
        response.refused("invalid_token");
    }
    for (method, path) in [("PATCH", "/v1/me"), ("DELETE", "/v1/me"), ("POST", "/v1/logout-all")] {
        let request = browser.bare(method, path).insert_header(("content-type", "text/plain"));
        let response = test_app.send(request.set_payload("{")).await;
        response.is(StatusCode::FORBIDDEN).refused("csrf_failed");
    }
    for path in ["/v1/logout", "/v1/refresh"] {
        let request = browser.bare("POST", path).set_json(json!({"unknown": 1}));
        test_app.send(request).await.is(StatusCode::FORBIDDEN).refused("csrf_failed");
    }
}

/// Row W2: no site can log its visitors in to another account. No password is hashed for it.
#[actix_web::test]
async fn w2_a_login_from_another_site_gets_no_cookies() {
    let test_app = TestApp::new().await;
    let foreign: [&[(&str, &str)]; 6] = [
        &[("origin", "null")],
        &[("origin", "https://evil.example")],
        &[("origin", "http://auth.example.org")],
        &[("origin", OURS), ("origin", OURS)],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
    ];
    for headers in foreign {
        let mut request = login("cookie");
        for header in headers {
            request = request.append_header(*header);
        }
        let response = test_app.send(request).await;
        assert_eq!(response.status, StatusCode::FORBIDDEN, "{headers:?}");
        response.refused("csrf_failed");
    }
    assert_eq!(test_app.hasher.verified(), 0);
    assert!(test_app.store.sessions().is_empty());
    for origin in [OURS, LISTED] {
        let response = test_app.send(login("cookie").insert_header(("origin", origin))).await;
        assert_eq!(response.is(StatusCode::OK).cookies().len(), 4);
    }
    // Without a cookie in the response, the browser is not logged in.
    let bearer = login("bearer").insert_header(("origin", "https://evil.example"));
    test_app.send(bearer).await.is(StatusCode::OK);
    let form = TestRequest::post().uri("/v1/login").insert_header(("content-type", "text/plain"));
    let form = form.set_payload(json!({"username": "ada", "transport": "cookie"}).to_string());
    test_app.send(form).await.is(StatusCode::UNSUPPORTED_MEDIA_TYPE);
}
