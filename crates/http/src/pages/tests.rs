//! Tests of the pages that need no account.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gateward_app::LinkProof;
use gateward_app::domain::PasswordPolicy;
use sha2::{Digest, Sha256};

use super::escape;
use super::filled::Filled;
use crate::problem::{Code, Problem};
use crate::testing::{FORM, LISTED, OURS, TestApp, TestResponse};

const PATHS: [&str; 5] =
    ["/confirm-email", "/reset-password", "/undo-email-change", "/not-me", "/accept-invitation"];
const NAMES: &[&str] = &["token", "email", "code", "password", "new_password", "username"];

/// Sends a request to a service whose store panics, so that its responses cannot depend on it.
async fn send(request: TestRequest) -> TestResponse {
    TestApp::panicking().await.send(request).await
}

fn filled(text: &str) -> Filled {
    Filled::parse(text.as_bytes(), NAMES).unwrap()
}

/// The text between two marks.
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    text.split_once(start).unwrap().1.split_once(end).unwrap().0
}

/// Row V7: opening a link shows a form, whatever the token. The store is not asked.
#[actix_web::test]
async fn v7_opening_a_link_uses_nothing_up() {
    for path in PATHS {
        for query in ["", "?token=x&next=//evil.example", "?a=1&a=1", "?%ff"] {
            for request in
                [TestRequest::get(), TestRequest::default().method("HEAD".parse().unwrap())]
            {
                let request = request.insert_header(("sec-fetch-site", "cross-site"));
                let response = send(request.uri(&format!("{path}{query}"))).await;
                assert_eq!(response.status, StatusCode::OK, "{path}{query}");
            }
        }
        let page = send(TestRequest::get().uri(&format!("{path}?x=canary"))).await.text;
        assert!(page.contains(&format!("<form method=\"post\" action=\"{path}\"")), "{path}");
        assert!(!page.contains("canary"));
    }
}

/// Row W5: the policy allows exactly the blocks of the page, and nothing else.
#[actix_web::test]
async fn w5_the_policy_allows_the_blocks_of_the_page() {
    for path in PATHS {
        let response = send(TestRequest::get().uri(path)).await;
        let page = &response.text;
        let hash = |block: &str| STANDARD.encode(Sha256::digest(block.as_bytes()));
        let (style, script) =
            (between(page, "<style>", "</style>"), between(page, "<script>", "</script>"));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            hash(style),
            hash(script),
        );
        assert_eq!(response.header("content-security-policy"), policy);
        assert_eq!(response.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(response.header("cache-control"), "no-store");
        assert_eq!(response.header("referrer-policy"), "no-referrer");
        assert_eq!(response.header("x-content-type-options"), "nosniff");
        assert_eq!(page.matches("<script").count(), 1);
        assert_eq!(page.matches("<style").count(), 1);
        assert!(!page.contains("style=\"") && !page.contains(" onclick"));
    }
}

/// Rows W1 and W2: a form from another site is refused before it is read.
#[actix_web::test]
async fn w1_a_form_from_another_site_is_refused() {
    let post = |origin: Option<&'static str>, site: Option<&'static str>| {
        let mut request = TestRequest::post().insert_header(FORM).set_payload("unknown=1");
        if let Some(origin) = origin {
            request = request.insert_header(("origin", origin));
        }
        if let Some(site) = site {
            request = request.insert_header(("sec-fetch-site", site));
        }
        request
    };
    for path in PATHS {
        for cross_site in [
            "null",
            "",
            "https://evil.example",
            "http://auth.example.org",
            "https://auth.example.org.evil.example",
            "https://auth.example.org:444",
            "https://AUTH.example.org",
        ] {
            let response = send(post(Some(cross_site), None).uri(path)).await;
            assert_eq!(response.status, StatusCode::FORBIDDEN, "{path} {cross_site:?}");
            assert!(!response.headers.contains_key("www-authenticate"));
            assert!(response.text.contains("another site"));
        }
        for origin in [None, Some(OURS)] {
            let response = send(post(origin, Some("cross-site")).uri(path)).await;
            assert_eq!(response.status, StatusCode::FORBIDDEN, "{path} {origin:?}");
        }
        let twice = post(Some(OURS), None).append_header(("origin", OURS));
        assert_eq!(send(twice.uri(path)).await.status, StatusCode::FORBIDDEN);
        // These are parsed, then refused for their content.
        for (origin, site) in [
            (None, None),
            (None, Some("same-origin")),
            (Some(OURS), Some("same-origin")),
            (Some(LISTED), Some("cross-site")),
        ] {
            let response = send(post(origin, site).uri(path)).await;
            assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY, "{path} {origin:?}");
        }
    }
}

