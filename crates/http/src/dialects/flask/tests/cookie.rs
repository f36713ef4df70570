//! Tests with tokens in cookies.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::super::{Flask, FlaskTransport};
use super::fixture::{EXPIRED, REVOKED, ada, flask, is_error, is_ok, login, service};
use crate::problem::details;
use crate::testing::{LISTED, OURS, TestApp, TestResponse};

const NO_CSRF: &str = "Missing CSRF token";
const WRONG_CSRF: &str = "CSRF double submit tokens do not match";
const NO_ACCESS: &str = "Missing cookie \"access_token_cookie\"";
const NO_REFRESH: &str = "Missing cookie \"refresh_token_cookie\"";

/// The dialect with cookies.
fn cookies() -> Flask {
    Flask { transport: FlaskTransport::Cookie, ..flask() }
}

/// The values of the four cookies.
#[derive(Clone, Debug)]
struct CookieJar {
    access: String,
    csrf: String,
    refresh: String,
    refresh_csrf: String,
}

impl CookieJar {
    async fn new(test_app: &TestApp) -> Self {
        Self::of(&test_app.send(login()).await.is(StatusCode::OK))
    }

    fn of(response: &TestResponse) -> Self {
        let value = |name| response.cookie(name).to_owned();
        Self {
            access: value("access_token_cookie"),
            csrf: value("csrf_access_token"),
            refresh: value("refresh_token_cookie"),
            refresh_csrf: value("csrf_refresh_token"),
        }
    }

    /// A request with all cookies, as a browser sends them to the path of the refresh.
    fn bare(&self, method: &str, path: &str) -> TestRequest {
        let line = format!(
            "theirs=1; access_token_cookie={}; csrf_access_token={}; refresh_token_cookie={}; \
             csrf_refresh_token={}",
            self.access, self.csrf, self.refresh, self.refresh_csrf
        );
        let request = TestRequest::default().method(method.parse().unwrap()).uri(path);
        request.insert_header(("cookie", line))
    }

    /// The same with the CSRF token of the access token.
    fn request(&self, method: &str, path: &str) -> TestRequest {
        self.bare(method, path).insert_header(("x-csrf-token", self.csrf.as_str()))
    }

    fn refresh(&self, path: &str) -> TestRequest {
        self.bare("POST", path).insert_header(("X-CSRF-TOKEN", self.refresh_csrf.as_str()))
    }
}

/// The claims of a token.
fn claims(token: &str) -> Value {
    let body = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).unwrap()).unwrap()
}

/// The cookies without their values.
fn attributes(response: &TestResponse) -> Vec<String> {
    let without_value = |line: &str| {
        let (name, rest) = line.split_once('=').unwrap();
        format!("{name};{}", rest.split_once(';').unwrap().1)
    };
    response.cookies().into_iter().map(without_value).collect()
}

#[actix_web::test]
async fn a_session_is_used_refreshed_twice_and_ended() {
    let test_app = service(cookies()).await;
    let hello = json!({"message": "Hello, ada!"});
    let response = test_app.send(login()).await;
    is_ok(&response, &json!({"msg": "Login successful"}));
    let set = [
        "access_token_cookie; Path=/; Secure; SameSite=Lax; HttpOnly",
        "csrf_access_token; Path=/; Secure; SameSite=Lax",
        "refresh_token_cookie; Path=/refresh; Secure; SameSite=Lax; HttpOnly",
        "csrf_refresh_token; Path=/; Secure; SameSite=Lax",
    ];
    assert_eq!(attributes(&response), set);
    let mut jar = CookieJar::of(&response);
    assert_ne!(jar.csrf, jar.refresh_csrf);
    assert_eq!(claims(&jar.access)["csrf"], jar.csrf);
    assert_eq!(claims(&jar.access)["fresh"], true);
    is_ok(&test_app.send(jar.bare("GET", "/protected")).await, &hello);
    for _ in 0..2 {
        let response = test_app.send(jar.refresh("/refresh")).await;
        is_ok(&response, &json!({"msg": "Refresh successful"}));
        assert_eq!(attributes(&response), set);
        let next = CookieJar::of(&response);
        assert_ne!((&next.access, &next.refresh), (&jar.access, &jar.refresh));
        jar = next;
        assert_eq!(claims(&jar.access)["csrf"], jar.csrf);
        assert_eq!(claims(&jar.access)["fresh"], false);
        is_ok(&test_app.send(jar.bare("GET", "/protected")).await, &hello);
    }
    let response = test_app.send(jar.request("POST", "/logout")).await;
    is_ok(&response, &json!({"msg": "Logout successful"}));
    let forget = "Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; SameSite=Lax";
    let gone = [
        format!("access_token_cookie=; Path=/; {forget}; HttpOnly"),
        format!("csrf_access_token=; Path=/; {forget}"),
        format!("refresh_token_cookie=; Path=/refresh; {forget}; HttpOnly"),
        format!("csrf_refresh_token=; Path=/; {forget}"),
    ];
    assert_eq!(response.cookies(), gone);
    is_error(&test_app.send(jar.bare("GET", "/protected")).await, 401, REVOKED);
    is_error(&test_app.send(jar.refresh("/refresh")).await, 401, REVOKED);
    is_error(&test_app.send(jar.request("DELETE", "/logout")).await, 401, REVOKED);
}

