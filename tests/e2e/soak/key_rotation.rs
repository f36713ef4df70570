//! Keys that rotate under load, retire, and are declared compromised: rows J24 and J25.

mod verifier;

use std::collections::BTreeSet;
use std::io::Write;
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gateward_e2e::{
    Client, Database, Node, PASSWORD, Plan, ShiftedClock, TestDatabase, TestResponse, claims,
    on_both, rounds, run,
};
use serde_json::Value;
use tokio::task::JoinSet;

use self::verifier::{ResourceServer, Time, kid};
use crate::support::commands::{complained, said};
use crate::support::pair::Pair;

on_both!(
    j25_what_a_retired_key_signed_is_refused_before_its_own_time,
    a_key_that_is_compromised_is_not_believed_anywhere,
    a_compromised_refresh_key_ends_its_sessions_and_they_tell_why,
    a_key_is_retired_by_name_or_withdrawn_before_it_signs,
    everything_that_is_signed_dies_when_all_keys_are_compromised,
);

/// How many times the keys rotate.
const ROTATIONS: usize = 10;

/// The limit for changes that apply at once, on a busy machine: far less than the minute after
/// which a node reads the keys without a notification.
const PATIENCE: Duration = Duration::from_secs(10);

/// A line of `keys list`: name, purpose, algorithm, state.
fn keys(plan: &Plan) -> Vec<[String; 4]> {
    let list = said(&run(plan, &["keys", "list"], ""));
    let words = |line: &str| -> Vec<String> {
        line.split_whitespace().take(4).map(ToOwned::to_owned).collect()
    };
    list.lines().skip(1).map(|line| words(line).try_into().unwrap()).collect()
}

/// The states of the keys with this purpose, in the order in which they become active.
fn states(plan: &Plan, purpose: &str) -> Vec<String> {
    let keys = keys(plan).into_iter().filter(|key| key[1] == purpose);
    keys.map(|[_, _, _, state]| state).collect()
}

/// The name of the key with this purpose in this state.
fn key(plan: &Plan, purpose: &str, state: &str) -> String {
    let mut keys = keys(plan).into_iter().filter(|key| key[1] == purpose && key[3] == state);
    let [id, ..] = keys.next().unwrap();
    assert!(keys.next().is_none());
    id
}

/// The names of the published keys.
async fn published(client: &Client) -> BTreeSet<String> {
    let response = client.get("/.well-known/jwks.json").await;
    assert_eq!(response.status, 200, "{response:?}");
    let keys = response.body["keys"].as_array().unwrap();
    for key in keys {
        let members: Vec<&String> = key.as_object().unwrap().keys().collect();
        assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x", "y"], "{key}");
    }
    let names: BTreeSet<String> =
        keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names.len(), keys.len(), "no name stands there twice");
    names
}

async fn login(client: &Client, name: &str) -> TestResponse {
    let response = client.login(name, PASSWORD).await;
    assert_eq!(response.status, 200, "{response:?}");
    response
}

