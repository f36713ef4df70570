//! Row F7: the database server dies and its replica takes over.

mod replica;

use std::time::{Duration, Instant};

use gateward_e2e::{Client, Node, PASSWORD, Plan, TestResponse, claims, run};
use reqwest::Method;
use serde_json::{Value, json};

use self::replica::Replica;
use crate::support::commands::said;
use crate::support::honest::Load;
use crate::support::own_server::{OwnServer, connect};

/// How long the nodes may take to switch to the other server, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

const SECRET: &str = "the secret of the service that follows the feed";

/// Two nodes that know two servers and use the writable one.
struct Cluster {
    nodes: [Node; 2],
    primary: OwnServer,
    replica: Replica,
    plan: Plan,
}

impl Cluster {
    /// `None` with a message if servers cannot be started.
    async fn start() -> Option<Self> {
        let primary = OwnServer::start(&[]).await?;
        let replica = Replica::of(&primary).await;
        let hosts = format!(
            "{},127.0.0.1:{}/postgres?target_session_attrs=read-write",
            primary.url.strip_suffix("/postgres").unwrap(),
            replica.port,
        );
        let plan = primary
            .plan()
            .with("database.url", hosts)
            .with("clients.api.secret", SECRET)
            .with("clients.api.may", "revocations");
        let (one, other) = tokio::join!(plan.start(), plan.start());
        Some(Self { nodes: [one, other], primary, replica, plan })
    }

    fn clients(&self) -> [Client; 2] {
        self.nodes.each_ref().map(Node::client)
    }

    /// The primary dies, and the replica takes over.
    async fn fail_over(&mut self) {
        self.primary.stop().await;
        self.replica.promote().await;
        for client in self.clients() {
            until(async || client.get("/health/ready").await.status == 200).await;
        }
    }
}

