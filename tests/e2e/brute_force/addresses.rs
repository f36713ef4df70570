//! What counts as one client, whatever headers say: row L3.

use gateward_e2e::{Database, PASSWORD, TestResponse, on_both};
use reqwest::Method;
use serde_json::{Value, json};

use super::attack::{WRONG, address, wait_of};
use crate::support::metrics::metric;
use crate::support::test_server::TestServer;

on_both!(
    l3_without_a_trusted_proxy_no_header_makes_another_client,
    l3_behind_a_trusted_proxy_what_it_saw_counts_alone,
    what_was_tried_and_who_waits_is_written_down_and_counted,
);

/// A node with an administrator.
struct Guarded {
    server: TestServer,
    admin: TestResponse,
}

impl Guarded {
    async fn start(kind: Database, trusted: &str) -> Self {
        let settings = [("rate_limit.enabled", "true"), ("http.trusted_proxies", trusted)];
        let server = TestServer::start(kind, &settings).await;
        Self { admin: server.admin("root").await, server }
    }

    /// Tries a password with these headers.
    async fn attempt(&self, password: &str, headers: &[(&str, String)]) -> TestResponse {
        let body = json!({"identifier": "root", "password": password});
        let mut request = self.server.client.post("/v1/login", &body);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        self.server.client.send(request).await
    }

    /// The events of a kind, newest first.
    async fn events(&self, kind: &str) -> Vec<Value> {
        let request = self.server.client.request(Method::GET, &format!("/v1/audit?event={kind}"));
        let page = self.server.client.send(request.bearer_auth(self.admin.access())).await;
        assert_eq!(page.status, 200, "{page:?}");
        page.body["items"].as_array().unwrap().clone()
    }

    /// The IP addresses of the recorded failed logins.
    async fn failed_from(&self) -> Vec<String> {
        let events = self.events("login_failed").await;
        events.iter().map(|event| event["ip"].as_str().unwrap().to_owned()).collect()
    }
}

/// Headers in which proxies name a client, each with a different IP address each time.
fn forged(number: usize) -> [(&'static str, String); 5] {
    let ip = address(number);
    [
        ("x-real-ip", ip.clone()),
        ("forwarded", format!("for={ip}")),
        ("cf-connecting-ip", ip.clone()),
        ("true-client-ip", ip.clone()),
        ("x-client-ip", ip),
    ]
}

async fn l3_without_a_trusted_proxy_no_header_makes_another_client(kind: Database) {
    let guarded = Guarded::start(kind, "10.200.0.0/16").await;
    let forwarded = |number: usize| {
        let mut headers = forged(number).to_vec();
        headers.push(("x-forwarded-for", address(number)));
        headers
    };
    for number in 0..5 {
        guarded.attempt(WRONG, &forwarded(number)).await.is(401, "invalid_credentials");
    }
    for number in 5..10 {
        wait_of(&guarded.attempt(PASSWORD, &forwarded(number)).await);
    }
    assert_eq!(guarded.failed_from().await, ["127.0.0.1"; 5]);
}

async fn l3_behind_a_trusted_proxy_what_it_saw_counts_alone(kind: Database) {
    let guarded = Guarded::start(kind, "127.0.0.1/32").await;
    let seen = |number: usize| {
        let mut headers = forged(number).to_vec();
        // The sender controls everything left of the last entry.
        headers.push(("x-forwarded-for", format!("{}, 203.0.113.9", address(number))));
        headers
    };
    for number in 0..5 {
        guarded.attempt(WRONG, &seen(number)).await.is(401, "invalid_credentials");
    }
    for number in 5..10 {
        wait_of(&guarded.attempt(PASSWORD, &seen(number)).await);
    }
    // Another client, although it claims to be forwarded for the first.
    let other = [("x-forwarded-for", "203.0.113.9, 203.0.113.10".to_owned())];
    guarded.attempt(WRONG, &other).await.is(401, "invalid_credentials");
    // Newest first.
    let [ref newest, ref before @ ..] = guarded.failed_from().await[..] else { panic!("none") };
    assert_eq!(newest, "203.0.113.10");
    assert_eq!(before, ["203.0.113.9"; 5]);
}

async fn what_was_tried_and_who_waits_is_written_down_and_counted(kind: Database) {
    let guarded = Guarded::start(kind, "127.0.0.1/32").await;
    let thief = [("x-forwarded-for", "203.0.113.9".to_owned())];
    for _ in 0..5 {
        guarded.attempt(WRONG, &thief).await.is(401, "invalid_credentials");
    }
    for _ in 0..3 {
        wait_of(&guarded.attempt(PASSWORD, &thief).await);
    }
    let client = &guarded.server.client;
    client.login("nobody", WRONG).await.is(401, "invalid_credentials");
    let failed = guarded.events("login_failed").await;
    let about = |event: &Value| event["user_id"].clone();
    let root = &guarded.admin.body["user"]["id"];
    assert_eq!(failed.len(), 6);
    assert_eq!(about(&failed[0]), Value::Null, "{failed:#?}");
    assert!(failed[1..].iter().all(|event| about(event) == *root), "{failed:#?}");
    // The wait is recorded once, however many requests it refuses.
    let waits = guarded.events("rate_limited").await;
    assert_eq!(waits.len(), 1, "{waits:#?}");
    assert_eq!((&waits[0]["ip"], &waits[0]["detail"]), (&json!("203.0.113.9"), &json!("login")));
    assert_eq!((about(&waits[0]), &waits[0]["outcome"]), (root.clone(), &json!("failure")));
    for (name, expected) in [
        ("gateward_logins_total{outcome=\"failed\"}", 6.0),
        ("gateward_rate_limited_total{scope=\"login\"}", 3.0),
    ] {
        let counted = metric(&guarded.server.node, name).await.unwrap_or_default();
        assert!((counted - expected).abs() < 0.5, "{name}: {counted}");
    }
}