/// Waits until both nodes meet the condition, and returns how long that took.
async fn until(clients: &[Client; 2], what: impl AsyncFn(&Client) -> bool) -> Duration {
    let started = Instant::now();
    for client in clients {
        while !what(client).await {
            assert!(started.elapsed() < PATIENCE, "{} does not learn of it", client.url);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    started.elapsed()
}

/// The plan of a node that starts now: its clock continues from the current fast time.
fn plan(database: &TestDatabase, time: &Time) -> Plan {
    let plan = Plan::on(database).with("keys.jwks_cache_seconds", verifier::CACHE_SECONDS);
    let mut plan = plan.with("tokens.access_ttl_seconds", 60);
    plan.environment.extend(time.environment());
    plan
}

/// Two nodes whose clock runs fast, and the services that check their tokens.
struct RotationFixture {
    resource_servers: [ResourceServer; 2],
    time: Arc<Time>,
    _nodes: [Node; 2],
    database: TestDatabase,
}

impl RotationFixture {
    async fn open() -> Option<Arc<Self>> {
        let time = Arc::new(Time::new()?);
        let database = TestDatabase::new(Database::Postgres).await;
        let nodes = [plan(&database, &time).start().await, plan(&database, &time).start().await];
        let resource_servers =
            nodes.each_ref().map(|node| ResourceServer::new(node.client(), Arc::clone(&time)));
        Some(Arc::new(Self { resource_servers, time, _nodes: nodes, database }))
    }

    /// Runs a command beside the nodes, with their clock.
    fn run(&self, arguments: &[&str]) -> Output {
        run(&plan(&self.database, &self.time), arguments, "")
    }

    /// Asserts that a token is valid everywhere, unless it has expired meanwhile.
    async fn is_good_everywhere(&self, token: &str) {
        for resource_server in &self.resource_servers {
            let me = resource_server.client.me(token).await;
            let checked = resource_server.check(token).await;
            if self.time.is_past(token) {
                return;
            }
            assert_eq!(me.status, 200, "{me:?}: {}", claims(token));
            assert!(checked.is_ok(), "{checked:?}: {}", claims(token));
        }
    }

    /// Logs in, refreshes and calls on both nodes until stopped. Returns the number of tokens. Each
    /// is used repeatedly until it expires.
    async fn busy(&self, name: &str, stop: &AtomicBool) -> usize {
        let (mut old, mut count) = (Vec::<String>::new(), 0);
        while !stop.load(Ordering::Relaxed) {
            let mut pair = login(&self.resource_servers[count % 2].client, name).await;
            for _ in 0..8 {
                count += 1;
                let here = &self.resource_servers[count % 2];
                pair = here.client.refresh(pair.refresh_token(), None).await;
                assert_eq!(pair.status, 200, "{pair:?}");
                here.note(pair.access());
                self.is_good_everywhere(pair.access()).await;
                old.retain(|token| !self.time.is_past(token));
                if let Some(token) = old.get(count % old.len().max(1)) {
                    self.is_good_everywhere(token).await;
                }
                old.push(pair.access().to_owned());
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
        }
        count
    }

    /// Creates the next keys, and waits until both nodes sign with them.
    async fn rotate(&self) {
        let before = published(&self.resource_servers[0].client).await;
        let told = said(&self.run(&["keys", "rotate"]));
        assert!(told.starts_with("Created and published new keys."), "{told}");
        let clients =
            self.resource_servers.each_ref().map(|resource_server| resource_server.client.clone());
        let is_out = async |client: &Client| !published(client).await.is_subset(&before);
        until(&clients, is_out).await;
        let seen = self.time.now();
        let after = published(&self.resource_servers[0].client).await;
        let new: Vec<&String> = after.difference(&before).collect();
        let [new] = new.as_slice() else { panic!("{before:?} {after:?}") };
        for resource_server in &self.resource_servers {
            let first = resource_server.first_signed(new, PATIENCE).await;
            let wait = first - seen;
            assert!(
                wait >= f64::from(verifier::CACHE_SECONDS),
                "{new} signs {wait:.1} s after it was seen"
            );
        }
    }
}

/// Rows J24 and J25: ten rotations, while clients refresh and call on both nodes, and other
/// services check every token with keys that they cache for exactly as long as the nodes allow.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j24_j25_ten_rotations_under_load_refuse_no_token_before_its_time() {
    let Some(fixture) = RotationFixture::open().await else { return };
    let client = &fixture.resource_servers[0].client;
    let first = client.begin("ada").await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut busy = JoinSet::new();
    for number in 0..4 {
        let (fixture, stop) = (Arc::clone(&fixture), Arc::clone(&stop));
        let name = format!("user-{number}");
        assert_eq!(client.signup(&name).await.status, 201);
        busy.spawn(async move { fixture.busy(&name, &stop).await });
    }
    let rotations = rounds(ROTATIONS);
    for _ in 0..rotations {
        fixture.rotate().await;
        if let Some(ended) = busy.try_join_next() {
            panic!("a client was refused something: {ended:?}");
        }
    }
    stop.store(true, Ordering::Relaxed);
    let counts = busy.join_all().await;
    let fetches = fixture.resource_servers[0].fetches();
    let _ = writeln!(std::io::stderr(), "tokens of each client: {counts:?}; {fetches} fetches");
    assert!(counts.iter().all(|count| *count > 2 * rotations), "{counts:?}");

    let states = states(&plan(&fixture.database, &fixture.time), "access");
    assert_eq!(states.len(), rotations + 1, "{states:?}");
    assert_eq!((states[0].as_str(), states[rotations].as_str()), ("retired", "signing"));
    assert!(fixture.time.is_past(first.access()));
    for resource_server in &fixture.resource_servers {
        assert_eq!(resource_server.client.me(first.access()).await.status, 401);
        assert!(!published(&resource_server.client).await.contains(&kid(first.access())));
    }
    // The key for refresh tokens has rotated as often, without ending a session.
    let next = client.refresh(first.refresh_token(), None).await;
    assert_eq!(next.status, 200, "{next:?}");
    assert_ne!(kid(next.refresh_token()), kid(first.refresh_token()));
}

/// Row J25: a key retires when every token that it signed has expired by the current settings.
async fn j25_what_a_retired_key_signed_is_refused_before_its_own_time(kind: Database) {
    let Some(clock) = ShiftedClock::new() else { return };
    let database = TestDatabase::new(kind).await;
    let plan = || {
        let mut plan = Plan::on(&database).with("keys.jwks_cache_seconds", 5);
        plan.environment.extend(clock.environment());
        plan
    };
    let generous = plan().with("tokens.access_ttl_seconds", 3600).start().await;
    let old = generous.client().begin("ada").await;
    drop(generous);
    let plan = plan().with("tokens.access_ttl_seconds", 30);
    let nodes = [plan.start().await, plan.start().await];
    let clients = nodes.each_ref().map(Node::client);
    let told = said(&run(&plan, &["keys", "rotate"], ""));
    assert!(told.starts_with("Created and published new keys."), "{told}");
    until(&clients, async |client| published(client).await.len() == 2).await;

    clock.set(21);
    for client in &clients {
        let new = login(client, "ada").await;
        assert_ne!(kid(new.access()), kid(old.access()), "the new key signs");
        for client in &clients {
            assert_eq!(client.me(old.access()).await.status, 200, "the old one is believed");
            assert_eq!(client.me(new.access()).await.status, 200);
        }
    }
    assert_eq!(states(&plan, "access"), ["retiring", "signing"]);
    clock.set(21 + 60);
    for client in &clients {
        client.me(old.access()).await.is(401, "invalid_token");
        assert!(!published(client).await.contains(&kid(old.access())));
        assert_eq!(client.refresh(old.refresh_token(), None).await.status, 200);
    }
    assert_eq!(states(&plan, "access"), ["retired", "signing"]);
    assert_eq!(states(&plan, "refresh"), ["retiring", "signing"]);
}

/// Tokens of a compromised key are refused within a second, on the other node too. Sessions
/// continue.
async fn a_key_that_is_compromised_is_not_believed_anywhere(kind: Database) {
    let pair = Pair::processes(kind, &[]).await;
    let (plan, clients) = (pair.plan.clone(), pair.clients());
    let ada = clients[0].begin("ada").await;
    pair.is_alive(&ada).await;
    let stolen = kid(ada.access());
    assert_eq!(key(&plan, "access", "signing"), stolen);

    let output = pair.command(&["keys", "retire", &stolen, "--compromised"]).await;
    let refused = async |client: &Client| client.me(ada.access()).await.status == 401;
    let took = until(&clients, refused).await;
    let _ =
        writeln!(std::io::stderr(), "{kind:?}: refused on both nodes {took:?} after the command");
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert!(said(&output).contains("; another key signs now. Sessions ended: 0,"));
    let next = clients[1].refresh(ada.refresh_token(), None).await;
    assert_eq!(next.status, 200, "{next:?}");
    for client in &clients {
        client.me(ada.access()).await.is(401, "invalid_token");
        let keys = published(client).await;
        assert_eq!(keys, BTreeSet::from([kid(next.access())]));
        assert!(!keys.contains(&stolen));
        assert_eq!(kid(login(client, "ada").await.access()), kid(next.access()));
    }
    pair.is_alive(&next).await;
    assert_eq!(states(&plan, "access"), ["revoked", "signing"]);
    // The second call is idempotent.
    pair.command(&["keys", "retire", &stolen, "--compromised"]).await;
    assert_eq!(states(&plan, "access"), ["revoked", "signing"]);
    pair.is_alive(&next).await;
}

/// Sessions whose refresh token the key signed end with it.
async fn a_compromised_refresh_key_ends_its_sessions_and_they_tell_why(kind: Database) {
    let pair = Pair::processes(kind, &[]).await;
    let (plan, clients) = (pair.plan.clone(), pair.clients());
    let [one, other] = &clients;
    let first = one.begin("ada").await;
    let bob = other.begin("bob").await;
    let ada = one.refresh(first.refresh_token(), None).await;
    assert_eq!(ada.status, 200, "{ada:?}");
    let stolen = kid(ada.refresh_token());
    let output = pair.command(&["keys", "retire", &stolen, "--compromised"]).await;
    assert!(said(&output).contains("Sessions ended: 2, emailed links revoked: 0."), "{output:?}");

    let dead = async |client: &Client| {
        let statuses = [client.me(ada.access()).await, client.me(bob.access()).await];
        statuses.iter().all(|response| response.status == 401)
    };
    let took = until(&clients, dead).await;
    let _ = writeln!(std::io::stderr(), "{kind:?}: over on both nodes {took:?} after the command");
    assert!(took < Duration::from_secs(3), "{took:?}");
    for client in &clients {
        for pair in [&first, &ada, &bob] {
            let refused = client.me(pair.access()).await;
            refused.is(401, "session_ended");
            assert_eq!(refused.body["reason"], "key_compromised");
            let refused = client.refresh(pair.refresh_token(), None).await;
            assert_eq!(refused.status, 401, "{refused:?}");
        }
        let new = login(client, "ada").await;
        assert_ne!(kid(new.refresh_token()), stolen);
        assert_eq!(kid(new.access()), kid(ada.access()), "the other keys stay");
        assert_eq!(client.refresh(new.refresh_token(), None).await.status, 200);
    }
    let timeline = said(&run(&plan, &["session", "explain", ada.text_of("session_id")], ""));
    let end = timeline.lines().last().unwrap();
    assert!(end.ends_with(
        "The session ended: an operator declared the key that signed its tokens compromised \
         (key_compromised)."
    ));
    assert_eq!(states(&plan, "refresh"), ["revoked", "signing"]);
}

/// Without `--compromised` no session ends.
async fn a_key_is_retired_by_name_or_withdrawn_before_it_signs(kind: Database) {
    let pair = Pair::processes(kind, &[]).await;
    let (plan, clients) = (pair.plan.clone(), pair.clients());
    let ada = clients[0].begin("ada").await;
    let signing = kid(ada.access());

    let told = said(&run(&plan, &["keys", "retire", &signing], ""));
    assert!(told.starts_with(&format!("Key {signing} signs until 20")), "{told}");
    assert_eq!(states(&plan, "access"), ["signing", "next"]);
    assert_eq!(states(&plan, "refresh"), ["signing"], "the others stay");
    let next = key(&plan, "access", "next");
    until(&clients, async |client| published(client).await.contains(&next)).await;

    let told = said(&run(&plan, &["keys", "retire", &next], ""));
    assert_eq!(told, format!("Key {next} was removed before it was used.\n"));
    assert_eq!(states(&plan, "access"), ["signing", "revoked"]);
    until(&clients, async |client| !published(client).await.contains(&next)).await;
    let told = said(&run(&plan, &["keys", "retire", &next], ""));
    assert_eq!(told, format!("Key {next} is already retired. Nothing was changed.\n"));
    for unknown in ["no-such-key", "", "-one-with-a-hyphen"] {
        let complaint = complained(&run(&plan, &["keys", "retire", unknown, "--compromised"], ""));
        assert!(complaint.contains("see: gateward keys list"), "{complaint}");
    }
    pair.is_alive(&ada).await;
    assert_eq!(kid(login(&clients[1], "ada").await.access()), signing);
}

/// `keys rotate --compromised`: for an unknown compromised key.
async fn everything_that_is_signed_dies_when_all_keys_are_compromised(kind: Database) {
    let pair = Pair::processes(kind, &[]).await;
    let (plan, clients) = (pair.plan.clone(), pair.clients());
    let ada = clients[0].begin("ada").await;
    said(&run(&plan, &["keys", "rotate"], ""));
    let told = said(&run(&plan, &["keys", "rotate", "--compromised"], ""));
    assert!(told.contains("Sessions ended: 1, emailed links revoked: 0."), "{told}");
    for purpose in ["access", "refresh", "link"] {
        // The next key is compromised too, for it was stored beside the others.
        let mut states = states(&plan, purpose);
        states.sort();
        assert_eq!(states, ["revoked", "revoked", "signing"], "{purpose}");
    }
    let dead = async |client: &Client| client.me(ada.access()).await.status == 401;
    until(&clients, dead).await;
    for client in &clients {
        assert_eq!(client.refresh(ada.refresh_token(), None).await.status, 401);
        let new = login(client, "ada").await;
        pair.is_alive(&new).await;
        assert_eq!(published(client).await, BTreeSet::from([kid(new.access())]));
        assert_eq!(client.get("/health/ready").await.status, 200);
    }
    let explain = ["session", "explain", ada.text_of("session_id"), "--json"];
    let timeline: Value = serde_json::from_str(&said(&run(&plan, &explain, ""))).unwrap();
    assert_eq!(timeline["session"]["end_reason"], "key_compromised");
}
