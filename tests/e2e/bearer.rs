//! How a token is sent, and ways to change it: rows J15, J18, J20, J22 and J24.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use gateward_e2e::{Database, TestResponse, Wire};
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use serde_json::json;

use crate::support::test_server::TestServer;

/// Row J15: a refresh token gives no access, an access token cannot be refreshed, and both errors
/// say so.
#[tokio::test]
async fn j15_one_kind_of_token_is_not_the_other() {
    let server = TestServer::new().await;
    let client = &server.client;
    let pair = client.begin("ada").await;
    let (access, refresh) = (pair.access(), pair.refresh_token());
    let password = json!({"password": gateward_e2e::PASSWORD});
    let change =
        json!({"current_password": gateward_e2e::PASSWORD, "new_password": "another one, longer"});
    client.me(refresh).await.is(401, "wrong_token_kind");
    client.post_as(refresh, "/v1/logout-all", &json!({})).await.is(401, "wrong_token_kind");
    client.post_as(refresh, "/v1/me/password", &change).await.is(401, "wrong_token_kind");
    client.post_as(refresh, "/v1/me/reauthenticate", &password).await.is(401, "wrong_token_kind");
    client.refresh(access, None).await.is(401, "wrong_token_kind");
    client.logout(access).await.is(401, "wrong_token_kind");
    // The session is unharmed.
    assert_eq!(client.me(access).await.status, 200);
    assert_eq!(client.refresh(refresh, None).await.status, 200);
}

/// Row J18: a token that is too long costs neither time nor memory.
#[tokio::test]
async fn j18_oversized_tokens_cost_nothing() {
    let server = TestServer::process(Database::Sqlite, &[]).await;
    let before = server.node.memory_kib();
    for length in [8 * 1024 + 1, 100 * 1024] {
        let response = server.client.me(&"a".repeat(length)).await;
        response.is(401, "invalid_token");
    }
    for length in [1024 * 1024, 10 * 1024 * 1024] {
        let started = Instant::now();
        let mut wire = Wire::open(&server.node.url).await;
        wire.send(b"GET /v1/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ").await;
        // The node responds and closes the connection long before it has received everything.
        for _ in 0..length / 65_536 {
            if !wire.send(&vec![b'a'; 65_536]).await {
                break;
            }
        }
        let response = wire.read_for(Duration::from_secs(2)).await;
        // The response may be lost, because unread bytes reset the connection.
        assert!(matches!(response.statuses()[..], [431] | []), "{response:?}");
        assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    }
    let grown = server.node.memory_kib().saturating_sub(before);
    assert!(grown < 16 * 1024, "{grown} KiB");
    assert_eq!(server.client.get("/health/live").await.status, 200);
}