async fn until(mut is_so: impl AsyncFnMut() -> bool) -> Duration {
    let started = Instant::now();
    while !is_so().await {
        assert!(started.elapsed() < PATIENCE, "it takes too long");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    started.elapsed()
}

async fn login(client: &Client, name: &str) -> TestResponse {
    let response = client.login(name, PASSWORD).await;
    assert_eq!(response.status, 200, "{response:?}");
    response
}

async fn refresh(client: &Client, pair: &TestResponse, key: &str) -> TestResponse {
    let next = client.refresh(pair.refresh_token(), Some(key)).await;
    assert_eq!(next.status, 200, "{next:?}");
    next
}

async fn name_of(client: &Client, pair: &TestResponse) -> Value {
    let me = client.me(pair.access()).await;
    assert_eq!(me.status, 200, "{me:?}");
    me.body["username"].clone()
}

/// The ended sessions that the feed reports after a cursor.
async fn revoked_since(client: &Client, cursor: Option<&str>) -> Vec<Value> {
    let since = cursor.map(|cursor| format!("&since={cursor}")).unwrap_or_default();
    let path = format!("/v1/revocations?limit=100{since}");
    let page =
        client.send(client.request(Method::GET, &path).basic_auth("api", Some(SECRET))).await;
    assert_eq!(page.status, 200, "{page:?}");
    page.body["items"].as_array().unwrap().clone()
}

/// Row F7: an asynchronous replica lacks the last writes. Clients with the newest token stay logged
/// in, and earlier ends persist. The feed goes on, and the caches of nodes keep nothing that the
/// replica does not know. Sessions that ended in the lost writes end with `session end-all`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f7_a_replica_that_lacks_the_last_writes_takes_over_and_clients_stay_in() {
    let Some(mut cluster) = Cluster::start().await else { return };
    let [one, other] = cluster.clients();
    let first = one.begin("ada").await;
    let idle = login(&other, "ada").await;
    let over = login(&one, "ada").await;
    let forgotten = login(&one, "ada").await;
    assert_eq!(one.logout(over.refresh_token()).await.status, 204);
    let cursor = &revoked_since(&one, None).await[0]["cursor"];
    cluster.replica.catch_up(&cluster.primary).await;

    cluster.replica.fall_behind().await;
    let second = refresh(&one, &first, "the-first-key").await;
    let third = refresh(&other, &second, "the-second-key").await;
    let lost = login(&other, "ada").await;
    assert_eq!(one.logout(forgotten.refresh_token()).await.status, 204);
    let body = json!({"username": "countess"});
    let request = one.request(Method::PATCH, "/v1/me").bearer_auth(third.access());
    assert_eq!(one.send(request.json(&body)).await.status, 200);
    for client in [&one, &other] {
        until(async || name_of(client, &idle).await == "countess").await;
    }
    cluster.fail_over().await;

    // Users are as the replica knows them, and ended sessions stay ended.
    for client in [&one, &other] {
        let took = until(async || name_of(client, &third).await == "ada").await;
        println!("users are read again after {took:?}");
        client.me(over.access()).await.is(401, "session_ended");
        let refused = client.refresh(over.refresh_token(), None).await;
        refused.is(401, "session_ended");
        assert_eq!(refused.body["reason"], "logout");
        client.refresh(lost.refresh_token(), Some("some-key")).await.is(401, "invalid_token");
    }
    // Two generations ahead of the row, and one successor for two requests.
    let fourth = refresh(&other, &third, "the-third-key").await;
    assert_eq!(claims(fourth.refresh_token())["gen"], 4);
    let again = refresh(&one, &third, "the-third-key").await;
    assert_eq!(again.refresh_token(), fourth.refresh_token());
    let fifth = refresh(&one, &fourth, "the-fourth-key").await;
    refresh(&one, &idle, "another-key").await;
    let explain = ["session", "explain", first.text_of("session_id")];
    let timeline = said(&run(&cluster.plan, &explain, ""));
    assert!(timeline.contains("the database, which had lost writes"), "{timeline}");

    // New events reach the other node and the followers of the feed.
    let new = login(&one, "ada").await;
    assert_eq!(other.me(new.access()).await.status, 200);
    assert_eq!(one.logout(new.refresh_token()).await.status, 204);
    let took = until(async || other.me(new.access()).await.status == 401).await;
    assert!(took < Duration::from_secs(3), "{took:?}");
    let found = revoked_since(&other, cursor.as_str()).await;
    assert!(found.iter().any(|item| item["id"] == new.body["session_id"]), "{found:?}");

    // The used token still ends the session, and the operator ends sessions whose end was lost.
    other.refresh(first.refresh_token(), None).await.is(401, "refresh_token_reused");
    one.refresh(fifth.refresh_token(), None).await.is(401, "session_ended");
    let ended = run(&cluster.plan, &["session", "end-all"], "");
    assert!(ended.status.success(), "{ended:?}");
    one.refresh(forgotten.refresh_token(), None).await.is(401, "session_ended");
}

/// Row F7: with a synchronous replica no acknowledged write is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f7_a_synchronous_replica_that_takes_over_under_load_has_all_that_was_acknowledged() {
    let Some(mut cluster) = Cluster::start().await else { return };
    let primary = connect(&cluster.primary.url).await;
    for sql in ["ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"] {
        primary.batch_execute(sql).await.unwrap();
    }
    let sync = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
    until(async || primary.query_one(sync, &[]).await.unwrap().get::<_, i64>(0) == 1).await;
    let load = Load::begin(&cluster.nodes, 8).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    cluster.fail_over().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut clients = load.end().await;
    assert!(clients.iter().any(|client| client.attempts_max > 1), "no client noticed the failover");
    let nodes = cluster.clients();
    for client in &mut clients {
        client.check(&nodes).await;
    }
    let recovered = "SELECT count(*) FROM events WHERE kind = 'session_recovered'";
    let replica = connect(&cluster.replica.url()).await;
    assert_eq!(replica.query_one(recovered, &[]).await.unwrap().get::<_, i64>(0), 0);
}
