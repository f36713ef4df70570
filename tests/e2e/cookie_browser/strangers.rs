//! What pages that are not listed can do to their visitor: rows W1, W2 and W4.

use gateward_e2e::{Database, on_both};
use serde_json::{Value, json};

use super::scene::{Scene, login_body};
use crate::cookies::jar::CSRF;

on_both!(
    w1_w2_a_page_of_another_port_does_nothing_by_its_visitors_cookies,
    w1_w2_a_page_of_another_site_does_nothing,
);

const FORM: &str = "application/x-www-form-urlencoded";

/// Another port is the same site: the browser adds the cookies, and lets scripts read the CSRF token.
async fn w1_w2_a_page_of_another_port_does_nothing_by_its_visitors_cookies(kind: Database) {
    let Some(scene) = Scene::new(kind, "Lax").await else { return };
    let page = format!("https://localhost:{}/", scene.stranger);
    is_harmless(&scene, &page, true, "csrf_failed").await;
}

/// Another site: the browser adds no cookies to what it sends.
async fn w1_w2_a_page_of_another_site_does_nothing(kind: Database) {
    let Some(scene) = Scene::new(kind, "Lax").await else { return };
    let page = format!("https://evil.test:{}/", scene.stranger);
    is_harmless(&scene, &page, false, "missing_token").await;
}

/// Asserts that whatever a page does, before and after somebody is logged in, nothing comes of it.
/// The code is that of the answers to forms: whether the browser has added the cookies.
async fn is_harmless(scene: &Scene, page: &str, reads: bool, code: &str) {
    assert_eq!(scene.client.signup("mallory").await.status, 201);
    forge_logins(scene, page).await;
    assert!(scene.kept().await.is_empty(), "a stranger has logged its visitor in");

    scene.open_own().await;
    let login = scene.login("ada").await.is(200);
    let before = (scene.kept().await, sessions(scene).await);
    forge_logins(scene, page).await;
    forge_calls(scene, page, reads, login.body["csrf_token"].as_str().unwrap()).await;
    have_arrived(scene, code);
    forge_forms(scene, page, code).await;

    scene.open_own().await;
    assert_eq!((scene.kept().await, sessions(scene).await), before);
    let me = scene.ask("GET", "/v1/me", None).await.is(200);
    assert_eq!(me.body["username"], "ada");
    let pair = scene.client.login("mallory", gateward_e2e::PASSWORD).await;
    let request = scene.client.request(reqwest::Method::GET, "/v1/me/sessions");
    let sessions = scene.client.send(request.bearer_auth(pair.access())).await;
    assert_eq!(sessions.body["items"].as_array().unwrap().len(), 1, "{sessions:?}");
}

/// The sessions of whoever is logged in, as a page of ours reads them.
async fn sessions(scene: &Scene) -> Value {
    let sessions = scene.ask("GET", "/v1/me/sessions", None).await.is(200);
    assert_eq!(sessions.body["items"].as_array().unwrap().len(), 1, "{sessions:?}");
    assert_eq!(sessions.body["items"][0]["refreshes"], 0, "{sessions:?}");
    sessions.body
}

/// Row W2: has the visitor log in as somebody else, by all means that a page has.
async fn forge_logins(scene: &Scene, page: &str) {
    scene.browser.goto(page).await;
    scene.login("mallory").await.is_nothing();
    for kind in ["text/plain", FORM] {
        let init = json!({
            "method": "POST", "mode": "no-cors", "credentials": "include",
            "headers": {"Content-Type": kind}, "body": login_body("mallory"),
        });
        scene.fetch("/v1/login", init).await.is_nothing();
    }
    // The field of a form, whose name and value make JSON of it.
    let body = login_body("mallory");
    let field = (&*body.replace('}', ",\"x\":\""), "\"}");
    for (kind, field) in [("text/plain", field), (FORM, field), (FORM, ("identifier", "mallory"))] {
        scene.browser.goto(page).await;
        let answer = scene.submit("/v1/login", kind, field).await;
        assert!(answer.contains("unsupported_media_type"), "{answer}");
    }
}

/// Rows W1 and W4: calls the API by the cookies of the visitor.
async fn forge_calls(scene: &Scene, page: &str, reads: bool, csrf: &str) {
    scene.browser.goto(page).await;
    // What stands in a cookie that scripts read, pages of other ports read too.
    assert_eq!(scene.seen().await.get(CSRF).map(String::as_str), reads.then_some(csrf));
    scene.ask("GET", "/v1/me", None).await.is_nothing();
    for (method, path) in [
        ("POST", "/v1/logout"),
        ("POST", "/v1/logout-all"),
        ("POST", "/v1/refresh"),
        ("DELETE", "/v1/me"),
    ] {
        for token in [None, Some(csrf)] {
            scene.ask(method, path, token).await.is_nothing();
        }
    }
    // Without a preflight: what a form can send as well.
    for path in ["/v1/logout", "/v1/logout-all", "/v1/refresh"] {
        for body in [Value::Null, json!("{}")] {
            let init = json!({
                "method": "POST", "mode": "no-cors", "credentials": "include", "body": body,
                "headers": {"X-CSRF-Token": csrf},
            });
            scene.fetch(path, init).await.is_nothing();
        }
    }
}

/// Asserts that the node has refused what the page was told nothing of, for the right reason.
fn have_arrived(scene: &Scene, code: &str) {
    let answers = scene.node.lines("answered");
    for route in ["/v1/logout", "/v1/logout-all"] {
        let refused = |line: &Value| line["route"] == route && line["code"] == code;
        assert!(answers.iter().any(refused), "{route}: {answers:#?}");
    }
}

/// Row W1: sends forms. Their answers are shown, and say whether the cookies came with them.
async fn forge_forms(scene: &Scene, page: &str, code: &str) {
    for path in ["/v1/logout-all", "/v1/me/reauthenticate"] {
        for kind in ["text/plain", FORM] {
            scene.browser.goto(page).await;
            let answer = scene.submit(path, kind, ("password", gateward_e2e::PASSWORD)).await;
            assert!(answer.contains(&format!("\"{code}\"")), "{path} {kind}: {answer}");
        }
    }
    for path in ["/v1/logout", "/v1/refresh"] {
        for field in [("a", "b"), ("", "")] {
            scene.browser.goto(page).await;
            let answer = scene.submit(path, FORM, field).await;
            let refusals = [code, "missing_token", "unsupported_media_type"];
            assert!(refusals.iter().any(|code| answer.contains(code)), "{path}: {answer}");
        }
    }
}
