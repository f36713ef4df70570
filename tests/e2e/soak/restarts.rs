//! The database stops, is locked or frozen, and comes back, and nodes die: behaviour during and
//! after.

mod losses;

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use gateward_e2e::{Client, Database, PASSWORD, TestResponse, on_both, rounds};
use reqwest::{Method, StatusCode};
use rustix::process::Signal;
use serde_json::json;
use tokio::task::{JoinHandle, JoinSet};

use crate::support::honest::{Addresses, Honest};
use crate::support::own_server::OwnServer;
use crate::support::pair::Pair;

on_both!(r9_what_ended_stays_ended_when_all_nodes_die_right_after);

/// How long a node may accept cached tokens after its database is gone.
const KNOWN: Duration = Duration::from_secs(1);

/// The time within which a node works again after its database does.
const HEALED: Duration = Duration::from_secs(5);

/// How many times the server is restarted under load.
const RESTARTS: usize = 50;

/// How many sessions are refreshed meanwhile.
const SESSIONS: usize = 100;

/// Polls a node for the owner of a token, and records each status with its time.
struct Watcher {
    over: Arc<AtomicBool>,
    task: JoinHandle<Vec<(Instant, StatusCode)>>,
}

impl Watcher {
    fn start(client: &Client, token: &str) -> Self {
        let (client, token) = (client.clone(), token.to_owned());
        let over = Arc::<AtomicBool>::default();
        let until = Arc::clone(&over);
        let task = tokio::spawn(async move {
            let mut seen = Vec::new();
            while !until.load(Ordering::Relaxed) {
                let request = client.request(Method::GET, "/v1/me").bearer_auth(&token);
                let response = client.try_send(request.timeout(Duration::from_secs(5))).await;
                // A request without a response for this long counts as refused.
                let status =
                    response.map_or(StatusCode::REQUEST_TIMEOUT, |response| response.status);
                seen.push((Instant::now(), status));
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            seen
        });
        Self { over, task }
    }

    async fn end(self) -> Vec<(Instant, StatusCode)> {
        self.over.store(true, Ordering::Relaxed);
        self.task.await.unwrap()
    }
}

/// Waits until a node accepts a token again. Returns how long that took.
async fn healed(client: &Client, token: &str) -> Duration {
    let started = Instant::now();
    loop {
        let request = client.request(Method::GET, "/v1/me").bearer_auth(token);
        let response = client.try_send(request.timeout(Duration::from_secs(2))).await;
        if response.is_ok_and(|response| response.status == 200) {
            return started.elapsed();
        }
        assert!(started.elapsed() < Duration::from_secs(30), "the node does not heal");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// An ended session that this node's cache knows nothing about.
async fn ended(client: &Client, name: &str) -> TestResponse {
    let session = client.login(name, PASSWORD).await;
    assert_eq!(client.me(session.access()).await.status, 200);
    assert_eq!(client.logout(session.refresh_token()).await.status, 204);
    session
}

/// Row F2: without its database a node accepts only what it can verify, and says so. It recovers by
/// itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f2_a_node_whose_database_is_gone_lets_nobody_in_and_heals_with_it() {
    let Some(mut server) = OwnServer::start(&[]).await else { return };
    let node = server.plan().start().await;
    let client = node.client();
    let pair = client.begin("ada").await;
    let dead = ended(&client, "ada").await;
    for round in 0..3 {
        let watchers = [&pair, &dead].map(|session| Watcher::start(&client, session.access()));
        tokio::time::sleep(Duration::from_millis(300)).await;
        let stopping = Instant::now();
        server.stop().await;
        let stopped = Instant::now();
        tokio::time::sleep(Duration::from_secs(2)).await;
        client.me(pair.access()).await.is(503, "unavailable");
        client.refresh(pair.refresh_token(), Some("a-key")).await.is(503, "unavailable");
        client.me("e30.e30.e30").await.is(401, "invalid_token");
        client.get("/health/ready").await.is(503, "unavailable");
        for path in ["/health/live", "/.well-known/jwks.json"] {
            assert_eq!(client.get(path).await.status, 200, "{path} needs no database");
        }
        let [alive, over] = watchers.map(Watcher::end);
        let (alive, over) = tokio::join!(alive, over);
        for (at, status) in alive {
            let may = if at < stopping {
                status == 200
            } else {
                status == 503 || status == 200 && at < stopped + KNOWN
            };
            assert!(may, "round {round}: {status}, {:?} after the stop", at - stopping);
        }
        for (_, status) in over {
            assert!(status == 401 || status == 503, "{status}");
        }

        server.go_on().await;
        let took = healed(&client, pair.access()).await;
        assert!(took < HEALED, "{took:?}");
        client.me(dead.access()).await.is(401, "session_ended");
        assert_eq!(client.me(pair.access()).await.status, 200);
    }
    assert_eq!(client.refresh(pair.refresh_token(), Some("a-key")).await.status, 200);
}

/// Rows F2, F6 and R9: sessions that ended right before the kill stay ended when the server is
/// back, for the node that kept running and for a new one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f2_what_ended_stays_ended_when_the_server_dies_right_after() {
    let Some(mut server) = OwnServer::start(&[]).await else { return };
    let node = server.plan().start().await;
    let client = node.client();
    let keeper = client.begin("ada").await;
    for _ in 0..5 {
        let session = client.login("ada", PASSWORD).await;
        assert_eq!(client.logout(session.refresh_token()).await.status, 204);
        server.stop().await;
        server.go_on().await;
        let new = server.plan().start().await;
        for client in [new.client(), client.clone()] {
            healed(&client, keeper.access()).await;
            client.me(session.access()).await.is(401, "session_ended");
            client.refresh(session.refresh_token(), None).await.is(401, "session_ended");
        }
    }
}

/// Asserts that a session has ended on both nodes from their first response on.
async fn ends_at_once(pair: &Pair, reason: &str, session: &TestResponse) {
    for client in pair.clients() {
        let refused = client.me(session.access()).await;
        refused.is(401, "session_ended");
        assert_eq!(refused.body["reason"], reason);
    }
    pair.has_ended(reason, &[session]).await;
}

/// Row R9: ended in one of many ways, with `kill -9` of both nodes right after the response.
async fn r9_what_ended_stays_ended_when_all_nodes_die_right_after(kind: Database) {
    let mut pair = Pair::processes(kind, &[]).await;
    let bob = pair.clients()[0].begin("bob").await;
    assert_eq!(pair.clients()[0].signup("ada").await.status, 201);
    for reason in ["logout", "refresh_token_reused", "ended_by_user", "logout_all"] {
        let [one, other] = pair.clients();
        let session = one.login("ada", PASSWORD).await;
        pair.is_alive(&session).await;
        match reason {
            "logout" => assert_eq!(other.logout(session.refresh_token()).await.status, 204),
            "refresh_token_reused" => {
                let next = one.refresh(session.refresh_token(), Some("a-key")).await;
                let next = one.refresh(next.refresh_token(), Some("the-next-key")).await;
                assert_eq!(next.status, 200, "{next:?}");
                other.refresh(session.refresh_token(), None).await.is(401, "refresh_token_reused");
            }
            "ended_by_user" => {
                let own = one.login("ada", PASSWORD).await;
                let path = format!("/v1/me/sessions/{}", session.text_of("session_id"));
                let request = other.request(Method::DELETE, &path).bearer_auth(own.access());
                assert_eq!(other.send(request).await.status, 204);
            }
            _ => {
                let done = other.post_as(session.access(), "/v1/logout-all", &json!({})).await;
                assert_eq!(done.status, 204);
            }
        }
        pair.crash().await;
        ends_at_once(&pair, reason, &session).await;
        pair.is_alive(&bob).await;
    }
    pair.command(&["user", "disable", "bob"]).await;
    pair.crash().await;
    ends_at_once(&pair, "account_disabled", &bob).await;
    pair.crash().await;
    ends_at_once(&pair, "account_disabled", &bob).await;
}

/// Row F6: the server is killed and recovers fifty times while a hundred sessions are refreshed on
/// two nodes. No session is lost, and none has two successors.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f6_fifty_restarts_under_a_hundred_refreshing_sessions_lose_none() {
    let Some(mut server) = OwnServer::start(&[]).await else { return };
    let plan = server.plan();
    let nodes = [plan.start().await, plan.start().await];
    let addresses: Addresses = Arc::new(RwLock::new(nodes.each_ref().map(|node| node.url.clone())));
    let over = Arc::<AtomicBool>::default();
    let mut clients = JoinSet::new();
    for number in 0..SESSIONS {
        let mut client = Honest::begin(format!("client{number}"), &addresses).await;
        let over = Arc::clone(&over);
        clients.spawn(async move {
            while !over.load(Ordering::Relaxed) {
                client.refresh().await;
                tokio::time::sleep(Duration::from_millis(150)).await;
            }
            client
        });
    }
    let restarts = rounds(RESTARTS);
    for restart in 0..restarts {
        tokio::time::sleep(Duration::from_millis(50 + restart as u64 * 7919 % 150)).await;
        server.stop().await;
        server.go_on().await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    over.store(true, Ordering::Relaxed);
    let mut clients = clients.join_all().await;
    let tries = clients.iter().map(|client| client.attempts_max).max();
    let refreshes: u32 = clients.iter().map(|client| client.refreshes).sum();
    let _ = writeln!(
        std::io::stderr(),
        "{restarts} restarts, {SESSIONS} sessions: {refreshes} refreshes, at most {tries:?} tries each"
    );
    assert!(tries > Some(2) && refreshes > 1000, "{tries:?} tries, {refreshes} refreshes");
    let nodes = nodes.each_ref().map(gateward_e2e::Node::client);
    for client in &mut clients {
        client.check(&nodes).await;
    }
}

/// Rows F3 and F4: another transaction locks the whole session table. Refreshes fail in time, and
/// those that find no free connection fail after a second. Requests that need no database work, and
/// no write is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f3_f4_a_table_that_is_locked_delays_nobody_for_long_and_harms_no_session() {
    let settings = [("database.pool_size", "2"), ("tokens.sessions_per_user_max", "200")];
    let pair = Pair::processes(Database::Postgres, &settings).await;
    let [one, _] = pair.clients();
    let first = one.begin("ada").await;
    let dead = ended(&one, "ada").await;
    let mut sessions = vec![first];
    for _ in 1..20 {
        sessions.push(one.login("ada", PASSWORD).await);
    }
    let mut holder = pair.database.postgres().await;
    let lock = holder.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let started = Instant::now();
    let refused = join_all(sessions.iter().map(async |session| {
        let refused = one.refresh(session.refresh_token(), Some("a-key")).await;
        (refused, started.elapsed())
    }));
    let others = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        for path in ["/health/live", "/.well-known/jwks.json"] {
            let asked = Instant::now();
            assert_eq!(one.get(path).await.status, 200);
            assert!(asked.elapsed() < Duration::from_secs(1), "{path}: {:?}", asked.elapsed());
        }
        let response = one.me(dead.access()).await;
        assert!(response.status == 401 || response.status == 503, "{response:?}");
    };
    let (refused, ()) = tokio::join!(refused, others);
    for (response, took) in refused {
        assert_eq!(response.status, 503, "{response:?}");
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
    lock.rollback().await.unwrap();
    let took = healed(&one, sessions[0].access()).await;
    assert!(took < HEALED, "{took:?}");
    for session in &sessions {
        let next = one.refresh(session.refresh_token(), Some("a-key")).await;
        assert_eq!(next.status, 200, "{next:?}");
    }
    one.me(dead.access()).await.is(401, "session_ended");
}

