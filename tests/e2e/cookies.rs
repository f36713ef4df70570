//! The cookie transport over the wire: cookies that are set, accepted and cleared.

mod credentials;
mod races;

use std::time::Duration;

use gateward_e2e::{Database, PASSWORD, TestResponse, claims, on_sqlite};
use reqwest::Method;
use serde_json::json;

use crate::support::cookie_jar::{
    ACCESS, CSRF, CookieJar, DEVICE, REFRESH, login_request, refuses, set_cookies,
};
use crate::support::test_server::TestServer;

on_sqlite!(
    s8_cookies_have_their_flags_in_every_response,
    s8_cookies_are_kept_for_the_rest_of_the_session,
    s2_a_login_takes_no_session_from_its_cookies,
    an_expired_access_cookie_logs_out,
);

/// How long a device stays known.
const KNOWN_SECONDS: i64 = 180 * 86_400;

/// Asserts that the response sets exactly these cookies, each with exactly its flags.
#[track_caller]
fn sets(response: &TestResponse, names: &[&str], same_site: &str, base: &str) {
    let cookies = set_cookies(response);
    let found: Vec<&str> = cookies.iter().map(|cookie| cookie.name.as_str()).collect();
    assert_eq!(found, names, "{response:?}");
    for cookie in cookies {
        let path = if cookie.name == REFRESH { format!("{base}/refresh") } else { "/".to_owned() };
        let mut wanted = vec![format!("Path={path}")];
        if cookie.name != CSRF {
            wanted.push("HttpOnly".to_owned());
        }
        wanted.extend(["Secure".to_owned(), format!("SameSite={same_site}")]);
        let mut attributes = cookie.attributes;
        attributes.sort();
        wanted.sort();
        assert_eq!(attributes, wanted, "{}", cookie.name);
        // Row 3.3.5: a browser drops longer cookies.
        assert!(cookie.name.len() + cookie.value.len() <= 4096, "{}", cookie.name);
        // Row 3.3.4: a value that scripts must not read is not in the body.
        let hidden = cookie.name != CSRF && !cookie.value.is_empty();
        assert!(!hidden || !response.text.contains(&cookie.value), "{response:?}");
    }
}

/// The fields of a response body.
fn members(response: &TestResponse) -> Vec<&str> {
    let mut members: Vec<&str> =
        response.body.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    members
}

/// Rows S8 and 3.3.1 to 3.3.5: names, flags and paths, for each `SameSite` and another base path.
async fn s8_cookies_have_their_flags_in_every_response(kind: Database) {
    for (same_site, base) in [("Lax", "/v1"), ("Strict", "/api/v7"), ("None", "/")] {
        let settings = [("cookies.same_site", same_site), ("http.base_path", base)];
        let base = base.trim_end_matches('/');
        let server = TestServer::start(kind, &settings).await;
        let client = &server.client;
        let path = |rest: &str| format!("{base}{rest}");
        let ada = json!({"username": "ada", "email": "ada@example.org", "password": PASSWORD});
        assert_eq!(client.send(client.post(&path("/signup"), &ada)).await.status, 201);
        let login = json!({"username": "ada", "password": PASSWORD, "transport": "cookie"});
        let response = client.send(client.post(&path("/login"), &login)).await;
        sets(&response, &[ACCESS, REFRESH, CSRF, DEVICE], same_site, base);
        assert_eq!(members(&response), ["csrf_token", "expires_in", "session_id", "user"]);
        assert_eq!(response.header("cache-control"), Some("no-store"));
        let mut cookie_jar = CookieJar::of(&response);
        assert_eq!(response.text_of("csrf_token"), cookie_jar.get(CSRF));
        assert_eq!(claims(cookie_jar.get(ACCESS))["sid"], cookie_jar.session_id);

        let send = async |cookie_jar: &CookieJar, rest: &str| {
            let cookies: Vec<String> =
                cookie_jar.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let request = client.request(Method::POST, &path(rest));
            let request = request.header("cookie", cookies.join("; "));
            client.send(request.header("x-csrf-token", cookie_jar.get(CSRF))).await
        };
        let response = send(&cookie_jar, "/refresh").await;
        assert_eq!(response.status, 200, "{response:?}");
        sets(&response, &[ACCESS, REFRESH, CSRF], same_site, base);
        assert_eq!(members(&response), ["csrf_token", "expires_in", "session_id", "user"]);
        assert_eq!(response.header("cache-control"), Some("no-store"));
        let before = cookie_jar.clone();
        cookie_jar.keep(&response);
        assert_eq!(cookie_jar.get(CSRF), before.get(CSRF), "constant for the session");
        assert!(
            cookie_jar.get(ACCESS) != before.get(ACCESS)
                && cookie_jar.get(REFRESH) != before.get(REFRESH)
        );

        let response = send(&cookie_jar, "/logout").await;
        assert_eq!(response.status, 204, "{response:?}");
        sets(&response, &[ACCESS, REFRESH, CSRF], same_site, base);
        assert!(
            set_cookies(&response).iter().all(|gone| gone.max_age == 0 && gone.value.is_empty())
        );
        let me = client.request(Method::GET, &path("/me")).header("cookie", cookie_jar.line(""));
        client.send(me).await.is(401, "session_ended");
    }
}