/// Row W6: a body must be a form. Anything else is refused, with a page.
#[actix_web::test]
async fn w6_other_content_types_are_refused_on_a_page() {
    for path in PATHS {
        for kind in ["application/json", "text/plain", "multipart/form-data; boundary=x"] {
            let request = TestRequest::post().uri(path).insert_header(("content-type", kind));
            let response = send(request.set_payload("token=x")).await;
            assert_eq!(response.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{path} {kind}");
            assert_eq!(response.header("content-type"), "text/html; charset=utf-8");
            assert!(response.text.contains("submit the form on that page."));
        }
        let request = TestRequest::post().uri(path).insert_header(FORM);
        let response = send(request.set_payload("a".repeat(16 * 1024 + 1))).await;
        assert_eq!(response.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(response.header("content-type"), "text/html; charset=utf-8");
    }
}

#[actix_web::test]
async fn what_is_wrong_stands_next_to_its_field_and_the_link_survives() {
    let post = |text: &'static str| TestRequest::post().insert_header(FORM).set_payload(text);
    let response = send(post("token=tok-en_1&new_password=short").uri("/reset-password")).await;
    assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = response.text;
    assert!(page.contains("<input type=\"hidden\" name=\"token\" value=\"tok-en_1\">"));
    assert!(page.contains("id=\"new_password-wrong\">Use at least 8 characters.</p>"));
    assert!(!page.contains("value=\"short\""));

    let text = "email=%22%3E%3Cb%3E&code=123&new_password=canary-canary";
    let page = send(post(text).uri("/reset-password")).await.text;
    assert!(page.contains("value=\"&quot;&gt;&lt;b&gt;\""));
    assert!(page.contains("id=\"email-wrong\"") && page.contains("id=\"code-wrong\""));
    assert!(!page.contains("canary") && !page.contains("value=\"123\""));

    let page = send(post("token=%3Cb%3E&password=").uri("/confirm-email")).await.text;
    assert!(page.contains("id=\"password-wrong\""));
    assert!(!page.contains("&lt;b&gt;"), "no token of OURS looks like this");
}

#[test]
fn a_form_is_read_to_the_email() {
    let form = filled("password=a+b%2B%20c%25%zz%&email=+x%40y+&username=");
    assert_eq!(form.text("password"), "a b+ c%%zz%");
    assert_eq!(form.text("email"), "x@y");
    assert_eq!(form.text("username"), "");
    let mut form = filled("password=+%F0%9F%A6%80+");
    assert_eq!(form.password("password").unwrap().expose(), " 🦀 ");
    let policy = PasswordPolicy { length_min: 8 };
    assert!(form.new_password("password", policy).is_none());
    assert_eq!(form.words("password"), Some("Use at least 8 characters."));
}

/// Row W11: no duplicate field, no unknown field, nothing but UTF-8.
#[test]
fn w11_a_form_has_each_known_field_once() {
    for (text, code) in [
        ("token=a&token=a", Code::MalformedRequest),
        ("token=&%74oken=a", Code::MalformedRequest),
        ("token=%ff", Code::MalformedRequest),
        ("token=\u{0}&is_admin=1", Code::ValidationFailed),
        ("=", Code::ValidationFailed),
    ] {
        let error = Filled::parse(text.as_bytes(), NAMES).err().unwrap();
        assert_eq!(error.code(), code, "{text:?}");
    }
    let both = filled("token=a&email=ada%40example.org&code=12345678").proof();
    assert_eq!(both.err().unwrap().code(), Code::MalformedRequest);
}

#[test]
fn a_proof_is_a_token_a_pasted_link_or_an_address_with_a_code() {
    let token = |text: &str| match filled(text).proof() {
        Ok(Some(LinkProof::Token(token))) => token,
        other => panic!("{other:?}"),
    };
    assert_eq!(token("token=+abc+&email=&code="), "abc");
    assert_eq!(token("token=https%3A%2F%2Fx%2Fundo-email-change%23token%3Dabc"), "abc");
    let mut form = filled("email=Ada%40example.org&code=1234+5678");
    let Ok(Some(LinkProof::Code { email, code })) = form.proof() else { panic!() };
    assert_eq!((email.as_str(), code.expose()), ("ada@example.org", "12345678"));
    let mut empty = filled("");
    assert!(matches!(empty.proof(), Ok(None)));
    assert!(empty.words("email").is_some() && empty.words("code").is_some());
}

#[test]
fn only_what_looks_like_a_token_is_given_back() {
    assert_eq!(filled("token=aZ09-_").kept_token().as_deref(), Some("aZ09-_"));
    for other in ["", "%22", "a%20b", "a.b", "é", &"a".repeat(129)] {
        assert_eq!(filled(&format!("token={other}")).kept_token(), None, "{other}");
    }
}

#[test]
fn h3_nothing_leaves_its_place_in_html() {
    assert_eq!(
        escape("<a href=\"x\">'&'</a>"),
        "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;"
    );
    assert_eq!(escape("Ada & José"), "Ada &amp; José");
}

/// Row L9: the displayed wait is never shorter than the real one.
#[test]
fn l9_a_wait_is_told_in_words_and_rounded_up() {
    for (seconds, words) in [
        (1, "1 second"),
        (2, "2 seconds"),
        (119, "119 seconds"),
        (120, "2 minutes"),
        (121, "3 minutes"),
        (900, "15 minutes"),
        (u32::MAX, "71582789 minutes"),
    ] {
        assert_eq!(super::texts::span(seconds), words);
        let (title, text) = super::refusal::words(&limited(seconds));
        assert_eq!(title, "Too many attempts");
        assert_eq!(text, format!("Too many attempts. Wait {words}, then submit the form again."));
    }
}

fn limited(seconds: u32) -> Problem {
    gateward_app::RateLimited { retry_after_seconds: seconds }.into()
}
