//! Requests from other sites with the cookies of their visitors: rows W1, W2 and W3.

mod safe;
mod victim;

use gateward_e2e::{Client, Database, PASSWORD, on_sqlite};
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use self::victim::{Act, Victim};
use crate::support::cookie_jar::{ACCESS, CSRF, CookieJar, OWN, REFRESH, login_request, refuses};
use crate::support::inbox::wait_for_email;
use crate::support::test_server::TestServer;

on_sqlite!(
    w1_without_the_csrf_token_of_the_session_nothing_is_done,
    w1_from_a_foreign_origin_nothing_is_done,
    w1_neither_a_form_nor_another_method_is_a_way_round,
    w1_what_a_page_of_ours_sends_is_done,
    w2_no_other_site_logs_its_visitor_in,
);

const LISTED: &str = "https://app.example.org";

/// The settings of the node.
const SETTINGS: [(&str, &str); 1] = [("http.cors_origins", LISTED)];

/// The operations of the document that change something and take the access token in a cookie.
async fn documented(client: &Client) -> Vec<String> {
    let document = client.get("/openapi.json").await.body;
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let security = operation["security"].as_array().cloned().unwrap_or_default();
            if method != "get" && security.iter().any(|one| one.get("cookieAuth").is_some()) {
                found.push(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    found.sort();
    found
}

/// Rows W1 and 3.5.1, for every operation that the document knows.
async fn w1_without_the_csrf_token_of_the_session_nothing_is_done(kind: Database) {
    let server = TestServer::start(kind, &SETTINGS).await;
    let client = &server.client;
    let ada = Victim::new(&server, "ada").await;
    let bob = CookieJar::begin(client, "bob").await;
    let mut known: Vec<String> = ada.acts().iter().map(Act::name).collect();
    known.retain(|name| name != "POST /v1/refresh");
    known.sort();
    assert_eq!(known, documented(client).await, "what changes something by cookie");

    let before = ada.state().await;
    let right = ada.cookie_jar.get(CSRF);
    let twice = format!("{right}, {right}");
    let wrong = [
        "",
        "x",
        "null",
        ada.other.get(CSRF),
        bob.get(CSRF),
        ada.cookie_jar.get(ACCESS),
        ada.cookie_jar.get(REFRESH),
        &ada.cookie_jar.session_id,
        &right[..right.len() - 1],
        &right.to_ascii_uppercase(),
        &right.to_ascii_lowercase(),
        &twice,
    ];
    for act in ada.acts() {
        let own = |request: RequestBuilder| request.header("origin", OWN);
        refuses(&ada.send(ada.bare(&act)).await, 403, "csrf_failed");
        refuses(&ada.send(own(ada.bare(&act))).await, 403, "csrf_failed");
        for token in wrong {
            let request = own(ada.bare(&act)).header("x-csrf-token", token);
            refuses(&ada.send(request).await, 403, "csrf_failed");
        }
        let request = own(ada.request(&act)).header("x-csrf-token", right);
        refuses(&ada.send(request).await, 403, "csrf_failed");
        // In other places, where a page of another site can write it.
        let elsewhere = format!("{}?x-csrf-token={right}&csrf_token={right}", act.path);
        let request = own(ada.cookie_jar.bare(client, act.method.clone(), &elsewhere));
        let response = ada.send(request.json(&json!({"csrf_token": right}))).await;
        assert!(response.status.is_client_error() && response.status != 401, "{response:?}");
    }
    ada.is_untouched(&before).await;
}

/// Row W1: the right token does not help a page of an unlisted origin.
async fn w1_from_a_foreign_origin_nothing_is_done(kind: Database) {
    let server = TestServer::start(kind, &SETTINGS).await;
    let ada = Victim::new(&server, "ada").await;
    let before = ada.state().await;
    for headers in foreign() {
        for act in ada.acts() {
            let request = headers
                .iter()
                .fold(ada.request(&act), |request, (name, value)| request.header(*name, *value));
            let response = ada.send(request).await;
            assert_eq!(response.status, 403, "{} {headers:?}: {response:?}", act.name());
            refuses(&response, 403, "csrf_failed");
        }
    }
    ada.is_untouched(&before).await;
}

/// The headers that browsers send for requests of unlisted origins.
fn foreign() -> Vec<Vec<(&'static str, &'static str)>> {
    let origins = [
        "null",
        "",
        "*",
        "https://evil.example",
        "https://127.0.0.1:8080",
        "http://127.0.0.1",
        "http://127.0.0.1:8081",
        "http://127.0.0.1:8080/",
        "http://127.0.0.1:8080.evil.example",
        "http://localhost:8080",
        "http://app.example.org",
        "https://app.example.org.evil.example",
        "https://evil-app.example.org",
        "http://127.0.0.1:8080, https://evil.example",
    ];
    let mut all: Vec<Vec<_>> = origins.iter().map(|origin| vec![("origin", *origin)]).collect();
    all.extend([
        vec![("origin", OWN), ("origin", OWN)],
        vec![("origin", OWN), ("origin", "https://evil.example")],
        vec![("origin", LISTED), ("origin", OWN)],
        vec![("origin", OWN), ("sec-fetch-site", "cross-site")],
        vec![("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")],
        vec![("sec-fetch-site", "cross-site")],
        vec![("sec-fetch-site", "same-site")],
    ]);
    all
}

/// Rows W1 and 3.5.2: forms, and headers that override the method.
async fn w1_neither_a_form_nor_another_method_is_a_way_round(kind: Database) {
    let server = TestServer::start(kind, &SETTINGS).await;
    let client = &server.client;
    let ada = Victim::new(&server, "ada").await;
    let before = ada.state().await;
    let kinds =
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"];
    for act in ada.acts() {
        for kind in kinds {
            for origin in ["https://evil.example", "null", OWN] {
                let form =
                    ada.cookie_jar.bare(client, Method::POST, &act.path).header("origin", origin);
                let form = form.header("content-type", kind).body(act.body.to_string());
                let status = ada.send(form).await.status.as_u16();
                assert!([403, 405, 415].contains(&status), "{} {kind}: {status}", act.name());
            }
        }
        for name in ["x-http-method-override", "x-http-method", "x-method-override"] {
            let hidden = ada.bare(&act).header("origin", OWN).header(name, "GET");
            refuses(&ada.send(hidden).await, 403, "csrf_failed");
            let other = ada.cookie_jar.bare(client, Method::GET, &act.path);
            let status = ada.send(other.header(name, act.method.as_str())).await.status.as_u16();
            assert!([200, 404, 405].contains(&status), "{}: {status}", act.name());
        }
    }
    ada.is_untouched(&before).await;
}

/// The other side of row W1: each action succeeds from our pages, and from those of a listed
/// origin.
async fn w1_what_a_page_of_ours_sends_is_done(kind: Database) {
    let server = TestServer::start(kind, &SETTINGS).await;
    let client = &server.client;
    let headers: [&[(&str, &str)]; 6] = [
        &[],
        &[("origin", OWN)],
        &[("origin", OWN), ("sec-fetch-site", "same-origin")],
        &[("origin", LISTED), ("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-origin")],
        &[("sec-fetch-site", "none")],
    ];
    let count = Victim::new(&server, "ada").await.acts().len();
    for at in 0..count {
        let bob = Victim::new(&server, &format!("bob-{at}")).await;
        let before = bob.state().await;
        let act = bob.acts().swap_remove(at);
        let said = headers[at % headers.len()];
        let request = said
            .iter()
            .fold(bob.request(&act), |request, (name, text)| request.header(*name, *text));
        let response = bob.send(request).await;
        assert!(response.status.is_success(), "{} {said:?}: {response:?}", act.name());
        let me = bob.cookie_jar.me(client).await;
        match act.template {
            "/v1/logout" | "/v1/logout-all" => me.is(401, "session_ended"),
            "/v1/me" if act.method == Method::DELETE => assert_eq!(me.status, 401, "{me:?}"),
            "/v1/me" => assert_eq!(me.body["username"], act.body["username"]),
            "/v1/email/confirm" => assert_eq!(me.body["email_verified"], true),
            "/v1/me/email" => {
                let title = "Confirm your";
                wait_for_email(client, act.body["new_email"].as_str().unwrap(), title, 1).await;
            }
            "/v1/me/password" => {
                assert_eq!(client.login(&bob.name, "another long one").await.status, 200);
            }
            "/v1/me/reauthenticate" => {
                assert!(response.headers.contains_key("set-cookie"), "{response:?}");
            }
            "/v1/users/{id}/reset-password" => {
                wait_for_email(client, &bob.guest.email(), "Reset your password", 1).await;
            }
            _ => assert_ne!(bob.state().await, before, "{}", act.name()),
        }
    }
}

/// Row W2: a site that logs its visitor in as another user would see what they do there.
async fn w2_no_other_site_logs_its_visitor_in(kind: Database) {
    let server = TestServer::start(kind, &SETTINGS).await;
    let client = &server.client;
    let cookie_jar = CookieJar::begin(client, "mallory").await;
    for headers in foreign() {
        let request = headers
            .iter()
            .fold(login_request(client, "mallory"), |all, (name, text)| all.header(*name, *text));
        let response = client.send(request).await;
        assert_eq!(response.status, 403, "{headers:?}: {response:?}");
        refuses(&response, 403, "csrf_failed");
    }
    let body = json!({"identifier": "mallory", "password": PASSWORD, "transport": "cookie"});
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        for origin in ["https://evil.example", OWN] {
            let form = client.request(Method::POST, "/v1/login").header("origin", origin);
            let form = form.header("content-type", kind).body(body.to_string());
            refuses(&client.send(form).await, 415, "unsupported_media_type");
        }
    }
    let sessions = client.send(cookie_jar.bare(client, Method::GET, "/v1/me/sessions")).await;
    assert_eq!(sessions.body["items"].as_array().unwrap().len(), 1, "{sessions:?}");
    for headers in [("origin", OWN), ("origin", LISTED), ("sec-fetch-site", "same-origin")] {
        let request = login_request(client, "mallory").header(headers.0, headers.1);
        assert_eq!(client.send(request).await.status, 200, "{headers:?}");
    }
}
