//! `BruteForceAttack`: two nodes behind a proxy, and an attacker with any IP address.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use gateward_e2e::{Client, Database, PASSWORD, ShiftedClock, TestResponse};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::pair::Pair;

/// Enables rate limits, and has the nodes trust the forwarded client IP address.
pub(super) const GUARDED: [(&str, &str); 2] =
    [("rate_limit.enabled", "true"), ("http.trusted_proxies", "127.0.0.1/32")];

/// A password that no account has.
pub(super) const WRONG: &str = "a password of no account";

/// Another password that meets the policy.
pub(super) const NEW: &str = "an entirely new one";

/// The IP address of the account's owner.
pub(super) const HOME: &str = "192.0.2.1";

/// Two nodes on one database.
pub(super) struct BruteForceAttack {
    pub(super) pair: Pair,
    clients: [Client; 2],
    turn: AtomicUsize,
}

impl BruteForceAttack {
    /// Starts the nodes in this process, on an empty database.
    pub(super) async fn lay(kind: Database, settings: &[(&str, &str)]) -> Self {
        Self::on(Pair::start(kind, &[&GUARDED, settings].concat()).await)
    }

    /// Starts processes, which can crash.
    pub(super) async fn processes(kind: Database) -> Self {
        Self::on(Pair::processes(kind, &GUARDED).await)
    }

    /// Starts processes with a clock that can be set ahead. `None` with a message if there is no
    /// such clock.
    pub(super) async fn lay_by_clock(kind: Database) -> Option<(Self, Clock)> {
        let clock = ShiftedClock::new()?;
        let pair = Pair::processes_in(kind, &GUARDED, clock.environment()).await;
        Some((Self::on(pair), Clock { clock, ahead: 0 }))
    }

    fn on(pair: Pair) -> Self {
        Self { clients: pair.clients(), pair, turn: AtomicUsize::new(0) }
    }

    /// Kills both nodes, as a power failure would, and starts two new ones.
    pub(super) async fn crash(&mut self) {
        self.pair.crash().await;
        self.clients = self.pair.clients();
    }

    /// A client of each node.
    pub(super) const fn clients(&self) -> &[Client; 2] {
        &self.clients
    }

    /// A client of each node in turn.
    pub(super) fn client(&self) -> Client {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        self.clients[turn % 2].clone()
    }

    /// Logs in from an IP address, on each node in turn.
    pub(super) async fn login(&self, from: &str, name: &str, password: &str) -> TestResponse {
        login(&self.client(), from, name, password).await
    }

    /// Posts from an IP address, on each node in turn.
    pub(super) async fn post(&self, from: &str, path: &str, body: Value) -> TestResponse {
        let client = self.client();
        client.send(request(&client, from, Method::POST, path, &body)).await
    }

    /// Signs a user up from an IP address.
    pub(super) async fn signup(&self, from: &str, name: &str) -> TestResponse {
        let email = format!("{name}@example.org");
        let body = json!({"username": name, "email": email, "password": PASSWORD});
        self.post(from, "/v1/signup", body).await
    }

    /// Signs a user up and logs them in from the home IP address.
    pub(super) async fn begin(&self, name: &str) -> TestResponse {
        assert_eq!(self.signup(HOME, name).await.status, 201);
        let response = self.login(HOME, name, PASSWORD).await;
        assert_eq!(response.status, 200, "{response:?}");
        response
    }

    /// Tries a username once from each of this many IP addresses. Each response must say that the
    /// password is wrong.
    pub(super) async fn wear_out(&self, name: &str, tries: usize) {
        for number in 0..tries {
            let response = self.login(&address(number), name, WRONG).await;
            response.is(401, "invalid_credentials");
        }
    }
}

/// The clock of both nodes.
pub(super) struct Clock {
    clock: ShiftedClock,
    ahead: i64,
}

impl Clock {
    /// Sets it this many seconds further ahead.
    pub(super) fn forward(&mut self, seconds: i64) {
        self.ahead += seconds;
        self.clock.set(self.ahead);
    }

    /// How many seconds have passed on this clock.
    pub(super) fn since(&self, started: Instant) -> i64 {
        self.ahead + i64::try_from(started.elapsed().as_secs()).unwrap()
    }
}

/// A request from an IP address, as a proxy forwards it.
pub(super) fn request(
    client: &Client,
    from: &str,
    method: Method,
    path: &str,
    body: &Value,
) -> RequestBuilder {
    client.request(method, path).header("x-forwarded-for", from).json(body)
}

/// Logs in from an IP address.
pub(super) async fn login(client: &Client, from: &str, name: &str, password: &str) -> TestResponse {
    let body = json!({"identifier": name, "password": password});
    client.send(request(client, from, Method::POST, "/v1/login", &body)).await
}

/// One of many unrelated IP addresses.
pub(super) fn address(number: usize) -> String {
    format!("10.7.{}.{}", number / 250, number % 250 + 1)
}

/// Asserts that the response is a rate limit, and returns its wait in seconds.
#[track_caller]
pub(super) fn wait_of(response: &TestResponse) -> i64 {
    response.is(429, "rate_limited");
    let seconds = response.header("retry-after").expect("how long to wait").parse().unwrap();
    assert!((1..=900).contains(&seconds), "{response:?}");
    seconds
}
