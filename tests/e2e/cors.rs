//! Pages of other origins, and the cookies of their visitors: row W4.

use gateward_e2e::{Client, TestResponse};
use reqwest::{Method, RequestBuilder};

use crate::support::cookie_jar::{CookieJar, login_request, set_cookies};
use crate::support::pages::PATHS;
use crate::support::test_server::TestServer;

const LISTED: &str = "https://app.example.org";

/// Every origin that differs from the one in the list.
const STRANGERS: [&str; 11] = [
    "https://evil.example",
    "null",
    "*",
    "",
    "https://app.example.org.evil.example",
    "https://evil-app.example.org",
    "https://sub.app.example.org",
    "http://app.example.org",
    "https://app.example.org:444",
    "https://APP.example.org",
    "https://app.example.org, https://evil.example",
];

async fn server() -> TestServer {
    TestServer::with(&[("http.cors_origins", LISTED)]).await
}

/// Asserts that a browser hides the response from the page, and that a cache keeps the variants
/// apart.
#[track_caller]
fn is_hidden(what: &str, response: &TestResponse) {
    let told =
        response.headers.keys().find(|name| name.as_str().starts_with("access-control-allow"));
    // Alone, `Allow-Credentials` exposes nothing.
    assert!(
        told.is_none_or(|name| name == "access-control-allow-credentials"),
        "{what}: {response:?}"
    );
    assert!(varies(response), "{what}: {response:?}");
}

fn varies(response: &TestResponse) -> bool {
    let lines = response.headers.get_all("vary").iter();
    let mut names = lines.flat_map(|line| line.to_str().unwrap().split(','));
    names.any(|name| name.trim().eq_ignore_ascii_case("origin"))
}

/// Asserts that only the listed origin may read the response.
#[track_caller]
fn is_shown(what: &str, response: &TestResponse) {
    let allowed = response.header("access-control-allow-origin");
    assert_eq!(allowed, Some(LISTED), "{what}: {response:?}");
    let credentials = response.header("access-control-allow-credentials");
    assert_eq!(credentials, Some("true"), "{what}: {response:?}");
    assert!(varies(response), "{what}: {response:?}");
    let exposed = response.header("access-control-expose-headers").unwrap_or_default();
    assert!(!exposed.contains('*') && !exposed.contains("cookie"), "{what}: {response:?}");
}

/// Every operation of the document.
async fn operations(client: &Client) -> Vec<(Method, String)> {
    let document = client.get("/openapi.json").await.body;
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            found.push((method.to_uppercase().parse().unwrap(), path.clone()));
        }
    }
    assert!(found.len() > 25, "the document was read");
    // The pages, their files and the inbox are in no document.
    for path in PATHS {
        found.extend([(Method::GET, path.to_owned()), (Method::POST, path.to_owned())]);
    }
    for path in ["/docs", "/docs/problems", "/docs/start.js", "/dev/inbox.json"] {
        found.push((Method::GET, path.to_owned()));
    }
    found
}

/// The preflight for a request.
fn preflight(client: &Client, (method, path): &(Method, String), headers: &str) -> RequestBuilder {
    let request = client.request(Method::OPTIONS, path);
    let request = request.header("access-control-request-method", method.as_str());
    match headers {
        "" => request,
        headers => request.header("access-control-request-headers", headers),
    }
}