#[actix_web::test]
async fn the_paths_of_the_cookies_follow_the_path() {
    let test_app = service(Flask { path: "/auth".to_owned(), ..cookies() }).await;
    let request = TestRequest::post().uri("/auth/login").set_json(ada());
    let response = test_app.send(request).await.is(StatusCode::OK);
    let paths: Vec<String> = attributes(&response)
        .iter()
        .map(|line| {
            line.split("; ").find_map(|part| part.strip_prefix("Path=")).unwrap().to_owned()
        })
        .collect();
    assert_eq!(paths, ["/auth", "/", "/auth/refresh", "/"]);
    let jar = CookieJar::of(&response);
    test_app.send(jar.refresh("/auth/refresh")).await.is(StatusCode::OK);
    let response = test_app.send(jar.request("DELETE", "/auth/logout")).await.is(StatusCode::OK);
    assert!(response.cookies()[2].contains("Path=/auth/refresh; Expires="));
}

#[actix_web::test]
async fn without_rotation_only_the_access_cookies_are_new() {
    let test_app = service(Flask { rotate: false, ..cookies() }).await;
    let jar = CookieJar::new(&test_app).await;
    for _ in 0..2 {
        test_app.clock.advance_seconds(3600);
        let response = test_app.send(jar.refresh("/refresh")).await;
        is_ok(&response, &json!({"msg": "Refresh successful"}));
        let names: Vec<&str> =
            response.cookies().iter().map(|line| line.split('=').next().unwrap()).collect();
        assert_eq!(names, ["access_token_cookie", "csrf_access_token"]);
        assert_eq!(response.cookie("csrf_access_token"), jar.csrf);
    }
}

#[actix_web::test]
async fn requests_that_change_data_need_the_csrf_token_of_their_token() {
    let test_app = service(cookies()).await;
    let (jar, other) = (CookieJar::new(&test_app).await, CookieJar::new(&test_app).await);
    for (method, path, right, wrong) in [
        ("POST", "/refresh", &jar.refresh_csrf, &jar.csrf),
        ("POST", "/logout", &jar.csrf, &jar.refresh_csrf),
        ("DELETE", "/logout", &jar.csrf, &jar.refresh_csrf),
    ] {
        is_error(&test_app.send(jar.bare(method, path)).await, 401, NO_CSRF);
        let with = |text: &str| jar.bare(method, path).insert_header(("x-csrf-token", text));
        is_error(&test_app.send(with("")).await, 401, NO_CSRF);
        for text in ["wrong", wrong, &other.csrf, &other.refresh_csrf] {
            is_error(&test_app.send(with(text)).await, 401, WRONG_CSRF);
        }
        let twice = with(right).append_header(("x-csrf-token", right.as_str()));
        is_error(&test_app.send(twice).await, 401, WRONG_CSRF);
    }
    // None of them has ended the session or used the refresh token.
    let request = jar.bare("GET", "/protected").insert_header(("x-csrf-token", "wrong"));
    test_app.send(request).await.is(StatusCode::OK);
    test_app.send(jar.refresh("/refresh")).await.is(StatusCode::OK);
    test_app.send(jar.request("POST", "/logout")).await.is(StatusCode::OK);
}

#[actix_web::test]
async fn without_csrf_tokens_other_sites_are_still_refused() {
    let test_app = service(Flask { csrf: false, ..cookies() }).await;
    let jar = CookieJar::new(&test_app).await;
    let request = || jar.bare("POST", "/refresh");
    let cross_site = request().insert_header(("origin", "https://other.example"));
    is_error(&test_app.send(cross_site).await, 403, details::CROSS_SITE);
    let cross_site = request().insert_header(("sec-fetch-site", "same-site"));
    is_error(&test_app.send(cross_site).await, 403, details::CROSS_SITE);
    test_app.send(request().insert_header(("origin", OURS))).await.is(StatusCode::OK);
    test_app.send(jar.bare("DELETE", "/logout")).await.is(StatusCode::OK);
}

#[actix_web::test]
async fn other_sites_neither_log_in_nor_act() {
    let test_app = service(cookies()).await;
    let jar = CookieJar::new(&test_app).await;
    for request in [login(), jar.refresh("/refresh"), jar.request("POST", "/logout")] {
        let request = request.insert_header(("origin", "https://other.example"));
        is_error(&test_app.send(request).await, 403, details::CROSS_SITE);
    }
    for request in [login(), jar.refresh("/refresh"), jar.request("POST", "/logout")] {
        test_app.send(request.insert_header(("origin", LISTED))).await.is(StatusCode::OK);
    }
}

