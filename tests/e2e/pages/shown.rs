//! What pages show and load: rows W5, 1.2.1 and 14.2.1.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gateward_e2e::{PASSWORD, TestResponse};
use regex::Regex;
use serde_json::json;

use super::{NEW, Open, is_page, send};
use crate::support::inbox::{link_token, wait_for_email};
use crate::support::pages::{FORM, PATHS};
use crate::support::responses::are_safe;
use crate::support::test_server::TestServer;

/// A value that must be escaped when it is shown again.
const NASTY: &str = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'&lt;";

static VALUE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#""[^"]*""#).unwrap());
/// An attribute with a style or a script.
static INLINE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)<[^>]*\s(style|on[a-z]+)\s*=").unwrap());
static REFERENCE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?i)\s(src|href|action|srcset|poster|data|formaction)="([^"]*)""#).unwrap()
});

/// The blocks between two tags.
fn blocks<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let parts = page.split(open.as_str()).skip(1);
    parts.map(|part| part.split_once(close.as_str()).unwrap().0).collect()
}

/// Asserts that the policy allows exactly the blocks of the page, and nothing else.
#[track_caller]
fn has_its_policy(response: &TestResponse) {
    are_safe(&response.headers, false);
    let policy = response.header("content-security-policy").unwrap();
    let parts: Vec<&str> = policy.split(';').map(str::trim).collect();
    for part in ["default-src 'none'", "form-action 'self'", "frame-ancestors 'none'"] {
        assert!(parts.contains(&part), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    for name in ["style", "script"] {
        let [block] = blocks(&response.text, name)[..] else {
            panic!("not one {name}: {response:?}")
        };
        let hash = STANDARD.encode(digest(&SHA256, block.as_bytes()));
        assert!(parts.contains(&format!("{name}-src 'sha256-{hash}'").as_str()), "{policy}");
        assert_eq!(response.text.matches(&format!("<{name}")).count(), 1);
    }
    let names = VALUE.replace_all(&response.text, "");
    assert!(!INLINE.is_match(&names));
}

/// Asserts that the page refers to no other host.
#[track_caller]
fn loads_nothing(response: &TestResponse) {
    for found in REFERENCE.captures_iter(&response.text) {
        assert!(PATHS.contains(&&found[2]), "{} in {response:?}", &found[0]);
    }
    for mark in ["url(", "@import", "http:", "https:", "//evil", "<base", "http-equiv"] {
        assert!(!response.text.contains(mark), "{mark} in {response:?}");
    }
}

/// Rows W5 and 3.4.3: every response of a page has the policy, and loads nothing.
#[tokio::test]
async fn w5_every_page_of_every_status_has_its_policy() {
    let server = TestServer::new().await;
    let client = &server.client;
    let mut statuses = Vec::new();
    for open in Open::all(&server).await {
        let (path, good) = (open.path, open.fields(&open.token));
        let responses = [
            client.get(path).await,
            send(client, path, &open.fields("unknown"), &[]).await,
            send(client, path, &[("token", "x"), ("next", "//evil.example")], &[]).await,
            send(client, path, &good[1..], &[]).await,
            send(client, path, &good, &[("origin", "null")]).await,
            server.post_bytes(path, "text/plain", "x").await,
            server.post_bytes(path, FORM, "x".repeat(20_000)).await,
            open.act(client).await,
            open.act(client).await,
        ];
        for response in &responses {
            is_page(response, response.status.as_u16());
            has_its_policy(response);
            loads_nothing(response);
            statuses.push(response.status.as_u16());
        }
    }
    let gone = name_taken().await;
    has_its_policy(&gone);
    loads_nothing(&gone);
    statuses.sort_unstable();
    statuses.dedup();
    assert_eq!(statuses, [200, 400, 403, 413, 415, 422]);
}

/// The page to choose another username, from a node of its own.
async fn name_taken() -> TestResponse {
    let server = TestServer::with(&[("signup.email_verification", "required")]).await;
    let client = &server.client;
    let mut last = None;
    for index in ["first", "second"] {
        let email = format!("{index}@example.org");
        let body = json!({"username": "ada", "email": email, "password": PASSWORD});
        assert_eq!(client.send(client.post("/v1/signup", &body)).await.status, 202);
    }
    for index in ["first", "second"] {
        let message = wait_for_email(client, &format!("{index}@example.org"), "Confirm", 1).await;
        let fields = [("token", link_token(&message)), ("password", PASSWORD)];
        let response = send(client, "/confirm-email", &fields, &[]).await;
        last = Some((response, link_token(&message).to_owned()));
    }
    let (response, token) = last.unwrap();
    is_page(&response, 409);
    assert!(response.text.contains("name=\"username\"") && response.text.contains(&token));
    assert!(!response.text.contains(PASSWORD));
    let fields = [("token", token.as_str()), ("password", PASSWORD), ("username", "ada")];
    is_page(&send(client, "/confirm-email", &fields, &[]).await, 409);
    let fields = [("token", token.as_str()), ("password", PASSWORD), ("username", "ada2")];
    is_page(&send(client, "/confirm-email", &fields, &[]).await, 200);
    assert_eq!(client.login("ada2", PASSWORD).await.status, 200);
    response
}

/// Rows 1.2.1 and H3: submitted values appear again in their fields, and nowhere else.
#[tokio::test]
async fn h3_what_is_filled_in_is_escaped() {
    let server = TestServer::new().await;
    let client = &server.client;
    let by_code = |secret: &'static str| [("email", NASTY), ("code", NASTY), (secret, NASTY)];
    let responses = [
        send(client, "/confirm-email", &by_code("password"), &[]).await,
        send(client, "/reset-password", &by_code("new_password"), &[]).await,
        send(client, "/confirm-email", &[("token", NASTY), ("password", NASTY)], &[]).await,
        send(client, "/confirm-email", &[("token", "x"), ("username", NASTY)], &[]).await,
        send(client, "/undo-email-change", &[("token", NASTY)], &[]).await,
        send(client, "/undo-email-change", &[(NASTY, NASTY)], &[]).await,
        client.get("/undo-email-change?%22%3E%3Cscript%3Ealert(1)").await,
    ];
    for response in &responses {
        is_page(response, response.status.as_u16());
        for mark in ["<img", "alert(1)</", "\"><script>", "&lt;'"] {
            assert!(!response.text.contains(mark), "{mark} in {response:?}");
        }
        has_its_policy(response);
    }
    let kept = "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;";
    assert!(responses[0].text.contains(kept) && responses[1].text.contains(kept));
    assert!(responses[3].text.contains(kept), "the name");
    for response in [&responses[2], &responses[4], &responses[5], &responses[6]] {
        assert!(!response.text.contains(kept), "{response:?}");
    }
}

/// Row 14.2.1: of the submitted values, no password and no code appears on a page, and a token only
/// in its hidden field.
#[tokio::test]
async fn no_secret_that_is_filled_in_stands_on_a_page() {
    let server = TestServer::new().await;
    let client = &server.client;
    let secret = "canary-canary-canary";
    for (path, field) in [("/confirm-email", "password"), ("/reset-password", "new_password")] {
        for fields in [
            vec![("token", "unknown"), (field, secret)],
            vec![("email", "ada@example.org"), ("code", "73917391"), (field, secret)],
            vec![("email", "ada"), ("code", "73917391"), (field, secret)],
            vec![("token", "unknown"), ("email", "ada@example.org"), (field, secret)],
            vec![("unknown", "73917391"), (field, secret)],
        ] {
            let response = send(client, path, &fields, &[]).await;
            assert!(response.status.is_client_error(), "{response:?}");
            assert!(!response.text.contains("canary"), "{response:?}");
            assert!(!response.text.contains("73917391"), "{response:?}");
        }
    }
    for open in Open::all(&server).await {
        let response = send(client, open.path, &[("token", &open.token), ("x", NEW)], &[]).await;
        assert!(!response.text.contains(&open.token), "{response:?}");
        let mut fields = open.fields(&open.token);
        fields.truncate(1);
        let response = send(client, open.path, &fields, &[]).await;
        let hidden = format!("<input type=\"hidden\" name=\"token\" value=\"{}\">", open.token);
        let elsewhere = response.text.replacen(&hidden, "", 1);
        assert!(!elsewhere.contains(&open.token), "{response:?}");
        // Two pages need no other field; the others ask for the rest, and keep the link.
        let is_whole = ["/undo-email-change", "/not-me"].contains(&open.path);
        assert_eq!(elsewhere.len() < response.text.len(), !is_whole);
    }
}
