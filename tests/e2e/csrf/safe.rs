//! Safe methods, by cookie: row W3.

use gateward_e2e::{Client, Database, on_sqlite};
use reqwest::Method;
use serde_json::Value;

use super::victim::Victim;
use super::{LISTED, SETTINGS};
use crate::support::test_server::TestServer;

on_sqlite!(w3_safe_methods_by_cookie_change_nothing_and_want_no_token);

/// Every path of the document, and whether it supports `GET`.
async fn paths(client: &Client) -> Vec<(String, bool)> {
    let document: Value = client.get("/openapi.json").await.body;
    let paths = document["paths"].as_object().unwrap();
    paths.iter().map(|(path, item)| (path.clone(), item.get("get").is_some())).collect()
}

/// Rows W3 and 3.5.3: `GET` needs no CSRF token, from any origin. Other paths respond with their
/// allowed methods.
async fn w3_safe_methods_by_cookie_change_nothing_and_want_no_token(kind: Database) {
    let server = TestServer::start(kind, &SETTINGS).await;
    let client = &server.client;
    let ada = Victim::new(&server, "ada").await;
    let before = ada.state().await;
    let mut refused = 0;
    for (template, readable) in paths(client).await {
        // A stream has no end to wait for.
        if template.ends_with("/stream") {
            continue;
        }
        let path = template.replace("{id}", &ada.other.session_id);
        let path = path.replace("{sid}", &ada.other.session_id).replace("{name}", "admin");
        for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
            for origin in [None, Some("https://evil.example"), Some(LISTED), Some("null")] {
                let request = ada.cookie_jar.bare(client, method.clone(), &path);
                let request = origin
                    .iter()
                    .fold(request, |request, origin| request.header("origin", *origin));
                let response = ada.send(request).await;
                let what = format!("{method} {path} {origin:?}: {response:?}");
                assert!(!response.headers.contains_key("set-cookie"), "{what}");
                if method == Method::OPTIONS || !readable {
                    assert_eq!(response.status, 405, "{what}");
                    let allow = response.header("allow").unwrap();
                    assert_eq!(allow.contains("GET"), readable, "{what}");
                    refused += 1;
                } else {
                    // Some take no cookies, and a session identifier is no account.
                    let is_lost = path.starts_with("/v1/users/") && response.status == 404;
                    assert!(is_lost || [200, 401].contains(&response.status.as_u16()), "{what}");
                    assert_ne!(response.body["code"], "csrf_failed", "{what}");
                }
            }
        }
    }
    assert!(refused > 100, "the document was read");
    for path in ["/v1/me", "/v1/me/sessions", "/v1/me/export"] {
        let read = ada.cookie_jar.bare(client, Method::GET, path).header("origin", "null");
        assert_eq!(ada.send(read).await.status, 200, "{path}");
    }
    ada.is_untouched(&before).await;
}