/// Row S8: `Max-Age` is the rest of the session, and never moves its end.
async fn s8_cookies_are_kept_for_the_rest_of_the_session(kind: Database) {
    let settings = [("tokens.refresh_idle_seconds", "500"), ("tokens.session_max_seconds", "600")];
    let server = TestServer::start(kind, &settings).await;
    let client = &server.client;
    let mut cookie_jar = CookieJar::begin(client, "ada").await;
    let response = client.send(login_request(client, "ada")).await;
    for cookie in set_cookies(&response) {
        let wanted = if cookie.name == DEVICE { KNOWN_SECONDS } else { 500 };
        assert_eq!(cookie.max_age, wanted, "{}", cookie.name);
    }
    // The idle timeout moves with a refresh, and the age of the cookies follows.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let response = cookie_jar.refresh(client, None).await;
    assert!(set_cookies(&response).iter().all(|cookie| cookie.max_age == 500), "{response:?}");
    cookie_jar.keep(&response);
    let refresh = claims(cookie_jar.get(REFRESH));
    let access = claims(cookie_jar.get(ACCESS));
    assert_eq!(refresh["exp"].as_i64().unwrap() - access["iat"].as_i64().unwrap(), 500);

    // The end of the session does not.
    let settings = [("tokens.refresh_idle_seconds", "600"), ("tokens.session_max_seconds", "600")];
    let server = TestServer::start(kind, &settings).await;
    let client = &server.client;
    let cookie_jar = CookieJar::begin(client, "ada").await;
    let end = claims(cookie_jar.get(REFRESH))["exp"].as_i64().unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let response = cookie_jar.refresh(client, None).await;
    let mut next = cookie_jar.clone();
    next.keep(&response);
    assert_eq!(claims(next.get(REFRESH))["exp"], end);
    for cookie in set_cookies(&response) {
        let left = end - claims(next.get(ACCESS))["iat"].as_i64().unwrap();
        assert!(cookie.max_age == left && left < 600, "{cookie:?}");
    }
}

/// Row S2: a session does not use cookies that an attacker planted in the browser.
async fn s2_a_login_takes_no_session_from_its_cookies(kind: Database) {
    let server = TestServer::start(kind, &[]).await;
    let client = &server.client;
    let mallory = CookieJar::begin(client, "mallory").await;
    assert_eq!(client.signup("ada").await.status, 201);
    let garbage = CookieJar {
        cookies: mallory.cookies.keys().map(|name| (name.clone(), "planted".to_owned())).collect(),
        session_id: "planted".to_owned(),
    };
    for planted in [&mallory, &garbage] {
        let line: Vec<String> =
            planted.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = login_request(client, "ada").header("cookie", line.join("; "));
        let ada = CookieJar::of(&client.send(request).await);
        assert_ne!(ada.session_id, planted.session_id);
        for name in [ACCESS, REFRESH, CSRF, DEVICE] {
            assert_ne!(ada.get(name), planted.get(name), "{name}");
        }
        assert_eq!(ada.me(client).await.body["username"], "ada");
        assert_eq!(mallory.me(client).await.body["username"], "mallory");
        let sessions = client.send(ada.bare(client, Method::GET, "/v1/me/sessions")).await;
        let items = sessions.body["items"].as_array().unwrap();
        assert!(items.iter().all(|item| item["id"] != mallory.session_id.as_str()), "{items:?}");
        // The planted CSRF token does not work in the new session, nor the new one in the old
        // session.
        for (cookies, token) in [(&ada, planted.get(CSRF)), (&mallory, ada.get(CSRF))] {
            let forged = cookies.bare(client, Method::POST, "/v1/logout");
            let forged = forged.header("x-csrf-token", token);
            refuses(&client.send(forged).await, 403, "csrf_failed");
        }
    }
}

/// A browser whose access token has expired can still log out.
async fn an_expired_access_cookie_logs_out(kind: Database) {
    let server = TestServer::start(kind, &[("tokens.access_ttl_seconds", "1")]).await;
    let client = &server.client;
    let cookie_jar = CookieJar::begin(client, "ada").await;
    let mut response = cookie_jar.me(client).await;
    // The leeway for clocks is part of the wait.
    for _ in 0..100 {
        if response.status != 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        response = cookie_jar.me(client).await;
    }
    refuses(&response, 401, "token_expired");
    let forged = cookie_jar.bare(client, Method::POST, "/v1/logout");
    refuses(&client.send(forged).await, 403, "csrf_failed");
    for _ in 0..2 {
        let response = client.send(cookie_jar.request(client, Method::POST, "/v1/logout")).await;
        assert_eq!(response.status, 204, "{response:?}");
        let mut emptied = cookie_jar.clone();
        emptied.keep(&response);
        assert_eq!(emptied.cookies.into_keys().collect::<Vec<_>>(), [DEVICE]);
    }
    let refused = cookie_jar.refresh(client, None).await;
    refuses(&refused, 401, "session_ended");
    assert_eq!(refused.body["reason"], "logout");
}