/// Sends these values of `Authorization` to a path.
async fn send(server: &TestServer, path: &str, values: &[&str]) -> TestResponse {
    let mut request = server.client.request(Method::GET, path);
    for value in values {
        request = request.header(AUTHORIZATION, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    server.client.send(request).await
}

/// Row J20: the header has one form, and a token in any other place is ignored.
#[tokio::test]
async fn j20_credentials_are_read_in_one_way() {
    let server = TestServer::new().await;
    let pair = server.client.begin("ada").await;
    let token = pair.access();
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        assert_eq!(send(&server, "/v1/me", &[&format!("{scheme} {token}")]).await.status, 200);
    }
    let bare =
        [String::new(), "Basic YWRhOng=".to_owned(), format!("Token {token}"), token.to_owned()];
    for value in bare.iter().map(String::as_str).chain([format!("Bearer\t{token}").as_str()]) {
        let response = send(&server, "/v1/me", &[value]).await;
        response.is(401, "missing_token");
        assert_eq!(
            response.header("www-authenticate"),
            Some("Bearer realm=\"gateward\""),
            "{value}"
        );
    }
    let refused = [
        "Bearer".to_owned(),
        format!("Bearer  {token}"),
        format!("Bearer {token} {token}"),
        format!("Bearer {token}, Bearer {token}"),
        format!("Bearer {token},{token}"),
        format!("Bearer \"{token}\""),
        format!("Bearer token={token};"),
        format!("Bearer {token}\u{e9}"),
        "Bearer \u{1f511}".to_owned(),
    ];
    for value in &refused {
        let response = send(&server, "/v1/me", &[value]).await;
        response.is(400, "malformed_request");
        assert!(response.header("www-authenticate").unwrap().contains("error=\"invalid_request\""));
    }
    let good = format!("Bearer {token}");
    for twice in
        [[good.as_str(), good.as_str()], [good.as_str(), "Basic YWRhOng="], ["Basic YQ==", &good]]
    {
        send(&server, "/v1/me", &twice).await.is(400, "malformed_request");
    }
    // Elsewhere it is no credential; beside the header it is a second one.
    let path = format!("/v1/me?access_token={token}");
    send(&server, &path, &[]).await.is(401, "missing_token");
    send(&server, &path, &[&good]).await.is(400, "malformed_request");
    for header in ["x-access-token", "x-authorization", "proxy-authorization", "cookie"] {
        let value = format!("access_token={token}");
        server.get_with("/v1/me", &[(header, &value)]).await.is(401, "missing_token");
    }
    let form = format!("access_token={token}");
    let response =
        server.post_bytes("/v1/logout-all", "application/x-www-form-urlencoded", form).await;
    response.is(401, "missing_token");
    // Where no access token is needed, the header is ignored.
    assert_eq!(send(&server, "/health/live", &["Bearer  "]).await.status, 200);
    let login = json!({"identifier": "ada", "password": gateward_e2e::PASSWORD});
    let request = server.client.post("/v1/login", &login).header(AUTHORIZATION, "Bearer garbage");
    assert_eq!(server.client.send(request).await.status, 200);
}

/// Row J22: no character of a token can be changed.
#[tokio::test]
async fn j22_a_changed_character_is_noticed() {
    let server = TestServer::new().await;
    let pair = server.client.begin("ada").await;
    for (token, is_access) in [(pair.access(), true), (pair.refresh_token(), false)] {
        // Every seventh position, and all of the last dozen, whose bits may go unused.
        let last = token.len() - 12;
        for at in (0..token.len()).filter(|at| at % 7 == 3 || *at >= last) {
            let mut bytes = token.as_bytes().to_vec();
            // The neighbour in the alphabet: one bit of the decoded bytes.
            bytes[at] = match bytes[at] {
                b'.' => b'-',
                b'Z' | b'z' | b'9' => b'_',
                b'_' | b'-' => b'A',
                byte => byte + 1,
            };
            let changed = String::from_utf8(bytes).unwrap();
            let response = if is_access {
                server.client.me(&changed).await
            } else {
                server.client.refresh(&changed, None).await
            };
            response.is(401, "invalid_token");
        }
    }
    assert_eq!(server.client.me(pair.access()).await.status, 200);
    assert_eq!(server.client.refresh(pair.refresh_token(), None).await.status, 200);
}

/// Row J24: the key set holds public members only, and says what each key is for and how long the
/// set may be kept.
#[tokio::test]
async fn j24_the_key_set_is_public_and_cacheable() {
    for (algorithm, members) in [("EdDSA", "crv x"), ("ES256", "crv x y"), ("PS256", "e n")] {
        let server = TestServer::with(&[("keys.algorithm", algorithm)]).await;
        let response = server.client.get("/.well-known/jwks.json").await;
        assert_eq!(response.status, 200);
        assert_eq!(response.header("content-type"), Some("application/json"));
        assert_eq!(response.header("cache-control"), Some("public, max-age=600"));
        let keys = response.body["keys"].as_array().unwrap();
        let kids: BTreeSet<&str> = keys.iter().map(|key| key["kid"].as_str().unwrap()).collect();
        assert!(!keys.is_empty() && kids.len() == keys.len());
        for key in keys {
            assert_eq!((&key["alg"], &key["use"]), (&json!(algorithm), &json!("sig")));
            let mut expected: BTreeSet<&str> = members.split(' ').collect();
            expected.extend(["alg", "kid", "kty", "use"]);
            let found: BTreeSet<&str> =
                key.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(found, expected);
        }
        let metadata = server.client.get("/.well-known/oauth-authorization-server").await;
        assert!(metadata.text_of("jwks_uri").ends_with("/.well-known/jwks.json"));
    }
}
