//! What a node answers from its cache: it saves a query, and changes no response.

use std::io::Write;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use gateward_e2e::{
    Client, Database, Node, PASSWORD, Plan, TestDatabase, TestResponse, on_both, run,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::commands::said;
use crate::support::own_server::OwnServer;
use crate::support::pulse::Pulse;

on_both!(
    no_response_differs_with_what_a_node_remembers_or_not,
    a_change_is_seen_at_once_where_it_was_made_and_within_a_second_elsewhere,
);

/// How many requests ask for the current user.
const REQUESTS: usize = 10_000;

/// The time within which every node knows of a change.
const BOUND: Duration = Duration::from_secs(1);

/// How many statements a server has run, by its log.
fn statements(server: &OwnServer) -> usize {
    let log = server.log();
    let is_one = |line: &&str| line.contains("LOG:  statement:") || line.contains("LOG:  execute ");
    log.lines().filter(is_one).count()
}

/// Ten thousand requests of a few users cause no more statements than the same time without any.
/// Every statement that reaches the server is counted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_requests_ask_the_database_nothing() {
    let Some(server) = OwnServer::start(&["log_statement=all"]).await else { return };
    let node = server.plan().start().await;
    let client = node.client();
    let mut tokens = Vec::new();
    for name in ["ada", "bob", "carol"] {
        let pair = client.begin(name).await;
        assert_eq!(client.me(pair.access()).await.status, 200);
        tokens.push(pair.access().to_owned());
    }
    // Emails to them are still being sent.
    tokio::time::sleep(Duration::from_secs(2)).await;

    let (before, started) = (statements(&server), Instant::now());
    let requests = (0..REQUESTS).map(|number| client.me(&tokens[number % tokens.len()]));
    let mut responses = futures_util::stream::iter(requests).buffer_unordered(8);
    while let Some(response) = responses.next().await {
        assert_eq!(response.status, 200, "{response:?}");
    }
    let (busy, took) = (statements(&server) - before, started.elapsed());

    let before = statements(&server);
    tokio::time::sleep(took).await;
    let idle = statements(&server) - before;
    let _ = writeln!(
        std::io::stderr(),
        "{REQUESTS} requests in {took:?}: {busy} statements; as long without any: {idle}"
    );
    assert!(idle > 0, "the log tells of statements");
    // A node that is suspended for half a second asks again. A hundredth of all requests is not
    // "each".
    assert!(busy <= idle + REQUESTS / 100, "{busy} statements, and {idle} without requests");
    // Each second a node polls three or four times for invalidation events and once for events that
    // are not chained yet, and every other second for emails. Its rarer jobs may fall into these
    // seconds as well.
    let most = 8 * (took.as_secs() + 1);
    assert!(idle as u64 <= most, "{idle} statements in {took:?} without requests");
}

/// A service that introspects tokens.
const SERVICE: [(&str, &str); 2] = [
    ("clients.api.secret", "a secret of the service that has 32 characters and more"),
    ("clients.api.may", "introspect"),
];

/// Two nodes on one database: one with the cache, one without.
struct Both {
    nodes: [Node; 2],
    database: TestDatabase,
}

impl Both {
    async fn start(kind: Database) -> Self {
        let database = TestDatabase::new(kind).await;
        let forgetful = plan(&database).with("cache.tokens", 0).with("cache.users", 0);
        let nodes = [plan(&database).start().await, forgetful.start().await];
        Self { nodes, database }
    }

    fn clients(&self) -> [Client; 2] {
        self.nodes.each_ref().map(Node::client)
    }

    /// The response of both nodes about a token: once uncached, and once cached.
    async fn alike(&self, what: &str, token: &str) -> TestResponse {
        let mut responses = Vec::new();
        for client in self.clients() {
            for _ in 0..2 {
                responses.push(asked(&client, token).await);
            }
        }
        for response in &responses[1..] {
            for (one, other) in responses[0].iter().zip(response) {
                assert_eq!(one.status, other.status, "{what}: {one:?} {other:?}");
                assert_eq!(without_id(one), without_id(other), "{what}");
            }
        }
        responses.swap_remove(0).swap_remove(0)
    }
}

fn plan(database: &TestDatabase) -> Plan {
    SERVICE.iter().fold(Plan::on(database), |plan, (option, value)| plan.with(option, value))
}

