//! Tests of cookies: flags, names, contents and recipients.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use gateward_app::Policy;
use serde_json::json;

use crate::testing::{Browser, PASSWORD, TestApp, login, options, policy};
use crate::{Options, SameSite};

const FIELDS: [&str; 4] = ["csrf_token", "expires_in", "session_id", "user"];

/// Rows S8, 3.3.1, 3.3.2 and 3.3.3: every flag of every cookie.
#[actix_web::test]
async fn s8_every_cookie_has_its_flags() {
    let words = [(SameSite::Strict, "Strict"), (SameSite::Lax, "Lax"), (SameSite::None, "None")];
    for (same_site, word) in words {
        for base_path in ["/v1", ""] {
            let base = base_path.to_owned();
            let test_app = TestApp::with(Options { same_site, base_path: base, ..options() }).await;
            let login = login("cookie").uri(&format!("{base_path}/login"));
            let response = test_app.send(login).await.is(StatusCode::OK);
            let value = |name| response.cookie(name);
            let rest = format!("; Secure; SameSite={word}");
            let access = value("__Host-gateward-access");
            let refresh = value("__Secure-gateward-refresh");
            let csrf = value("__Host-gateward-csrf");
            let device = value("__Host-gateward-device");
            let lines = [
                format!("__Host-gateward-access={access}; Path=/; Max-Age=604800; HttpOnly{rest}"),
                format!(
                    "__Secure-gateward-refresh={refresh}; Path={base_path}/refresh; \
                     Max-Age=604800; HttpOnly{rest}"
                ),
                format!("__Host-gateward-csrf={csrf}; Path=/; Max-Age=604800{rest}"),
                format!(
                    "__Host-gateward-device={device}; Path=/; Max-Age=15552000; HttpOnly{rest}"
                ),
            ];
            assert_eq!(response.cookies(), lines);
        }
    }
}

/// Rows S8 and 3.3.4: secrets that scripts must not read are only in cookies.
#[actix_web::test]
async fn s8_a3_3_4_no_token_stands_in_a_body() {
    let test_app = TestApp::new().await;
    let response = test_app.send(login("cookie")).await.is(StatusCode::OK);
    assert_eq!(response.fields(), FIELDS);
    assert_eq!(response.text_of("csrf_token"), response.cookie("__Host-gateward-csrf"));
    assert_eq!(response.json()["expires_in"], 900);
    assert_eq!(response.json()["user"]["username"], "ada");
    for name in ["__Host-gateward-access", "__Secure-gateward-refresh", "__Host-gateward-device"] {
        assert!(!response.text.contains(response.cookie(name)), "{name}");
    }
    assert_eq!(response.header("cache-control"), "no-store");
}

#[actix_web::test]
async fn a_login_by_bodies_sets_no_cookie() {
    let test_app = TestApp::new().await;
    let response = test_app.bearer().await;
    let fields = [
        "access_token",
        "expires_in",
        "known_device_token",
        "refresh_expires_in",
        "refresh_token",
        "session_id",
        "token_type",
        "user",
    ];
    assert_eq!(response.fields(), fields);
    assert_eq!(response.cookies(), [""; 0]);
    let other = test_app.send(login("carrier pigeon")).await.refused("validation_failed");
    assert_eq!(other.json()["errors"][0]["field"], "transport");
}

/// Row S2: cookies that a browser already has start no session.
#[actix_web::test]
async fn s2_a_login_takes_no_session_from_a_cookie() {
    let test_app = TestApp::new().await;
    let before = test_app.browser().await;
    let line = format!(
        "__Host-gateward-access={}; __Host-gateward-access=x; __Host-gateward-csrf=chosen",
        before.access
    );
    let request = login("cookie").insert_header(("cookie", line));
    let after = Browser::of(&test_app.send(request).await.is(StatusCode::OK));
    assert_ne!(before.session_id, after.session_id);
    assert_ne!(before.csrf, after.csrf);
    assert_ne!(after.csrf, "chosen");
}

/// Row 3.3.5: browsers drop cookies of more than 4096 bytes.
#[actix_web::test]
async fn a3_3_5_the_longest_cookies_fit() {
    let test_app = TestApp::new().await;
    let (name, domain) = ("n".repeat(32), vec!["d".repeat(60); 3].join("."));
    let email = format!("{}@{domain}.org", "l".repeat(64));
    test_app.sign_up(&name, &email).await;
    let body = json!({"username": name, "password": PASSWORD, "transport": "cookie"});
    let request = TestRequest::post().uri("/v1/login").set_json(body);
    let response = test_app.send(request).await.is(StatusCode::OK);
    for line in response.cookies() {
        let pair = line.split(';').next().unwrap();
        assert!(pair.len() <= 4096, "{} bytes: {pair}", pair.len());
    }
}

