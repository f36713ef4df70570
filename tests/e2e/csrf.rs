//! Requests that other sites cause by the cookies of their visitors: rows W1, W2 and W3.

mod safe;

use gateward_e2e::{Answer, Client, Database, Node, PASSWORD, Plan, TestDatabase, on_both};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::cookies::jar::{ACCESS, CSRF, Jar, OWN, REFRESH, login_request, refuses};
use crate::dev_inbox::{letters, token, wait_for};

on_both!(
    w1_without_the_csrf_token_of_the_session_nothing_is_done,
    w1_from_a_foreign_origin_nothing_is_done,
    w1_neither_a_form_nor_another_method_is_a_way_round,
    w1_what_a_page_of_ours_sends_is_done,
    w2_no_other_site_logs_its_visitor_in,
);

const LISTED: &str = "https://app.example.org";

/// Somebody who is logged in twice, and whose address waits to be confirmed.
struct Victim<'a> {
    client: &'a Client,
    name: String,
    jar: Jar,
    other: Jar,
    /// The token of the letter that confirms the address.
    link: String,
}

/// What changes something by cookie.
struct Act {
    method: Method,
    /// As the document writes it.
    template: &'static str,
    path: String,
    body: Value,
}

/// A node, a client of it, and what it stands on.
async fn start(kind: Database) -> (Node, Client, TestDatabase) {
    let database = TestDatabase::new(kind).await;
    let plan = Plan::on(&database).with("http.cors_origins", LISTED);
    let node = plan.start().await;
    let client = node.client();
    (node, client, database)
}

impl<'a> Victim<'a> {
    async fn new(client: &'a Client, name: &str) -> Self {
        let jar = Jar::begin(client, name).await;
        let other = Jar::login(client, name).await;
        let email = format!("{name}@example.org");
        let letter = wait_for(client, &email, "Confirm your address", 1).await;
        let link = token(&letter).to_owned();
        Self { client, name: name.to_owned(), jar, other, link }
    }