/// Rows W4 and 3.4.2: at every operation, with the visitor's cookies.
#[tokio::test]
async fn w4_a_stranger_reads_nothing_by_its_visitors_cookies() {
    let server = server().await;
    let client = &server.client;
    let cookie_jar = CookieJar::begin(client, "ada").await;
    let all = operations(client).await;
    for origin in STRANGERS {
        for one in &all {
            let what = format!("{} {} from {origin:?}", one.0, one.1);
            let asked = cookie_jar.bare(client, one.0.clone(), &one.1).header("origin", origin);
            is_hidden(&what, &client.send(asked).await);
            let asked = preflight(client, one, "content-type,x-csrf-token");
            let response = client.send(asked.header("origin", origin)).await;
            is_hidden(&what, &response);
        }
        let login = login_request(client, "ada").header("origin", origin);
        let response = client.send(login).await;
        is_hidden("login", &response);
        assert!(set_cookies(&response).is_empty(), "{response:?}");
    }
    let wrong = cookie_jar.bare(client, Method::GET, "/nothing").header("origin", STRANGERS[0]);
    let response = client.send(wrong).await;
    assert!(!response.headers.contains_key("access-control-allow-origin"), "{response:?}");
    assert_eq!(cookie_jar.me(client).await.status, 200, "nothing has happened to the session");
}

/// Row W4: a preflight allows exactly what the API needs.
#[tokio::test]
async fn w4_odd_preflights_are_refused() {
    let server = server().await;
    let client = &server.client;
    let cookie_jar = CookieJar::begin(client, "ada").await;
    let ask = async |method: Method, path: &str, headers: &str| {
        let asked = preflight(client, &(method, path.to_owned()), headers);
        client.send(asked.header("origin", LISTED).header("cookie", cookie_jar.line(path))).await
    };
    for (method, path) in [
        (Method::POST, "/v1/login"),
        (Method::POST, "/v1/refresh"),
        (Method::POST, "/v1/logout"),
        (Method::PATCH, "/v1/me"),
        (Method::DELETE, "/v1/me"),
        (Method::DELETE, "/v1/me/sessions/x"),
    ] {
        for headers in ["content-type,x-csrf-token,idempotency-key", "X-CSRF-Token", ""] {
            let response = ask(method.clone(), path, headers).await;
            assert!(response.status.is_success(), "{method} {path}: {response:?}");
            is_shown(path, &response);
            for name in ["access-control-allow-headers", "access-control-allow-methods"] {
                assert!(!response.header(name).unwrap_or_default().contains('*'), "{response:?}");
            }
            assert!(set_cookies(&response).is_empty(), "{response:?}");
        }
        for headers in
            ["x-evil", "cookie", "*", "content-type,x-forwarded-for", "x-http-method-override"]
        {
            let response = ask(method.clone(), path, headers).await;
            assert!(response.status.is_client_error(), "{method} {path} {headers}: {response:?}");
        }
    }
    for method in ["TRACE", "CONNECT", "PROPFIND", "*", "post"] {
        let response = ask(method.parse().unwrap(), "/v1/login", "").await;
        assert!(response.status.is_client_error(), "{method}: {response:?}");
    }
    assert_eq!(cookie_jar.me(client).await.status, 200);
}

/// The other side of row W4: a listed page logs in, reads and acts, refusals included.
#[tokio::test]
async fn w4_a_listed_page_reads_by_its_visitors_cookies() {
    let server = server().await;
    let client = &server.client;
    assert_eq!(client.signup("ada").await.status, 201);
    let from = |request: RequestBuilder| client.send(request.header("origin", LISTED));
    let response = from(login_request(client, "ada")).await;
    is_shown("login", &response);
    let cookie_jar = CookieJar::of(&response);
    let me = from(cookie_jar.bare(client, Method::GET, "/v1/me")).await;
    assert_eq!(me.body["username"], "ada");
    is_shown("me", &me);
    let refused = from(cookie_jar.bare(client, Method::POST, "/v1/logout")).await;
    refused.is(403, "csrf_failed");
    is_shown("refused", &refused);
    let logout = cookie_jar.bare(client, Method::POST, "/v1/logout");
    let done = from(logout.header("x-csrf-token", cookie_jar.get("__Host-gateward-csrf"))).await;
    assert_eq!(done.status, 204, "{done:?}");
    is_shown("logout", &done);
    assert_eq!(set_cookies(&done).len(), 3);
    is_shown("ended", &from(cookie_jar.bare(client, Method::GET, "/v1/me")).await);
}