#[actix_web::test]
async fn only_the_cookie_of_the_endpoint_counts() {
    let test_app = service(cookies()).await;
    let jar = CookieJar::new(&test_app).await;
    let with = |method: &str, path, line: String| {
        let request = TestRequest::default().method(method.parse().unwrap()).uri(path);
        let request = request.insert_header(("authorization", format!("Bearer {}", jar.access)));
        request.insert_header(("cookie", line)).insert_header(("x-csrf-token", jar.csrf.as_str()))
    };
    let (access, refresh) = (jar.access.as_str(), jar.refresh.as_str());
    for (method, path, line, status, text) in [
        ("GET", "/protected", String::new(), 401, NO_ACCESS),
        ("GET", "/protected", "access_token_cookie=".to_owned(), 401, NO_ACCESS),
        ("GET", "/protected", format!("refresh_token_cookie={refresh}"), 401, NO_ACCESS),
        ("POST", "/logout", format!("refresh_token_cookie={refresh}"), 401, NO_ACCESS),
        ("POST", "/refresh", format!("access_token_cookie={access}"), 401, NO_REFRESH),
        (
            "GET",
            "/protected",
            format!("access_token_cookie={refresh}"),
            422,
            "Only non-refresh tokens are allowed",
        ),
        (
            "POST",
            "/refresh",
            format!("refresh_token_cookie={access}"),
            422,
            "Only refresh tokens are allowed",
        ),
    ] {
        is_error(&test_app.send(with(method, path, line)).await, status, text);
    }
}

/// The replaced server has left its cookie, and another host of the site may set one.
#[actix_web::test]
async fn cookies_that_others_have_signed_are_ignored_and_those_of_two_sessions_refused() {
    let test_app = service(cookies()).await;
    let (jar, other) = (CookieJar::new(&test_app).await, CookieJar::new(&test_app).await);
    let with = |line: String| TestRequest::get().uri("/protected").insert_header(("cookie", line));
    let own = format!("access_token_cookie={}", jar.access);
    let foreign = "access_token_cookie=e30.e30.xyz";
    for line in [format!("{own}; {foreign}"), format!("{foreign}; {own}"), format!("{own}; {own}")]
    {
        test_app.send(with(line)).await.is(StatusCode::OK);
    }
    for line in [
        format!("access_token_cookie={}; {own}", other.access),
        format!("{own}; access_token_cookie={}", other.access),
        format!("{foreign}; {foreign}"),
    ] {
        is_error(&test_app.send(with(line)).await, 422, "Signature verification failed");
    }
    let line = format!("refresh_token_cookie=old; refresh_token_cookie={}", jar.refresh);
    let refresh = TestRequest::post().uri("/refresh").insert_header(("cookie", line));
    let refresh = refresh.insert_header(("x-csrf-token", jar.refresh_csrf.as_str()));
    test_app.send(refresh).await.is(StatusCode::OK);
}

#[actix_web::test]
async fn an_expired_access_token_ends_its_session_and_the_cookies_go() {
    let test_app = service(cookies()).await;
    let jar = CookieJar::new(&test_app).await;
    test_app.clock.advance_seconds(3600);
    is_error(&test_app.send(jar.bare("GET", "/protected")).await, 401, EXPIRED);
    let response = test_app.send(jar.request("POST", "/logout")).await;
    is_ok(&response, &json!({"msg": "Logout successful"}));
    assert_eq!(response.cookies().len(), 4);
    is_error(&test_app.send(jar.refresh("/refresh")).await, 401, REVOKED);
}

/// A service that receives access tokens knows their claims.
#[actix_web::test]
async fn the_csrf_claim_is_not_the_csrf_token_of_the_api() {
    let test_app = service(cookies()).await;
    let jar = CookieJar::new(&test_app).await;
    let line = format!("__Host-gateward-access={}", jar.access);
    let logout = TestRequest::post().uri("/v1/logout").insert_header(("cookie", line));
    let response = test_app.send(logout.insert_header(("x-csrf-token", jar.csrf.as_str()))).await;
    assert_eq!(response.status, StatusCode::FORBIDDEN, "{response:?}");
}

#[actix_web::test]
async fn csrf_tokens_are_checked_with_expired_tokens_too() {
    let test_app = service(cookies()).await;
    let jar = CookieJar::new(&test_app).await;
    test_app.clock.advance_seconds(3600);
    is_error(&test_app.send(jar.bare("POST", "/logout")).await, 401, NO_CSRF);
    let wrong = jar.bare("POST", "/logout").insert_header(("x-csrf-token", "wrong"));
    is_error(&test_app.send(wrong).await, 401, WRONG_CSRF);
    test_app.clock.advance_seconds(40 * 24 * 3600);
    is_error(&test_app.send(jar.refresh("/refresh")).await, 401, EXPIRED);
}

#[actix_web::test]
async fn a_bad_login_sets_no_cookies() {
    let test_app = service(cookies()).await;
    let body = json!({"username": "ada", "password": "wrong"});
    let response = test_app.send(TestRequest::post().uri("/login").set_json(body)).await;
    is_error(&response, 401, "Bad username or password");
}