/// Row F5: the server is frozen, so its connections are open and silent. No unverified token is
/// accepted, every request gets a response within ten seconds, and requests that need no database
/// work. All is well when the server resumes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f5_a_server_that_falls_silent_lets_nobody_in_and_loses_no_session() {
    let Some(server) = OwnServer::start(&[]).await else { return };
    let node = server.plan().start().await;
    let client = node.client();
    let pair = client.begin("ada").await;
    let dead = ended(&client, "ada").await;
    let watchers = [&pair, &dead].map(|session| Watcher::start(&client, session.access()));
    server.signal_all(Signal::STOP);
    let frozen = Instant::now();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let request = client.refresh_request(pair.refresh_token(), Some("a-key"));
    let refreshed = client.try_send(request.timeout(Duration::from_secs(10))).await.unwrap();
    assert_eq!(refreshed.status, 503, "{refreshed:?}");
    for path in ["/health/live", "/.well-known/jwks.json"] {
        assert_eq!(client.get(path).await.status, 200, "{path} needs no database");
    }
    let [alive, over] = watchers.map(Watcher::end);
    let (alive, over) = tokio::join!(alive, over);
    server.signal_all(Signal::CONT);
    for (at, status) in alive {
        let late = at.saturating_duration_since(frozen);
        assert!(status != 200 || late < KNOWN, "let in after {late:?}");
    }
    assert!(over.iter().all(|(_, status)| *status != 200), "{over:?}");

    let took = healed(&client, pair.access()).await;
    assert!(took < HEALED, "{took:?}");
    client.me(dead.access()).await.is(401, "session_ended");
    let next = client.refresh(pair.refresh_token(), Some("a-key")).await;
    assert_eq!(next.status, 200, "{next:?}");
    assert_eq!(client.refresh(next.refresh_token(), Some("the-next-key")).await.status, 200);
}
