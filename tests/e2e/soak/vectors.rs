//! External inputs that break parsers (row F32): `JSONTestSuite` and the Big List of Naughty
//! Strings, at every operation. Their folder is named by `GATEWARD_VECTORS`; they are not in this
//! repository.

use std::path::{Path, PathBuf};

use futures_util::StreamExt;
use gateward_e2e::{Database, TestResponse, rounds};
use reqwest::header::HeaderValue;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::api::{Operation, operations, percent_encode};
use crate::support::test_server::TestServer;

/// Each field gets every fourth of the naughty strings, another fourth than the field before it;
/// by hand more of them, with `SOAK=4` all.
const SHARE: usize = 4;

/// How many requests run at once.
const AT_ONCE: usize = 16;

/// The folder of vectors of one kind. Without it the test is skipped with a message, or fails where
/// `CI` is set.
#[expect(clippy::disallowed_methods, reason = "the environment configures a test")]
fn folder(kind: &str, original: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("GATEWARD_VECTORS");
    if folder.is_none() {
        let is_ci = std::env::var("CI").is_ok_and(|value| value == "true");
        assert!(!is_ci, "GATEWARD_VECTORS must be set where CI=true");
        eprintln!(
            "\n*** SKIPPED, row F32 is not tested here: set GATEWARD_VECTORS to a folder whose"
        );
        eprintln!("*** subfolder '{kind}' holds the vectors of https://github.com/{original}\n");
    }
    folder.map(|folder| Path::new(&folder).join(kind))
}

/// The operations, and the access token of a user who may call all of them.
async fn prepare(server: &TestServer) -> (Vec<Operation>, String) {
    let pair = server.admin("ada").await;
    (operations(&server.client).await, pair.access().to_owned())
}

/// Sends many requests. Returns each value with its response.
async fn send_all<T>(
    server: &TestServer,
    requests: Vec<(T, RequestBuilder)>,
) -> Vec<(T, TestResponse)> {
    let responses =
        requests.into_iter().map(async |(what, request)| (what, server.client.send(request).await));
    futures_util::stream::iter(responses).buffer_unordered(AT_ONCE).collect().await
}

/// Asserts that the response is a success or one of our problems, and no server error.
#[track_caller]
fn is_sound(what: &str, response: &TestResponse) {
    assert!(!response.status.is_server_error(), "{what}: {response:?}");
    if response.status.is_client_error() {
        response.is_problem();
    } else {
        assert!(response.status.is_success(), "{what}: {response:?}");
    }
}

/// Asserts that the log has no panic, and that each line is valid.
fn log_is_sound(server: &TestServer) {
    let log = server.node.log();
    for line in log.lines().filter(|line| !line.is_empty()) {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("not ours: {line}"));
        assert_ne!(line["level"], "ERROR", "{line}");
    }
}

/// Row F32: every case as a body and as every field of every body. Invalid JSON is a 400 (or too
/// large), and nothing is ever a server error.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f32_the_json_test_suite_breaks_nothing() {
    let Some(folder) = folder("json", "nst/JSONTestSuite") else { return };
    let mut cases = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "json") {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            cases.push((name, std::fs::read(&path).unwrap()));
        }
    }
    assert!(cases.len() > 300, "{} cases in {}", cases.len(), folder.display());

    let server = TestServer::process(Database::Sqlite, &[]).await;
    let (operations, token) = prepare(&server).await;
    let mut requests = Vec::new();
    for operation in operations.iter().filter(|operation| operation.body.is_some()) {
        let request = || {
            let request = operation.request(&server.client, &token);
            request.header("content-type", "application/json")
        };
        for (name, bytes) in &cases {
            // A request that ends the session would leave only 401 for the next ones.
            if ends_session(operation) && is_harmless(bytes) {
                continue;
            }
            requests.push(((name.clone(), true), request().body(bytes.clone())));
            for member in operation.members().keys() {
                let start = format!("{{{}:", json!(member));
                let body = [start.as_bytes(), bytes, b"}"].concat();
                requests.push(((name.clone(), false), request().body(body)));
            }
        }
    }
    assert!(requests.len() > 4000);
    for ((name, whole), response) in send_all(&server, requests).await {
        is_sound(&name, &response);
        let status = response.status.as_u16();
        // An empty body counts as `{}` where the body is optional.
        let nothing = name == "n_structure_no_data.json";
        if name.starts_with("n_") && !(whole && nothing) {
            assert!(matches!(status, 400 | 413), "{name}: {response:?}");
        }
        if name.starts_with("y_") && !whole {
            let duplicate = name.contains("duplicated_key");
            // A string as the token of an email is parsed, and matches none.
            let read = status == 400 && (duplicate || response.code() == "invalid_link");
            // Administrative operations find no account with the identifier of the path.
            let sound = matches!(status, 200 | 201 | 204 | 401 | 404 | 422);
            assert!(read || sound, "{name}: {response:?}");
        }
    }
    // By the email address: a case may have been a valid username.
    server.works("ada@example.org").await;
    log_is_sound(&server);
}

