//! Headers of responses: rows W4 and W5.

use gateward_e2e::{PASSWORD, TestResponse, Wire};
use reqwest::Method;
use serde_json::json;

use crate::support::api::{CLIENT, CLIENT_SECRET, NO_SESSION, form};
use crate::support::pages::PATHS;
use crate::support::responses::are_safe;
use crate::support::test_server::TestServer;

/// One response of each status that a client can cause.
async fn responses(server: &TestServer) -> Vec<TestResponse> {
    let client = &server.client;
    let long = vec![b'x'; 17 * 1024];
    let mut responses = vec![client.signup("ada").await];
    let pair = client.login("ada", PASSWORD).await;
    responses.push(client.refresh(pair.refresh_token(), None).await);
    responses.push(client.me(pair.access()).await);
    let forgotten = json!({"email": "ada@example.org"});
    responses.push(client.send(client.post("/v1/password/forgot", &forgotten)).await);
    let others = [
        "/dev/inbox",
        "/dev/inbox.json",
        "/docs",
        "/docs/problems",
        "/docs/start.js",
        "/docs/swagger-ui.css",
        "/openapi.json",
        "/health/live",
        "/health/ready",
        "/.well-known/jwks.json",
        "/.well-known/oauth-authorization-server",
        "/v1/me",
        "/v1/revocations",
        "/nothing",
        "/docs/nothing",
        "/health/live?x=1",
    ];
    for path in PATHS.into_iter().chain(others) {
        responses.push(client.get(path).await);
    }
    for path in ["/v1/me/sessions", &format!("/v1/sessions/{NO_SESSION}/explain")] {
        let request = client.request(Method::GET, path).bearer_auth(pair.access());
        responses.push(client.send(request).await);
    }
    let admin = server.admin("grace").await;
    for path in ["/v1/users", "/v1/roles", "/v1/roles/admin", "/v1/audit"] {
        let request = client.request(Method::GET, path).bearer_auth(admin.access());
        responses.push(client.send(request).await);
    }
    let service = |method: Method, path: &str| {
        client.request(method, path).basic_auth("api", Some(CLIENT_SECRET))
    };
    responses.push(client.send(service(Method::GET, "/v1/revocations")).await);
    // An endless response is read up to its head.
    responses.push(client.send(service(Method::HEAD, "/v1/revocations/stream")).await);
    for path in ["/oauth/introspect", "/oauth/revoke"] {
        let token = [("token", pair.refresh_token())].into_iter();
        responses.push(client.send(form(service(Method::POST, path), token)).await);
    }
    let cookie = json!({"identifier": "ada", "password": PASSWORD, "transport": "cookie"});
    responses.push(client.send(client.post("/v1/login", &cookie)).await);
    responses.push(client.send(client.request(Method::HEAD, "/health/live")).await);
    responses.push(server.post_bytes("/v1/login", "application/json", "{").await);
    responses.push(server.post_bytes("/v1/login", "application/json", "{}").await);
    responses.push(server.post_bytes("/v1/login", "text/plain", "{}").await);
    responses.push(server.post_bytes("/v1/login", "application/json", long).await);
    responses.push(client.signup("ada").await);
    responses.push(client.get("/v1/login").await);
    responses.push(client.send(client.request(Method::TRACE, "/v1/login")).await);
    responses.push(client.send(client.request(Method::OPTIONS, "/v1/login")).await);
    responses.push(server.get_with("/v1/me", &[("cookie", &"x".repeat(9000))]).await);
    responses.push(server.get_with("/v1/me", &[("authorization", "Bearer")]).await);
    responses.push(client.logout(pair.refresh_token()).await);
    responses.push(overloaded(server).await);
    responses
}

/// A response of a node with a full queue of hashes.
async fn overloaded(server: &TestServer) -> TestResponse {
    let login = json!({"identifier": "nobody", "password": PASSWORD});
    let logins = (0..24).map(|_| server.client.send(server.client.post("/v1/login", &login)));
    let responses = futures_util::future::join_all(logins).await;
    let shed = responses.into_iter().find(|response| response.status == 503).expect("a full queue");
    shed.is(503, "overloaded");
    assert!(shed.header("retry-after").unwrap().parse::<u32>().unwrap() >= 1);
    shed
}

/// Row W5 (3.4.1, 3.4.3 to 3.4.6, 3.5.8, 14.3.2, 13.4.6): every response of every status has its
/// headers, and none names the software.
#[tokio::test]
async fn w5_every_response_has_its_security_headers() {
    let https = [("http.public_url", "https://localhost:8443"), ("http.behind_tls_proxy", "true")];
    for extra in [&[][..], &https] {
        let mut settings = vec![
            ("password.hash_threads", "1"),
            ("password.hash_queue_max", "1"),
            ("password.argon2_iterations", "4"),
            ("http.docs", "true"),
        ];
        settings.extend(CLIENT);
        settings.extend(extra);
        let server = TestServer::with(&settings).await;
        let responses = responses(&server).await;
        let mut statuses: Vec<u16> =
            responses.iter().map(|response| response.status.as_u16()).collect();
        for response in &responses {
            are_safe(&response.headers, !extra.is_empty());
            let is_public = response.header("cache-control") != Some("no-store");
            let may_be = response.text.contains("jwks_uri") || response.text.contains("\"keys\"");
            assert!(!is_public || may_be, "{response:?}");
            // Row 4.1.1: a response with a body has a content type, with the charset if it is text.
            let kind = response.header("content-type").unwrap_or_default();
            assert!(response.text.is_empty() || !kind.is_empty(), "{response:?}");
            // Events are in UTF-8 by their own standard.
            let is_clear = kind.ends_with("; charset=utf-8") || kind == "text/event-stream";
            assert!(!kind.starts_with("text/") || is_clear, "{response:?}");
        }
        statuses.sort_unstable();
        statuses.dedup();
        let all = [200, 201, 202, 204, 400, 401, 403, 404, 405, 409, 413, 415, 422, 503];
        assert_eq!(statuses, all);
    }
}