/// A body without what differs between requests.
fn without_id(response: &TestResponse) -> Value {
    let mut body = response.body.clone();
    if let Some(object) = body.as_object_mut() {
        object.remove("request_id");
    }
    body
}

/// Sends a token to every endpoint that changes nothing.
async fn asked(client: &Client, token: &str) -> Vec<TestResponse> {
    let form = format!("token={token}");
    let question = client.request(Method::POST, "/oauth/introspect").body(form);
    let question = question.header("content-type", "application/x-www-form-urlencoded");
    let rename = client.request(Method::PATCH, "/v1/me").json(&json!({"username": "no name"}));
    let requests = [
        client.request(Method::GET, "/v1/me").bearer_auth(token),
        client.request(Method::GET, "/v1/me/sessions").bearer_auth(token),
        rename.bearer_auth(token),
        question.basic_auth("api", Some(SERVICE[0].1)),
    ];
    let mut responses = Vec::new();
    for request in requests {
        responses.push(client.send(request).await);
    }
    responses
}

/// For every kind of credentials, the node with a cache responds exactly like the one without.
async fn no_response_differs_with_what_a_node_remembers_or_not(kind: Database) {
    let both = Both::start(kind).await;
    let clients = both.clients();
    let ada = clients[0].begin("ada").await;
    let bob = clients[1].begin("bob").await;
    let brief = plan(&both.database).with("tokens.access_ttl_seconds", 5).start().await;
    let expired = brief.client().login("ada", PASSWORD).await;
    let over = clients[0].login("ada", PASSWORD).await;
    for pair in [&ada, &bob, &over] {
        assert_eq!(both.alike("alive", pair.access()).await.status, 200);
    }
    for client in &clients {
        assert_eq!(client.me(expired.access()).await.status, 200);
    }

    let mut forged = ada.access().to_owned();
    forged.replace_range(forged.len() - 20..forged.len() - 19, "-");
    let spliced = format!("{}.{}", ada.access().rsplit_once('.').unwrap().0, "AAAA");
    for (what, token, code) in [
        ("a refresh token", ada.refresh_token(), "wrong_token_kind"),
        ("garbage", "e30.e30.e30", "invalid_token"),
        ("no token at all", "x", "invalid_token"),
        ("a signature with another character", &forged, "invalid_token"),
        ("a signature of another length", &spliced, "invalid_token"),
    ] {
        both.alike(what, token).await.is(401, code);
    }

    assert_eq!(clients[0].logout(over.refresh_token()).await.status, 204);
    said(&run(&plan(&both.database), &["user", "disable", "bob"], ""));
    tokio::time::sleep(BOUND).await;
    for (what, token, reason) in
        [("logged out", over.access(), "logout"), ("disabled", bob.access(), "account_disabled")]
    {
        let refused = both.alike(what, token).await;
        refused.is(401, "session_ended");
        assert_eq!(refused.body["reason"], reason);
    }
    clients[0].until_refused(expired.access(), Duration::from_secs(20)).await;
    both.alike("expired", expired.access()).await.is(401, "token_expired");
    assert_eq!(both.alike("alive still", ada.access()).await.status, 200);
}

/// A new username: at once on the node that set it, within a second on the other, and in both
/// directions. The cached state of one user hides no change of another.
async fn a_change_is_seen_at_once_where_it_was_made_and_within_a_second_elsewhere(kind: Database) {
    let both = Both::start(kind).await;
    let clients = both.clients();
    let pulse = Pulse::start();
    let pairs = [clients[0].begin("ada").await, clients[1].begin("bob").await];
    for pair in &pairs {
        both.alike("alive", pair.access()).await;
    }
    for number in 0..20 {
        let (own, other) = (&clients[number % 2], &clients[(number + 1) % 2]);
        let pair = &pairs[number / 2 % 2];
        let name = json!(format!("name-{number}"));
        let rename = own.request(Method::PATCH, "/v1/me").bearer_auth(pair.access());
        let renamed = own.send(rename.json(&json!({"username": name}))).await;
        assert_eq!(renamed.status, 200, "{renamed:?}");
        let (missed, started) = (pulse.missed(), Instant::now());
        assert_eq!(own.me(pair.access()).await.body["username"], name, "at once");
        while other.me(pair.access()).await.body["username"] != name {
            let waited = pulse.net(started.elapsed(), missed);
            assert!(waited < BOUND, "{name} is not known after {waited:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(both.alike("renamed", pair.access()).await.body, renamed.body);
    }
}
