//! What unlisted pages can do to their visitor: rows W1, W2 and W4.

use gateward_e2e::{Database, on_sqlite};
use serde_json::{Value, json};

use super::fixture::{BrowserFixture, login_body};
use crate::support::cookie_jar::CSRF;

on_sqlite!(
    w1_w2_a_page_of_another_port_does_nothing_by_its_visitors_cookies,
    w1_w2_a_page_of_another_site_does_nothing,
);

const FORM: &str = "application/x-www-form-urlencoded";

/// Another port is the same site: the browser adds the cookies, and lets scripts read the CSRF
/// token.
async fn w1_w2_a_page_of_another_port_does_nothing_by_its_visitors_cookies(kind: Database) {
    let Some(fixture) = BrowserFixture::new(kind, "Lax").await else { return };
    let page = format!("https://localhost:{}/", fixture.stranger);
    is_harmless(&fixture, &page, true, "csrf_failed").await;
}

/// Another site: the browser adds no cookies to its requests.
async fn w1_w2_a_page_of_another_site_does_nothing(kind: Database) {
    let Some(fixture) = BrowserFixture::new(kind, "Lax").await else { return };
    let page = format!("https://evil.test:{}/", fixture.stranger);
    is_harmless(&fixture, &page, false, "missing_token").await;
}

/// Asserts that no request of a page has an effect, before and after a login. The code of form
/// responses shows whether the browser added the cookies.
async fn is_harmless(fixture: &BrowserFixture, page: &str, reads: bool, code: &str) {
    assert_eq!(fixture.client.signup("mallory").await.status, 201);
    forge_logins(fixture, page).await;
    assert!(fixture.kept().await.is_empty(), "a stranger has logged its visitor in");

    fixture.open_own().await;
    let login = fixture.login("ada").await.is(200);
    let before = (fixture.kept().await, sessions(fixture).await);
    forge_logins(fixture, page).await;
    forge_calls(fixture, page, reads, login.body["csrf_token"].as_str().unwrap()).await;
    have_arrived(fixture, code);
    forge_forms(fixture, page, code).await;

    fixture.open_own().await;
    assert_eq!((fixture.kept().await, sessions(fixture).await), before);
    let me = fixture.ask("GET", "/v1/me", None).await.is(200);
    assert_eq!(me.body["username"], "ada");
    let pair = fixture.client.login("mallory", gateward_e2e::PASSWORD).await;
    let request = fixture.client.request(reqwest::Method::GET, "/v1/me/sessions");
    let sessions = fixture.client.send(request.bearer_auth(pair.access())).await;
    assert_eq!(sessions.body["items"].as_array().unwrap().len(), 1, "{sessions:?}");
}

/// The sessions of the logged-in user, as a page of ours reads them.
async fn sessions(fixture: &BrowserFixture) -> Value {
    let sessions = fixture.ask("GET", "/v1/me/sessions", None).await.is(200);
    assert_eq!(sessions.body["items"].as_array().unwrap().len(), 1, "{sessions:?}");
    assert_eq!(sessions.body["items"][0]["refreshes"], 0, "{sessions:?}");
    sessions.body
}

/// Row W2: tries every way of a page to log the visitor in as another user.
async fn forge_logins(fixture: &BrowserFixture, page: &str) {
    fixture.browser.goto(page).await;
    fixture.login("mallory").await.is_nothing();
    for kind in ["text/plain", FORM] {
        let init = json!({
            "method": "POST", "mode": "no-cors", "credentials": "include",
            "headers": {"Content-Type": kind}, "body": login_body("mallory"),
        });
        fixture.fetch("/v1/login", init).await.is_nothing();
    }
    // The field of a form, whose name and value make JSON of it.
    let body = login_body("mallory");
    let field = (&*body.replace('}', ",\"x\":\""), "\"}");
    for (kind, field) in [("text/plain", field), (FORM, field), (FORM, ("identifier", "mallory"))] {
        fixture.browser.goto(page).await;
        let response = fixture.submit("/v1/login", kind, field).await;
        assert!(response.contains("unsupported_media_type"), "{response}");
    }
}

/// Rows W1 and W4: calls the API with the visitor's cookies.
async fn forge_calls(fixture: &BrowserFixture, page: &str, reads: bool, csrf: &str) {
    fixture.browser.goto(page).await;
    // Pages on other ports read the value of a readable cookie, too.
    assert_eq!(fixture.seen().await.get(CSRF).map(String::as_str), reads.then_some(csrf));
    fixture.ask("GET", "/v1/me", None).await.is_nothing();
    for (method, path) in [
        ("POST", "/v1/logout"),
        ("POST", "/v1/logout-all"),
        ("POST", "/v1/refresh"),
        ("DELETE", "/v1/me"),
    ] {
        for token in [None, Some(csrf)] {
            fixture.ask(method, path, token).await.is_nothing();
        }
    }
    // Without a preflight: requests that a form can send as well.
    for path in ["/v1/logout", "/v1/logout-all", "/v1/refresh"] {
        for body in [Value::Null, json!("{}")] {
            let init = json!({
                "method": "POST", "mode": "no-cors", "credentials": "include", "body": body,
                "headers": {"X-CSRF-Token": csrf},
            });
            fixture.fetch(path, init).await.is_nothing();
        }
    }
}

/// Asserts that the node refused the hidden requests for the right reason.
fn have_arrived(fixture: &BrowserFixture, code: &str) {
    let responses = fixture.node.lines("request completed");
    for route in ["/v1/logout", "/v1/logout-all"] {
        let refused = |line: &Value| line["route"] == route && line["code"] == code;
        assert!(responses.iter().any(refused), "{route}: {responses:#?}");
    }
}

/// Row W1: submits forms. Their responses are visible, and show whether the cookies were sent.
async fn forge_forms(fixture: &BrowserFixture, page: &str, code: &str) {
    for path in ["/v1/logout-all", "/v1/me/reauthenticate"] {
        for kind in ["text/plain", FORM] {
            fixture.browser.goto(page).await;
            let response = fixture.submit(path, kind, ("password", gateward_e2e::PASSWORD)).await;
            assert!(response.contains(&format!("\"{code}\"")), "{path} {kind}: {response}");
        }
    }
    for path in ["/v1/logout", "/v1/refresh"] {
        for field in [("a", "b"), ("", "")] {
            fixture.browser.goto(page).await;
            let response = fixture.submit(path, FORM, field).await;
            let refusals = [code, "missing_token", "unsupported_media_type"];
            assert!(refusals.iter().any(|code| response.contains(code)), "{path}: {response}");
        }
    }
}