/// What is refused before it is a complete request gets an empty response without product names.
#[tokio::test]
async fn refusals_of_the_parser_say_nothing() {
    let server = TestServer::new().await;
    let long = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(200_000));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(200));
    for (text, status) in [
        ("nonsense\r\n\r\n", 400),
        ("GET / HTTP/9.9\r\n\r\n", 400),
        ("GET /\u{e9}<script> HTTP/1.1\r\nX\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nX Y: z\r\n\r\n", 400),
        (&many, 431),
        (&long, 431),
    ] {
        let response = Wire::exchange(&server.node.url, text.as_bytes()).await;
        assert_eq!(response.statuses(), [status], "{response:?}");
        let (head, body) = response.text.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, "");
        assert!(!head.to_lowercase().contains("server:"), "{response:?}");
        assert!(response.closed, "{response:?}");
    }
}

const GOOD: &str = "https://app.example.org";

async fn stage_with_origins() -> TestServer {
    let origins = format!("{GOOD},http://localhost:3000");
    TestServer::with(&[("http.cors_origins", &origins)]).await
}

/// Rows W4 and 3.4.2: pages of the listed origins may call, and no others.
#[tokio::test]
async fn w4_only_listed_origins_are_told_that_they_may() {
    let server = stage_with_origins().await;
    for origin in [GOOD, "http://localhost:3000"] {
        for path in ["/v1/me", "/health/live", "/v1/login"] {
            let response = server.get_with(path, &[("origin", origin)]).await;
            assert_eq!(
                response.header("access-control-allow-origin"),
                Some(origin),
                "{response:?}"
            );
            assert_eq!(response.header("access-control-allow-credentials"), Some("true"));
            assert!(varies_by_origin(&response), "{response:?}");
            are_safe(&response.headers, false);
        }
    }
    for origin in [
        "https://evil.example",
        "null",
        "*",
        "https://app.example.org.evil.example",
        "https://evilapp.example.org",
        "https://evil.example/https://app.example.org",
        "https://app.example.org:8443",
        "https://app.example.org/",
        "http://app.example.org",
        "HTTPS://APP.EXAMPLE.ORG",
        "https://app.example.org https://evil.example",
        "https://user@app.example.org",
        "http://localhost",
        "http://localhost:30000",
        "file://",
        "",
    ] {
        for path in ["/v1/me", "/health/live", "/nothing"] {
            let response = server.get_with(path, &[("origin", origin)]).await;
            tells_nothing(&response);
            assert!(varies_by_origin(&response) || path == "/nothing", "{response:?}");
        }
        let headers = [("origin", origin), ("access-control-request-method", "POST")];
        let response = server.send_with(Method::OPTIONS, "/v1/login", &headers).await;
        tells_nothing(&response);
    }
    // A response without an origin also varies by origin, for caches.
    assert!(varies_by_origin(&server.client.get("/health/live").await));
}

fn varies_by_origin(response: &TestResponse) -> bool {
    let vary = response.headers.get_all("vary").iter();
    vary.flat_map(|value| value.to_str().unwrap().split(','))
        .any(|name| name.trim().eq_ignore_ascii_case("origin"))
}

/// Asserts that the browser hides the response from the page.
#[track_caller]
fn tells_nothing(response: &TestResponse) {
    assert_eq!(response.headers.get("access-control-allow-origin"), None, "{response:?}");
}

/// Row W4: a preflight allows exactly what the API needs.
#[tokio::test]
async fn w4_preflights_allow_what_the_api_needs() {
    let server = stage_with_origins().await;
    let ask = async |method: &str, headers: &str| {
        let mut all = vec![("origin", GOOD), ("access-control-request-method", method)];
        if !headers.is_empty() {
            all.push(("access-control-request-headers", headers));
        }
        server.send_with(Method::OPTIONS, "/v1/refresh", &all).await
    };
    let response = ask("POST", "authorization,content-type,idempotency-key").await;
    assert!(response.status.is_success(), "{response:?}");
    assert_eq!(response.header("access-control-allow-origin"), Some(GOOD));
    assert_eq!(response.header("access-control-allow-credentials"), Some("true"));
    assert_eq!(response.header("access-control-max-age"), Some("600"));
    assert!(!response.header("access-control-allow-methods").unwrap().contains('*'));
    assert!(!response.header("access-control-allow-headers").unwrap().contains('*'));
    are_safe(&response.headers, false);
    for (method, headers) in
        [("TRACE", ""), ("FOO", ""), ("POST", "x-evil"), ("POST", "authorization,x-evil")]
    {
        let response = ask(method, headers).await;
        assert!(response.status.is_client_error(), "{method} {headers}: {response:?}");
        response.is_problem();
    }
    // Without a list there are no CORS headers.
    let silent = TestServer::new().await;
    let headers = [("origin", GOOD), ("access-control-request-method", "POST")];
    let response = silent.send_with(Method::OPTIONS, "/v1/login", &headers).await;
    response.is(405, "method_not_allowed");
    for response in [response, silent.get_with("/health/live", &[("origin", GOOD)]).await] {
        assert!(response.headers.keys().all(|name| !name.as_str().starts_with("access-control")));
    }
}
