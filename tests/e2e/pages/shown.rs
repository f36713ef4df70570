//! What pages show and what they load: rows W5, 1.2.1 and 14.2.1.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gateward_e2e::{Answer, PASSWORD};
use regex::Regex;
use serde_json::json;

use super::{NEW, Open, PATHS, is_page, send};
use crate::dev_inbox::{token, wait_for};
use crate::headers::are_safe;
use crate::stage::Stage;

/// What HTML must not find in its place again.
const NASTY: &str = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'&lt;";

/// The blocks between two tags.
fn blocks<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let parts = page.split(open.as_str()).skip(1);
    parts.map(|part| part.split_once(close.as_str()).unwrap().0).collect()
}

/// Asserts that the policy allows the blocks of the page to the letter, and nothing else.
#[track_caller]
fn has_its_policy(answer: &Answer) {
    are_safe(&answer.headers, false);
    let policy = answer.header("content-security-policy").unwrap();
    let parts: Vec<&str> = policy.split(';').map(str::trim).collect();
    for part in ["default-src 'none'", "form-action 'self'", "frame-ancestors 'none'"] {
        assert!(parts.contains(&part), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    for name in ["style", "script"] {
        let [block] = blocks(&answer.text, name)[..] else { panic!("not one {name}: {answer:?}") };
        let hash = STANDARD.encode(digest(&SHA256, block.as_bytes()));
        assert!(parts.contains(&format!("{name}-src 'sha256-{hash}'").as_str()), "{policy}");
        assert_eq!(answer.text.matches(&format!("<{name}")).count(), 1);
    }
    let values = Regex::new(r#""[^"]*""#).unwrap();
    let names = values.replace_all(&answer.text, "");
    assert!(!Regex::new(r"(?i)<[^>]*\s(style|on[a-z]+)\s*=").unwrap().is_match(&names));
}

/// Asserts that nothing on the page is of another place.
#[track_caller]
fn loads_nothing(answer: &Answer) {
    let named = Regex::new(r#"(?i)\s(src|href|action|srcset|poster|data|formaction)="([^"]*)""#);
    for found in named.unwrap().captures_iter(&answer.text) {
        assert!(PATHS.contains(&&found[2]), "{} in {answer:?}", &found[0]);
    }
    for mark in ["url(", "@import", "http:", "https:", "//evil", "<base", "http-equiv"] {
        assert!(!answer.text.contains(mark), "{mark} in {answer:?}");
    }
}

/// Rows W5 and 3.4.3: whatever a page answers, it has its policy, and loads nothing.
#[tokio::test]
async fn w5_every_page_of_every_status_has_its_policy() {
    let stage = Stage::new().await;
    let client = &stage.client;
    let mut statuses = Vec::new();
    for open in Open::all(&stage).await {
        let (path, good) = (open.path, open.fields(&open.token));
        let answers = [
            client.get(path).await,
            send(client, path, &open.fields("unknown"), &[]).await,
            send(client, path, &[("token", "x"), ("next", "//evil.example")], &[]).await,
            send(client, path, &good[1..], &[]).await,
            send(client, path, &good, &[("origin", "null")]).await,
            stage.post_bytes(path, "text/plain", "x").await,
            stage.post_bytes(path, super::FORM, "x".repeat(20_000)).await,
            open.act(client).await,
            open.act(client).await,
        ];
        for answer in &answers {
            is_page(answer, answer.status.as_u16());
            has_its_policy(answer);
            loads_nothing(answer);
            statuses.push(answer.status.as_u16());
        }
    }
    let gone = name_taken().await;
    has_its_policy(&gone);
    loads_nothing(&gone);
    statuses.sort_unstable();
    statuses.dedup();
    assert_eq!(statuses, [200, 400, 403, 413, 415, 422]);
}

/// The page on which a name is chosen anew, of a node of its own.
async fn name_taken() -> Answer {
    let stage = Stage::with(&[("signup.email_verification", "required")]).await;
    let client = &stage.client;
    let mut last = None;
    for place in ["first", "second"] {
        let email = format!("{place}@example.org");
        let body = json!({"username": "ada", "email": email, "password": PASSWORD});
        assert_eq!(client.send(client.post("/v1/signup", &body)).await.status, 202);
    }
    for place in ["first", "second"] {
        let letter = wait_for(client, &format!("{place}@example.org"), "Confirm", 1).await;
        let fields = [("token", token(&letter)), ("password", PASSWORD)];
        let answer = send(client, "/confirm-email", &fields, &[]).await;
        last = Some((answer, token(&letter).to_owned()));
    }
    let (answer, token) = last.unwrap();
    is_page(&answer, 409);
    assert!(answer.text.contains("name=\"username\"") && answer.text.contains(&token));
    assert!(!answer.text.contains(PASSWORD));
    let fields = [("token", token.as_str()), ("password", PASSWORD), ("username", "ada")];
    is_page(&send(client, "/confirm-email", &fields, &[]).await, 409);
    let fields = [("token", token.as_str()), ("password", PASSWORD), ("username", "ada2")];
    is_page(&send(client, "/confirm-email", &fields, &[]).await, 200);
    assert_eq!(client.login("ada2", PASSWORD).await.status, 200);
    answer
}

/// Rows 1.2.1 and H3: what is filled in stands in its place again, and nowhere else.
#[tokio::test]
async fn h3_what_is_filled_in_is_escaped() {
    let stage = Stage::new().await;
    let client = &stage.client;
    let by_code = |secret: &'static str| [("email", NASTY), ("code", NASTY), (secret, NASTY)];
    let answers = [
        send(client, "/confirm-email", &by_code("password"), &[]).await,
        send(client, "/reset-password", &by_code("new_password"), &[]).await,
        send(client, "/confirm-email", &[("token", NASTY), ("password", NASTY)], &[]).await,
        send(client, "/confirm-email", &[("token", "x"), ("username", NASTY)], &[]).await,
        send(client, "/undo-email-change", &[("token", NASTY)], &[]).await,
        send(client, "/undo-email-change", &[(NASTY, NASTY)], &[]).await,
        client.get("/undo-email-change?%22%3E%3Cscript%3Ealert(1)").await,
    ];
    for answer in &answers {
        is_page(answer, answer.status.as_u16());
        for mark in ["<img", "alert(1)</", "\"><script>", "&lt;'"] {
            assert!(!answer.text.contains(mark), "{mark} in {answer:?}");
        }
        has_its_policy(answer);
    }
    let kept = "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;";
    assert!(answers[0].text.contains(kept) && answers[1].text.contains(kept));
    assert!(answers[3].text.contains(kept), "the name");
    for answer in [&answers[2], &answers[4], &answers[5], &answers[6]] {
        assert!(!answer.text.contains(kept), "{answer:?}");
    }
}

/// Row 14.2.1: of what is filled in, no password and no code stands on a page, and a token in its
/// hidden field alone.
#[tokio::test]
async fn no_secret_that_is_filled_in_stands_on_a_page() {
    let stage = Stage::new().await;
    let client = &stage.client;
    let secret = "canary-canary-canary";
    for (path, field) in [("/confirm-email", "password"), ("/reset-password", "new_password")] {
        for fields in [
            vec![("token", "unknown"), (field, secret)],
            vec![("email", "ada@example.org"), ("code", "73917391"), (field, secret)],
            vec![("email", "ada"), ("code", "73917391"), (field, secret)],
            vec![("token", "unknown"), ("email", "ada@example.org"), (field, secret)],
            vec![("unknown", "73917391"), (field, secret)],
        ] {
            let answer = send(client, path, &fields, &[]).await;
            assert!(answer.status.is_client_error(), "{answer:?}");
            assert!(!answer.text.contains("canary"), "{answer:?}");
            assert!(!answer.text.contains("73917391"), "{answer:?}");
        }
    }
    for open in Open::all(&stage).await {
        let answer = send(client, open.path, &[("token", &open.token), ("x", NEW)], &[]).await;
        assert!(!answer.text.contains(&open.token), "{answer:?}");
        let mut fields = open.fields(&open.token);
        fields.truncate(1);
        let answer = send(client, open.path, &fields, &[]).await;
        let hidden = format!("<input type=\"hidden\" name=\"token\" value=\"{}\">", open.token);
        let elsewhere = answer.text.replacen(&hidden, "", 1);
        assert!(!elsewhere.contains(&open.token), "{answer:?}");
        // Two pages need nothing else; the others ask for the rest, and keep the link.
        let is_whole = ["/undo-email-change", "/not-me"].contains(&open.path);
        assert_eq!(elsewhere.len() < answer.text.len(), !is_whole);
    }
}