    /// All that changes something by a cookie, each with what would do it.
    fn acts(&self) -> Vec<Act> {
        let act = |method, template: &'static str, body| {
            let path = template.replace("{id}", &self.other.session_id);
            Act { method, template, path, body }
        };
        let password = json!({"password": PASSWORD});
        let changed = json!({"current_password": PASSWORD, "new_password": "another long one"});
        let moved = json!({"new_email": self.moved(), "password": PASSWORD});
        let renamed = json!({"username": format!("not-{}", self.name)});
        vec![
            act(Method::PATCH, "/v1/me", renamed),
            act(Method::DELETE, "/v1/me", password.clone()),
            act(Method::POST, "/v1/me/email", moved),
            act(Method::POST, "/v1/me/password", changed),
            act(Method::POST, "/v1/me/reauthenticate", password),
            act(Method::DELETE, "/v1/me/sessions/{id}", Value::Null),
            act(Method::POST, "/v1/email/confirm", json!({"token": self.link})),
            act(Method::POST, "/v1/refresh", Value::Null),
            act(Method::POST, "/v1/logout-all", Value::Null),
            act(Method::POST, "/v1/logout", Value::Null),
        ]
    }

    /// Where a forged change of address would lead.
    fn moved(&self) -> String {
        format!("not-{}@example.org", self.name)
    }

    /// A request with the cookies that a browser adds, and no CSRF token.
    fn bare(&self, act: &Act) -> RequestBuilder {
        let request = self.jar.bare(self.client, act.method.clone(), &act.path);
        if act.body.is_null() { request } else { request.json(&act.body) }
    }

    /// The same with the CSRF token.
    fn request(&self, act: &Act) -> RequestBuilder {
        self.bare(act).header("x-csrf-token", self.jar.get(CSRF))
    }

    /// What anything that is done would change.
    async fn state(&self) -> [Value; 2] {
        let me = self.jar.me(self.client).await;
        assert_eq!(me.status, 200, "{me:?}");
        let sessions = self.jar.bare(self.client, Method::GET, "/v1/me/sessions");
        let sessions = self.client.send(sessions).await;
        assert_eq!(sessions.status, 200, "{sessions:?}");
        [me.body, sessions.body]
    }

    /// Asserts that all is as it was, and that nothing hidden was done either.
    async fn is_untouched(&self, before: &[Value; 2]) {
        assert_eq!(&self.state().await, before);
        for letter in letters(self.client).await {
            let (to, text) = (&letter["to"], letter["text"].as_str().unwrap());
            assert!(*to != self.moved() && !text.starts_with("Your password was"), "{letter:#?}");
        }
        // The refresh token was not spent, and the password is still the one that it was.
        let answer = self.other.refresh(self.client, None).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let answer = self.jar.refresh(self.client, None).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(self.client.login(&self.name, PASSWORD).await.status, 200);
    }

    async fn send(&self, request: RequestBuilder) -> Answer {
        self.client.send(request).await
    }
}

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
    let (_node, client, _database) = start(kind).await;
    let ada = Victim::new(&client, "ada").await;
    let bob = Jar::begin(&client, "bob").await;
    let mut known: Vec<String> = ada.acts().iter().map(Act::name).collect();
    known.retain(|name| name != "POST /v1/refresh");
    known.sort();
    assert_eq!(known, documented(&client).await, "what changes something by cookie");

    let before = ada.state().await;
    let right = ada.jar.get(CSRF);
    let twice = format!("{right}, {right}");
    let wrong = [
        "",
        "x",
        "null",
        ada.other.get(CSRF),
        bob.get(CSRF),
        ada.jar.get(ACCESS),
        ada.jar.get(REFRESH),
        &ada.jar.session_id,
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
        // At other places, where a page of another site can write it.
        let elsewhere = format!("{}?x-csrf-token={right}&csrf_token={right}", act.path);
        let request = own(ada.jar.bare(&client, act.method.clone(), &elsewhere));
        let answer = ada.send(request.json(&json!({"csrf_token": right}))).await;
        assert!(answer.status.is_client_error() && answer.status != 401, "{answer:?}");
    }
    ada.is_untouched(&before).await;
}

/// Row W1: the right token does not help a page that has no business here.
async fn w1_from_a_foreign_origin_nothing_is_done(kind: Database) {
    let (_node, client, _database) = start(kind).await;
    let ada = Victim::new(&client, "ada").await;
    let before = ada.state().await;
    for headers in foreign() {
        for act in ada.acts() {
            let request = headers
                .iter()
                .fold(ada.request(&act), |request, (name, value)| request.header(*name, *value));
            let answer = ada.send(request).await;
            assert_eq!(answer.status, 403, "{} {headers:?}: {answer:?}", act.name());
            refuses(&answer, 403, "csrf_failed");
        }
    }
    ada.is_untouched(&before).await;
}

/// What browsers say of requests that neither our pages nor those of listed origins cause.
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

/// Rows W1 and 3.5.2: forms, and headers that name another method.
async fn w1_neither_a_form_nor_another_method_is_a_way_round(kind: Database) {
    let (_node, client, _database) = start(kind).await;
    let ada = Victim::new(&client, "ada").await;
    let before = ada.state().await;
    let kinds =
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"];
    for act in ada.acts() {
        for kind in kinds {
            for origin in ["https://evil.example", "null", OWN] {
                let form = ada.jar.bare(&client, Method::POST, &act.path).header("origin", origin);
                let form = form.header("content-type", kind).body(act.body.to_string());
                let status = ada.send(form).await.status.as_u16();
                assert!([403, 405, 415].contains(&status), "{} {kind}: {status}", act.name());
            }
        }
        for name in ["x-http-method-override", "x-http-method", "x-method-override"] {
            let hidden = ada.bare(&act).header("origin", OWN).header(name, "GET");
            refuses(&ada.send(hidden).await, 403, "csrf_failed");
            let other = ada.jar.bare(&client, Method::GET, &act.path);
            let status = ada.send(other.header(name, act.method.as_str())).await.status.as_u16();
            assert!([200, 405].contains(&status), "{}: {status}", act.name());
        }
    }
    ada.is_untouched(&before).await;
}

