//! Which cookies are credentials, and which combinations are refused.

use gateward_e2e::{Client, PASSWORD, TestResponse};
use reqwest::Method;
use serde_json::json;

use crate::support::cookie_jar::{
    ACCESS, CSRF, CookieJar, DEVICE, OWN, REFRESH, login_request, refuses,
};
use crate::support::test_server::TestServer;

/// Sends a request with this `Cookie` header, and the CSRF token of a jar.
async fn send(
    client: &Client,
    cookie_jar: &CookieJar,
    (method, path): (Method, &str),
    line: &str,
) -> TestResponse {
    let request = client.request(method, path).header("cookie", line);
    client.send(request.header("x-csrf-token", cookie_jar.get(CSRF))).await
}

/// Asserts that the session is active, without a refresh, and that no other session started.
async fn is_untouched(client: &Client, cookie_jar: &CookieJar) {
    let response = client.send(cookie_jar.bare(client, Method::GET, "/v1/me/sessions")).await;
    let items = response.body["items"].as_array().unwrap_or_else(|| panic!("{response:?}"));
    assert_eq!(items.len(), 1, "{response:?}");
    assert_eq!(items[0]["id"], cookie_jar.session_id.as_str());
    assert_eq!(items[0]["refreshes"], 0, "{response:?}");
}

#[tokio::test]
async fn two_cookies_of_one_name_are_refused() {
    let server = TestServer::new().await;
    let client = &server.client;
    let cookie_jar = CookieJar::begin(client, "ada").await;
    for (name, act) in [
        (ACCESS, (Method::GET, "/v1/me")),
        (ACCESS, (Method::POST, "/v1/logout")),
        (ACCESS, (Method::POST, "/v1/logout-all")),
        (REFRESH, (Method::POST, "/v1/refresh")),
    ] {
        let value = cookie_jar.get(name);
        for line in [
            format!("{name}={value}; {name}={value}"),
            format!("{name}={value}; {name}="),
            format!("{name}=x; a=b; {name}={value}"),
        ] {
            refuses(&send(client, &cookie_jar, act.clone(), &line).await, 400, "malformed_request");
        }
        // In two headers, which a browser does not send and a proxy may.
        let request = client.request(act.0, act.1).header("cookie", format!("{name}={value}"));
        let request = request.header("cookie", format!("{name}={value}"));
        let response = client.send(request.header("x-csrf-token", cookie_jar.get(CSRF))).await;
        refuses(&response, 400, "malformed_request");
    }
    let twice = format!("{DEVICE}=x; {DEVICE}=y");
    let response = client.send(login_request(client, "ada").header("cookie", twice)).await;
    refuses(&response, 400, "malformed_request");
    is_untouched(client, &cookie_jar).await;
}

#[tokio::test]
async fn credentials_at_two_places_are_refused() {
    let server = TestServer::new().await;
    let client = &server.client;
    let cookie_jar = CookieJar::begin(client, "ada").await;
    for (method, path) in [
        (Method::GET, "/v1/me"),
        (Method::GET, "/v1/me/sessions"),
        (Method::POST, "/v1/logout-all"),
        (Method::POST, "/v1/logout"),
        (Method::DELETE, "/v1/me"),
    ] {
        let request = cookie_jar.request(client, method, path).bearer_auth(cookie_jar.get(ACCESS));
        let response = client.send(request).await;
        refuses(&response, 400, "malformed_request");
        let challenge = response.header("www-authenticate").unwrap_or_default();
        assert!(challenge.contains("error=\"invalid_request\""), "{response:?}");
    }
    let both = json!({"refresh_token": cookie_jar.get(REFRESH)});
    refuses(&cookie_jar.post(client, "/v1/refresh", &both).await, 400, "malformed_request");
    let login = json!({
        "identifier": "ada", "password": PASSWORD, "transport": "cookie",
        "known_device_token": cookie_jar.get(DEVICE),
    });
    let login = client.post("/v1/login", &login).header("cookie", cookie_jar.line("/v1/login"));
    refuses(&client.send(login).await, 400, "malformed_request");
    is_untouched(client, &cookie_jar).await;
}

