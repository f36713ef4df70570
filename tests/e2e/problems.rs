//! Errors: whole problem documents, documented, in the right order; and safe methods (row W3).

use std::collections::BTreeSet;

use gateward_e2e::{Database, PASSWORD, TestResponse, Wire};
use reqwest::Method;
use serde_json::json;

use crate::support::api::{CLIENT, operations};
use crate::support::test_server::TestServer;

/// The codes of the contract that this version can return.
const CODES: [&str; 26] = [
    "malformed_request",
    "invalid_link",
    "missing_token",
    "invalid_token",
    "wrong_token_kind",
    "token_expired",
    "session_ended",
    "refresh_token_reused",
    "invalid_credentials",
    "account_disabled",
    "reauthentication_required",
    "csrf_failed",
    "forbidden",
    "not_found",
    "method_not_allowed",
    "username_taken",
    "email_taken",
    "last_admin",
    "role_in_use",
    "body_too_large",
    "unsupported_media_type",
    "validation_failed",
    "rate_limited",
    "internal",
    "overloaded",
    "unavailable",
];

/// The URL in `type` leads to a page that explains the code, and the page lists every code.
#[tokio::test]
async fn every_code_is_explained_where_its_type_points() {
    let server = TestServer::new().await;
    let response = server.client.get("/v1/me").await;
    let (address, anchor) = response.text_of("type").split_once('#').unwrap();
    assert_eq!(anchor, "missing_token");
    let path = address.strip_prefix("http://127.0.0.1:8080").expect("the public URL");
    let page = server.client.get(path).await;
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    for code in CODES {
        assert!(page.text.contains(&format!("<section id=\"{code}\">")), "{code}");
    }
    let sections = page.text.matches("<section id=").count();
    assert_eq!(sections, CODES.len(), "name the new code here");
}

/// A 401 names the authentication scheme, and an error only if there were credentials.
#[tokio::test]
async fn a_401_carries_its_challenge() {
    let server = TestServer::with(&[("tokens.access_ttl_seconds", "1")]).await;
    let client = &server.client;
    let pair = client.begin("ada").await;
    let challenge = |response: TestResponse, code: &str| {
        response.is(401, code);
        response.header("www-authenticate").unwrap().to_owned()
    };
    let plain = "Bearer realm=\"gateward\"";
    let invalid = "Bearer realm=\"gateward\", error=\"invalid_token\"";
    assert_eq!(challenge(client.get("/v1/me").await, "missing_token"), plain);
    assert_eq!(challenge(client.login("ada", "wrong").await, "invalid_credentials"), plain);
    assert_eq!(challenge(client.me("garbage").await, "invalid_token"), invalid);
    assert_eq!(challenge(client.me(pair.refresh_token()).await, "wrong_token_kind"), invalid);
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    assert_eq!(challenge(client.me(pair.access()).await, "token_expired"), invalid);
    client.logout(pair.refresh_token()).await;
    let ended = client.refresh(pair.refresh_token(), None).await;
    assert_eq!(ended.body["reason"], "logout");
    assert_eq!(challenge(ended, "session_ended"), invalid);
}

/// Credentials are checked before the body, whatever is wrong with the body.
#[tokio::test]
async fn credentials_come_before_the_body() {
    let server = TestServer::new().await;
    let long = "x".repeat(17 * 1024);
    let mut seen = 0;
    for operation in operations(&server.client).await.into_iter().filter(|one| one.secured) {
        seen += 1;
        for (kind, body) in [
            ("application/json", "{"),
            ("application/json", "{\"surprise\":1}"),
            ("text/plain", "x"),
            ("application/json", &long),
        ] {
            let path = format!("{}?surprise=1", operation.path);
            for token in [None, Some("garbage")] {
                let request = server.client.request(operation.method.clone(), &path);
                let request = request.header("content-type", kind).body(body.to_owned());
                let (request, code) = match token {
                    None => (request, "missing_token"),
                    Some(token) => (request.bearer_auth(token), "invalid_token"),
                };
                server.client.send(request).await.is(401, code);
            }
        }
    }
    assert!(seen >= 5, "the document has lost its secured operations");
    let closed = TestServer::with(&[("signup.enabled", "false")]).await;
    closed.post_bytes("/v1/signup", "text/plain", "x").await.is(403, "forbidden");
}

/// Rows W3 and 3.5.3: an operation changes something with its own method only.
#[tokio::test]
async fn w3_safe_methods_change_nothing() {
    let server = TestServer::new().await;
    let client = &server.client;
    let pair = server.admin("ada").await;
    let before = client.me(pair.access()).await.body;
    let operations = operations(client).await;
    let documented: BTreeSet<(&str, &str)> =
        operations.iter().map(|one| (one.method.as_str(), one.path.as_str())).collect();
    for operation in operations.iter().filter(|one| one.method != Method::GET) {
        for method in ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE", "PROPFIND", "FOO"] {
            let shown_as = if method == "HEAD" { "GET" } else { method };
            if documented.contains(&(shown_as, operation.path.as_str())) {
                continue;
            }
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let request =
                client.request(method.clone(), &operation.path).bearer_auth(pair.access());
            let mut body = operation.valid_body();
            if body.get("refresh_token").is_some() {
                body["refresh_token"] = json!(pair.refresh_token());
            }
            let response = client.send(request.json(&body)).await;
            assert_eq!(response.status, 405, "{method} {}", operation.path);
            let allow = response.header("allow").unwrap().to_owned();
            assert!(allow.contains(operation.method.as_str()) && !allow.contains(method.as_str()));
            if method == Method::HEAD {
                assert_eq!(response.text, "");
            } else {
                response.is(405, "method_not_allowed");
            }
        }
        // No header overrides the method.
        for header in ["x-http-method-override", "x-method-override", "x-http-method"] {
            let request = client.request(Method::GET, &operation.path).bearer_auth(pair.access());
            let response = client.send(request.header(header, operation.method.as_str())).await;
            let status = match documented.contains(&("GET", operation.path.as_str())) {
                // No resource has the name of the parameter.
                true if operation.path.contains('{') => 404,
                true => 200,
                false => 405,
            };
            assert_eq!(response.status, status, "{response:?}");
        }
    }
    // The session is active, the account is unchanged, and no other account exists.
    assert_eq!(client.me(pair.access()).await.body, before);
    assert_eq!(client.refresh(pair.refresh_token(), None).await.status, 200);
    server.works("ada").await;
}