/// Whether a successful call of the operation ends the session.
fn ends_session(operation: &Operation) -> bool {
    operation.path.ends_with("/logout-all") || operation.method == Method::DELETE
}

/// Whether a case is a valid body, or a valid value of a flag.
fn is_harmless(bytes: &[u8]) -> bool {
    matches!(bytes.trim_ascii(), b"" | b"{}" | b"null" | b"true" | b"false")
}

fn naughty() -> Option<Vec<String>> {
    let file = folder("naughty", "minimaxir/big-list-of-naughty-strings")?.join("blns.json");
    let texts: Vec<String> = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert!(texts.len() > 400);
    Some(texts)
}

/// The strings that a field gets.
fn share(texts: &[String], field: usize) -> impl Iterator<Item = &String> {
    let step = (SHARE / rounds(1)).max(1);
    texts.iter().skip(field % step).step_by(step)
}

/// Row F32: naughty strings in every field.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f32_naughty_strings_in_bodies_break_nothing() {
    let Some(texts) = naughty() else { return };
    let server = TestServer::process(Database::Sqlite, &[]).await;
    let (operations, token) = prepare(&server).await;
    let mut requests = Vec::new();
    let mut field = 0;
    for operation in &operations {
        // The password of the account must not change.
        for member in operation.members().into_keys().filter(|name| *name != "new_password") {
            field += 1;
            for text in share(&texts, field) {
                let mut body = operation.valid_body();
                body[&member] = json!(text);
                if operation.method == Method::PATCH && is_username(text) {
                    continue;
                }
                let request = operation.request(&server.client, &token).json(&body);
                requests.push((format!("{} {member}: {text:?}", operation.name()), request));
            }
        }
    }
    assert!(requests.len() > 4000);
    for (what, response) in send_all(&server, requests).await {
        is_sound(&what, &response);
    }
    server.works("ada").await;
    log_is_sound(&server);
}

/// Whether the text is a valid username, which would be accepted.
fn is_username(text: &str) -> bool {
    text.len() >= 3
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// Row F32: naughty strings in the path, the query and the headers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f32_naughty_strings_in_heads_break_nothing() {
    let Some(texts) = naughty() else { return };
    let server = TestServer::process(Database::Sqlite, &[]).await;
    let (_, token) = prepare(&server).await;
    let get = |path: &str| server.client.request(Method::GET, path);
    let names = [
        "user-agent",
        "x-forwarded-for",
        "idempotency-key",
        "authorization",
        "origin",
        "accept",
        "cookie",
        "content-type",
        "accept-language",
        "if-none-match",
        "range",
        "x-request-id",
        "traceparent",
        "access-control-request-method",
    ];
    let mut requests = Vec::new();
    for text in &texts {
        let encoded = percent_encode(text);
        for path in [
            format!("/v1/{encoded}"),
            format!("/docs/{encoded}"),
            format!("/health/live?{encoded}"),
            format!("/v1/me?x={encoded}&{encoded}=x"),
        ] {
            requests.push((path.clone(), get(&path).bearer_auth(&token)));
        }
    }
    for (field, name) in names.into_iter().enumerate() {
        for text in share(&texts, field) {
            let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) else { continue };
            let what = format!("{name}: {text:?}");
            requests.push((what.clone(), get("/v1/me").header(name, &value)));
            let refresh = server.client.refresh_request("garbage", None).header(name, &value);
            requests.push((what, refresh));
        }
    }
    for (what, response) in send_all(&server, requests).await {
        is_sound(&what, &response);
    }
    server.works("ada").await;
    log_is_sound(&server);
}