/// Tokens in another cookie, or in one with a similar name, give no access.
#[tokio::test]
async fn no_other_cookie_is_a_credential() {
    let server = TestServer::new().await;
    let client = &server.client;
    let cookie_jar = CookieJar::begin(client, "ada").await;
    let (access, refresh) = (cookie_jar.get(ACCESS).to_owned(), cookie_jar.get(REFRESH).to_owned());
    for line in [
        format!("{REFRESH}={refresh}"),
        format!("{REFRESH}={access}"),
        format!("{CSRF}={access}"),
        format!("{DEVICE}={access}"),
        format!("{}={access}", ACCESS.to_lowercase()),
        format!("{}={access}", ACCESS.to_uppercase()),
        format!("__Secure-gateward-access={access}"),
        format!("gateward-access={access}"),
        format!("%5F_Host-gateward-access={access}"),
        format!("{ACCESS} ={access}"),
        format!("{ACCESS}="),
        format!("access_token={access}; a={ACCESS}={access}"),
    ] {
        for act in [(Method::GET, "/v1/me"), (Method::POST, "/v1/logout-all")] {
            refuses(&send(client, &cookie_jar, act, &line).await, 401, "missing_token");
        }
    }
    let line = format!("{ACCESS}={refresh}");
    for act in [(Method::GET, "/v1/me"), (Method::POST, "/v1/logout")] {
        refuses(&send(client, &cookie_jar, act, &line).await, 401, "wrong_token_kind");
    }
    let refresh_act = (Method::POST, "/v1/refresh");
    let line = format!("{REFRESH}={access}");
    refuses(&send(client, &cookie_jar, refresh_act.clone(), &line).await, 401, "wrong_token_kind");
    for line in [format!("{REFRESH}=e30.e30.e30"), format!("{REFRESH}=x")] {
        refuses(&send(client, &cookie_jar, refresh_act.clone(), &line).await, 401, "invalid_token");
    }
    is_untouched(client, &cookie_jar).await;
}

/// The refresh cookie beside the access cookie is one credential, and both may be among cookies of
/// other applications, in any syntax.
#[tokio::test]
async fn cookies_of_others_do_not_disturb() {
    let server = TestServer::new().await;
    let client = &server.client;
    let mut cookie_jar = CookieJar::begin(client, "ada").await;
    let own: Vec<String> =
        cookie_jar.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let line = format!("=; ;;x; a=\"; {{\"b\": 1}}; \u{e9}=\u{e9}; {}; a=b; a=c;", own.join("; "));
    assert_eq!(send(client, &cookie_jar, (Method::GET, "/v1/me"), &line).await.status, 200);
    let response = send(client, &cookie_jar, (Method::POST, "/v1/refresh"), &line).await;
    assert_eq!(response.status, 200, "{response:?}");
    cookie_jar.keep(&response);
    assert_eq!(cookie_jar.me(client).await.status, 200);
}

/// A request that needs no access token ignores one anywhere.
#[tokio::test]
async fn cookies_are_not_looked_at_where_none_is_needed() {
    let server = TestServer::new().await;
    let client = &server.client;
    let cookie_jar = CookieJar::begin(client, "ada").await;
    let twice = format!("{}; {ACCESS}=x; {REFRESH}=y", cookie_jar.line("/v1/refresh"));
    let with = |path: &str, body| {
        let request = client.post(path, &body).header("cookie", &twice);
        client.send(request.bearer_auth("x").header("origin", "https://evil.example"))
    };
    let bearer = json!({"identifier": "ada", "password": PASSWORD});
    let pair = with("/v1/login", bearer).await;
    assert!(pair.status == 200 && !pair.headers.contains_key("set-cookie"), "{pair:?}");
    assert_eq!(with("/v1/password/forgot", json!({"email": "ada@example.org"})).await.status, 202);
    for path in ["/health/live", "/.well-known/jwks.json", "/openapi.json"] {
        let headers = [("cookie", twice.as_str()), ("authorization", "Bearer x")];
        assert_eq!(server.get_with(path, &headers).await.status, 200, "{path}");
    }
    // A refresh token in the body of a logout names the session. Other credentials are ignored.
    let logout = json!({"refresh_token": pair.refresh_token()});
    let response = client.send(client.post("/v1/logout", &logout).header("origin", OWN)).await;
    assert_eq!(response.status, 204);
    assert_eq!(cookie_jar.me(client).await.status, 200, "the other session goes on");
}