/// Row 3.3.1: a cookie with a similar name is ignored.
#[actix_web::test]
async fn a3_3_1_only_the_exact_name_is_ours() {
    let test_app = TestApp::new().await;
    let browser = test_app.browser().await;
    let me = |line: String| TestRequest::get().uri("/v1/me").insert_header(("cookie", line));
    for name in ["__host-gateward-access", "__HOST-gateward-access", "gateward-access"] {
        let response = test_app.send(me(format!("{name}={}", browser.access))).await;
        response.is(StatusCode::UNAUTHORIZED).refused("missing_token");
    }
    let both = format!("__host-gateward-access=x; __Host-gateward-access={}", browser.access);
    test_app.send(me(both)).await.is(StatusCode::OK);
    let none = me("__Host-gateward-access=e30.e30.e30".to_owned());
    test_app.send(none).await.is(StatusCode::UNAUTHORIZED).refused("invalid_token");
    let none = me("__Host-gateward-access=\"".to_owned() + &browser.access + "\"");
    test_app.send(none).await.is(StatusCode::UNAUTHORIZED).refused("invalid_token");
}

#[actix_web::test]
async fn the_cookie_tells_who_calls() {
    let test_app = TestApp::new().await;
    let browser = test_app.browser().await;
    let response = test_app.send(browser.bare("GET", "/v1/me")).await.is(StatusCode::OK);
    assert_eq!(response.json()["username"], "ada");
    let change = browser.request("PATCH", "/v1/me").set_json(json!({"username": "lovelace"}));
    let response = test_app.send(change).await.is(StatusCode::OK);
    assert_eq!(response.json()["username"], "lovelace");
    // A refresh token in the cookie of the access token.
    let line = format!("__Host-gateward-access={}", browser.refresh);
    let request = TestRequest::get().uri("/v1/me").insert_header(("cookie", line));
    test_app.send(request).await.is(StatusCode::UNAUTHORIZED).refused("wrong_token_kind");
}

#[actix_web::test]
async fn giving_the_password_again_by_cookie_sets_the_access_token_alone() {
    let policy = Policy { reauthentication_seconds: 900, ..policy() };
    let test_app = TestApp::set_up(options(), policy).await;
    test_app.sign_up("ada", "ada@example.org").await;
    let browser = test_app.browser().await;
    test_app.clock.advance_seconds(60);
    let body = json!({"password": PASSWORD});
    let request = browser.request("POST", "/v1/me/reauthenticate").set_json(&body);
    let response = test_app.send(request).await.is(StatusCode::OK);
    assert_eq!(response.fields(), FIELDS);
    assert_eq!(response.text_of("csrf_token"), browser.csrf);
    assert_eq!(response.cookies().len(), 1);
    let access = response.cookie("__Host-gateward-access").to_owned();
    assert!(access != browser.access && !response.text.contains(&access));
    // The new access token counts as a recent confirmation for longer than the old one.
    test_app.clock.advance_seconds(890);
    let again = Browser { access, ..browser };
    test_app.send(again.bare("GET", "/v1/me/export")).await.is(StatusCode::OK);

    let bearer = test_app.bearer().await;
    let header = ("authorization", format!("Bearer {}", bearer.text_of("access_token")));
    let request = TestRequest::post().uri("/v1/me/reauthenticate").insert_header(header);
    let response = test_app.send(request.set_json(&body)).await.is(StatusCode::OK);
    assert_eq!(response.fields(), ["access_token", "expires_in", "token_type"]);
    assert_eq!(response.cookies(), [""; 0]);
}

#[actix_web::test]
async fn a_browser_is_known_again_by_its_cookie() {
    let test_app = TestApp::new().await;
    let first = test_app.send(login("cookie")).await.is(StatusCode::OK);
    let device = first.cookie("__Host-gateward-device");
    let known = ("cookie", format!("__Host-gateward-device={device}"));
    let again = test_app.send(login("cookie").insert_header(known.clone())).await;
    assert_eq!(again.cookie("__Host-gateward-device"), device);
    assert_eq!(test_app.store.known_devices().len(), 1);
    // In bearer mode the cookie is ignored.
    let bearer = test_app.send(login("bearer").insert_header(known.clone())).await;
    assert_ne!(bearer.text_of("known_device_token"), device);
    let mut body = json!({"username": "ada", "password": PASSWORD, "known_device_token": device});
    let by_body = |body: &serde_json::Value| TestRequest::post().uri("/v1/login").set_json(body);
    let response = test_app.send(by_body(&body).insert_header(known.clone())).await;
    assert_eq!(response.text_of("known_device_token"), device);
    // Two tokens at once are rejected, and so are two cookies of the same name.
    body["transport"] = json!("cookie");
    let sessions = test_app.store.sessions().len();
    let twice = ("cookie", format!("{}; {}", known.1, known.1));
    test_app.send(by_body(&body).insert_header(known)).await.refused("malformed_request");
    test_app.send(login("cookie").insert_header(twice)).await.refused("malformed_request");
    assert_eq!(test_app.store.sessions().len(), sessions);
}