/// `HEAD` responds as `GET` does, without the body.
#[tokio::test]
async fn head_is_get_without_the_body() {
    let server = TestServer::with(&CLIENT).await;
    let pair = server.admin("ada").await;
    for operation in operations(&server.client).await {
        // An endless response is not awaited.
        if operation.method != Method::GET || operation.is_endless() {
            continue;
        }
        let get = server.client.send(operation.request(&server.client, pair.access())).await;
        let mut head = operation.clone();
        head.method = Method::HEAD;
        let head = server.client.send(head.request(&server.client, pair.access())).await;
        assert_eq!((head.status, head.text.as_str()), (get.status, ""), "{}", operation.path);
        for name in ["content-type", "content-length", "cache-control", "content-security-policy"] {
            assert_eq!(head.header(name), get.header(name), "{name} of {}", operation.path);
        }
        // The connection is still in step: the next response is the right one.
        assert_eq!(server.client.get("/health/live").await.body["status"], "ok");
    }
}

/// Rows 4.1.4 and 13.4.4: unsupported methods, as they appear on the wire.
#[tokio::test]
async fn odd_methods_are_refused() {
    let server = TestServer::process(Database::Sqlite, &[]).await;
    for (line, statuses) in [
        ("TRACE /v1/me HTTP/1.1", [405].as_slice()),
        ("TRACE / HTTP/1.1", &[404]),
        ("CONNECT example.org:443 HTTP/1.1", &[400, 404, 405]),
        ("CONNECT /v1/me HTTP/1.1", &[400, 404, 405]),
        ("OPTIONS * HTTP/1.1", &[400, 404, 405]),
        ("get /v1/me HTTP/1.1", &[400, 405]),
        ("PATCH /health/live HTTP/1.1", &[405]),
        ("FOO /health/live HTTP/1.1", &[405]),
    ] {
        let text = format!("{line}\r\nHost: x\r\nX-Secret: canary\r\nConnection: close\r\n\r\n");
        let response = Wire::exchange(&server.node.url, text.as_bytes()).await;
        assert!(statuses.contains(&response.statuses()[0]), "{line}: {response:?}");
        assert!(!response.text.contains("canary"), "{line}: {response:?}");
    }
    let long = format!("{} /v1/me HTTP/1.1\r\nHost: x\r\n\r\n", "M".repeat(60_000));
    let response = Wire::exchange(&server.node.url, long.as_bytes()).await;
    assert!(response.text.starts_with("HTTP/1.1 4"), "{response:?}");
    assert!(!server.node.log().contains("MMMMMMMM"), "the log repeats an invented method");
}

/// Rows 13.4.1 and 14.2.5: unknown paths are not found, however similar to known ones.
#[tokio::test]
async fn other_paths_are_not_found() {
    let server = TestServer::new().await;
    let pair = server.client.begin("ada").await;
    for path in [
        "/",
        "/v1",
        "/v1/",
        "/v1/me/",
        "//v1/me",
        "/v1//me",
        "/V1/me",
        "/v1/ME",
        "/me",
        "/v1/me;x=1",
        "/v1/me%00",
        "/v1/me%2f",
        "/v1/me.json",
        "/v1/me/x.css",
        "/v1/%2e%2e/metrics",
        "/v1/users/",
        "/v1/user",
        "/v1/roles/admin/permissions",
        "/.git/config",
        "/.env",
        "/docs/../Cargo.toml",
        "/docs/%2e%2e%2fCargo.toml",
        "/docs/",
        "/docs/x",
        "/health",
        "/favicon.ico",
        "/v1/me%0d%0aX-Injected:1",
        "/%ff",
        "/%",
        "/v1/me%",
    ] {
        let text = format!(
            "GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
            pair.access()
        );
        let response = Wire::exchange(&server.node.url, text.as_bytes()).await;
        assert_eq!(response.statuses(), [404], "{path}: {response:?}");
        assert_eq!(response.body()["code"], "not_found", "{path}: {response:?}");
        assert!(!response.text.contains("\nX-Injected"), "{path}: {response:?}");
    }
    // The client's request identifier is not repeated.
    let headers = [("x-request-id", "mine"), ("x-correlation-id", "mine")];
    let response = server.get_with("/nothing", &headers).await;
    response.is(404, "not_found");
    assert!(!response.text.contains("mine") && response.header("x-request-id") != Some("mine"));
    // Even a forged `Host` does not change a URL in a response.
    let response = server
        .get_with("/nothing", &[("host", "evil.example"), ("x-forwarded-host", "evil.example")])
        .await;
    assert!(!response.text.contains("evil"), "{response:?}");
    let login = json!({"identifier": "ada", "password": PASSWORD});
    let request = server.client.post("/v1/login", &login).header("host", "evil.example");
    assert_eq!(server.client.send(request).await.status, 200);
}