/// The other side of row W1: each act is done when a page of ours, or of a listed origin, sends it.
async fn w1_what_a_page_of_ours_sends_is_done(kind: Database) {
    let (_node, client, _database) = start(kind).await;
    let headers: [&[(&str, &str)]; 6] = [
        &[],
        &[("origin", OWN)],
        &[("origin", OWN), ("sec-fetch-site", "same-origin")],
        &[("origin", LISTED), ("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-origin")],
        &[("sec-fetch-site", "none")],
    ];
    let count = Victim::new(&client, "ada").await.acts().len();
    for at in 0..count {
        let bob = Victim::new(&client, &format!("bob-{at}")).await;
        let before = bob.state().await;
        let act = bob.acts().swap_remove(at);
        let said = headers[at % headers.len()];
        let request = said
            .iter()
            .fold(bob.request(&act), |request, (name, text)| request.header(*name, *text));
        let answer = bob.send(request).await;
        assert!(answer.status.is_success(), "{} {said:?}: {answer:?}", act.name());
        let me = bob.jar.me(&client).await;
        match act.template {
            "/v1/logout" | "/v1/logout-all" => me.is(401, "session_ended"),
            "/v1/me" if act.method == Method::DELETE => assert_eq!(me.status, 401, "{me:?}"),
            "/v1/me" => assert_eq!(me.body["username"], act.body["username"]),
            "/v1/email/confirm" => assert_eq!(me.body["email_verified"], true),
            "/v1/me/email" => {
                let title = "Confirm your";
                wait_for(&client, act.body["new_email"].as_str().unwrap(), title, 1).await;
            }
            "/v1/me/password" => {
                assert_eq!(client.login(&bob.name, "another long one").await.status, 200);
            }
            "/v1/me/reauthenticate" => {
                assert!(answer.headers.contains_key("set-cookie"), "{answer:?}");
            }
            _ => assert_ne!(bob.state().await, before, "{}", act.name()),
        }
    }
}

/// Row W2: a site that could log its visitor in as somebody else would see what they do there.
async fn w2_no_other_site_logs_its_visitor_in(kind: Database) {
    let (_node, client, _database) = start(kind).await;
    let jar = Jar::begin(&client, "mallory").await;
    for headers in foreign() {
        let request = headers
            .iter()
            .fold(login_request(&client, "mallory"), |all, (name, text)| all.header(*name, *text));
        let answer = client.send(request).await;
        assert_eq!(answer.status, 403, "{headers:?}: {answer:?}");
        refuses(&answer, 403, "csrf_failed");
    }
    let body = json!({"identifier": "mallory", "password": PASSWORD, "transport": "cookie"});
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        for origin in ["https://evil.example", OWN] {
            let form = client.request(Method::POST, "/v1/login").header("origin", origin);
            let form = form.header("content-type", kind).body(body.to_string());
            refuses(&client.send(form).await, 415, "unsupported_media_type");
        }
    }
    let sessions = client.send(jar.bare(&client, Method::GET, "/v1/me/sessions")).await;
    assert_eq!(sessions.body["items"].as_array().unwrap().len(), 1, "{sessions:?}");
    for headers in [("origin", OWN), ("origin", LISTED), ("sec-fetch-site", "same-origin")] {
        let request = login_request(&client, "mallory").header(headers.0, headers.1);
        assert_eq!(client.send(request).await.status, 200, "{headers:?}");
    }
}

impl Act {
    fn name(&self) -> String {
        format!("{} {}", self.method, self.template)
    }
}
