//! Revocation within a second: the other node refuses sessions that one node, or the command line,
//! has ended.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::join_all;
use gateward_e2e::{Client, Database, PASSWORD, TestDatabase, TestResponse};
use reqwest::Method;
use serde_json::json;
use tokio::task::JoinHandle;

use crate::support::pair::Pair;
use crate::support::post::OTHER;
use crate::support::pulse::Pulse;

/// How many users there are, one after the other.
const USERS: usize = 20;

/// How many sessions of each are ended one by one.
const SINGLE: usize = 40;

/// How many sessions of each are ended by one request.
const TOGETHER: usize = 10;

/// The time within which every node refuses an ended session.
const BOUND: Duration = Duration::from_secs(1);

/// How long a node takes to refuse: as a client sees it, and without the time in which the machine
/// ran no process.
#[derive(Clone, Copy)]
struct Delay {
    seen: Duration,
    net: Duration,
}

/// Polls a node until it refuses a token that ended at `ended`.
async fn delay(client: &Client, token: &str, ended: Instant, pulse: &Pulse) -> Delay {
    let missed = pulse.missed();
    loop {
        let response = client.me(token).await;
        if response.status != 200 {
            response.is(401, "session_ended");
            let seen = ended.elapsed();
            return Delay { seen, net: pulse.net(seen, missed) };
        }
        assert!(ended.elapsed() < Duration::from_secs(20), "it is let in for ever");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Prints the delays, and asserts that none is too long.
fn judge(what: &str, mut delays: Vec<Delay>) {
    delays.sort_by_key(|delay| delay.seen);
    let (median, worst) = (delays[delays.len() / 2].seen, delays.last().unwrap().seen);
    let net = delays.iter().map(|delay| delay.net).max().unwrap();
    let count = delays.len();
    let _ = writeln!(
        std::io::stderr(),
        "{what}: {count} ends, median {median:?}, worst {worst:?} ({net:?} of a machine that runs)"
    );
    assert!(net <= BOUND, "{what}: {net:?}");
}

/// Cuts the connections on which nodes listen, repeatedly, and counts them.
async fn cut_channels(database: &TestDatabase) -> (JoinHandle<()>, Arc<AtomicUsize>) {
    const CUT: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                       WHERE datname = current_database() AND pid <> pg_backend_pid() \
                       AND query LIKE '%LISTEN gateward_invalidations%'";
    let server = database.postgres().await;
    let count = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&count);
    let task = tokio::spawn(async move {
        for round in 0.. {
            // Different intervals, so that nodes are in every state.
            tokio::time::sleep(Duration::from_millis(100 + round * 7919 % 900)).await;
            let cut = server.query(CUT, &[]).await.unwrap().len();
            counted.fetch_add(cut, Ordering::Relaxed);
        }
    });
    (task, count)
}

/// Logs a user in this many times, on both nodes in turn.
async fn log_in(clients: &[Client; 2], name: &str, count: usize) -> Vec<TestResponse> {
    let body = json!({"identifier": name, "password": PASSWORD});
    let logins = (0..count).map(|number| {
        let client = &clients[number % 2];
        client.send(client.post("/v1/login", &body))
    });
    let sessions: Vec<_> = futures_util::stream::iter(logins).buffered(8).collect().await;
    for session in &sessions {
        assert_eq!(session.status, 200, "{session:?}");
    }
    sessions
}

/// Ends one session in one of the ways. Returns the reason in the errors for its tokens.
async fn end_one(
    client: &Client,
    keeper: &TestResponse,
    session: &TestResponse,
    way: usize,
) -> &'static str {
    match way % 5 {
        0 => {
            let path = format!("/v1/me/sessions/{}", session.text_of("session_id"));
            let request = client.request(Method::DELETE, &path).bearer_auth(keeper.access());
            let done = client.send(request).await;
            assert_eq!(done.status, 204, "{done:?}");
            "ended_by_user"
        }
        1 => {
            let first = session.refresh_token();
            let next = client.refresh(first, Some("a-key")).await;
            let last = client.refresh(next.refresh_token(), Some("the-next-key")).await;
            assert_eq!(last.status, 200, "{last:?}");
            client.refresh(first, None).await.is(401, "refresh_token_reused");
            "refresh_token_reused"
        }
        2 => {
            let done = client.post_as(session.access(), "/v1/logout", &json!({})).await;
            assert_eq!(done.status, 204, "{done:?}");
            "logout"
        }
        _ => {
            assert_eq!(client.logout(session.refresh_token()).await.status, 204);
            "logout"
        }
    }
}

/// Ends all sessions of a user, perhaps except the keeper. Returns the reason.
async fn end_many(pair: &Pair, client: &Client, name: &str, keeper: &TestResponse) -> &'static str {
    let number: usize = name.trim_start_matches("user-").parse().unwrap();
    let as_keeper = |path, body| async move { client.post_as(keeper.access(), path, &body).await };
    let (done, reason) = match number % 6 {
        0 => (as_keeper("/v1/logout-all", json!({"except_current": true})).await, "logout_all"),
        1 => {
            let passwords = json!({"current_password": PASSWORD, "new_password": OTHER});
            (as_keeper("/v1/me/password", passwords).await, "password_changed")
        }
        2 => {
            let link = pair.command(&["user", "reset-link", name]).await;
            let link = String::from_utf8(link.stdout).unwrap();
            let token = link.split("#token=").nth(1).unwrap().split_whitespace().next().unwrap();
            let body = json!({"token": token, "new_password": OTHER});
            (client.send(client.post("/v1/password/reset", &body)).await, "password_reset")
        }
        3 => {
            let leave = client.request(Method::DELETE, "/v1/me").bearer_auth(keeper.access());
            let leave = leave.json(&json!({"password": PASSWORD}));
            (client.send(leave).await, "account_deleted")
        }
        4 => {
            pair.command(&["user", "disable", name]).await;
            return "account_disabled";
        }
        _ => {
            pair.command(&["session", "end-all"]).await;
            return "ended_by_admin";
        }
    };
    assert_eq!(done.status, 204, "{reason}: {done:?}");
    reason
}

/// Asserts that a node refuses an access token, for this reason.
async fn is_refused(client: &Client, session: &TestResponse, reason: &str) {
    let refused = client.me(session.access()).await;
    refused.is(401, "session_ended");
    assert_eq!(refused.body["reason"], reason);
}

/// All sessions of one user end. Returns how long the other node accepted each.
async fn end_all_of(pair: &Pair, name: &str, pulse: &Pulse) -> Vec<Delay> {
    let clients = pair.clients();
    assert_eq!(clients[0].signup(name).await.status, 201);
    let mut sessions = log_in(&clients, name, SINGLE + TOGETHER + 1).await;
    let keeper = sessions.pop().unwrap();
    let others = sessions.split_off(SINGLE);
    join_all(sessions.iter().chain(&others).map(|session| pair.is_alive(session))).await;

    let ends = sessions.iter().enumerate().map(async |(number, session)| {
        let (own, other) = (&clients[number % 2], &clients[(number + 1) % 2]);
        let reason = end_one(own, &keeper, session, number).await;
        let ended = Instant::now();
        let (delay, ()) = tokio::join!(
            delay(other, session.access(), ended, pulse),
            is_refused(own, session, reason)
        );
        (delay, session, reason)
    });
    let mut ended: Vec<_> = futures_util::stream::iter(ends).buffer_unordered(6).collect().await;

    let own = &clients[0];
    let reason = end_many(pair, own, name, &keeper).await;
    let at = Instant::now();
    let by_command = ["account_disabled", "ended_by_admin"].contains(&reason);
    ended.extend(
        join_all(others.iter().map(async |session| {
            if by_command {
                delay(own, session.access(), at, pulse).await;
            } else {
                is_refused(own, session, reason).await;
            }
            (delay(&clients[1], session.access(), at, pulse).await, session, reason)
        }))
        .await,
    );
    // Once refused, a session stays refused, with the reason.
    for (_, session, reason) in &ended {
        for client in &clients {
            is_refused(client, session, reason).await;
        }
    }
    ended.into_iter().map(|(delay, ..)| delay).collect()
}

/// Rows S1 and ASVS 7.4.1: a thousand sessions end on one node, each in one of many ways, while the
/// channels on which the nodes listen are cut repeatedly.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a7_4_1_s1_a_thousand_ends_are_known_to_the_other_node_within_a_second() {
    let settings = [("tokens.sessions_per_user_max", "1000"), ("password.hash_queue_max", "1000")];
    let pair = Pair::processes(Database::Postgres, &settings).await;
    let pulse = Pulse::start();
    let (cutter, cut) = cut_channels(&pair.database).await;
    let mut delays = Vec::new();
    for number in 0..USERS {
        delays.extend(end_all_of(&pair, &format!("user-{number}"), &pulse).await);
    }
    cutter.abort();
    assert!(cutter.await.unwrap_err().is_cancelled(), "the channels were cut to the end");
    assert!(cut.load(Ordering::Relaxed) > 10, "{cut:?} channels were cut");
    assert_eq!(delays.len(), 1000);
    judge("two nodes on Postgres, channels cut", delays);
}

/// Row ASVS 7.4.1: on SQLite the command line is another process, and the node learns of its
/// changes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a7_4_1_on_sqlite_a_node_learns_within_a_second_what_the_command_line_ends() {
    let pair = Pair::processes(Database::Sqlite, &[]).await;
    let clients = pair.clients();
    let pulse = Pulse::start();
    let mut delays = Vec::new();
    for number in 0..6 {
        let name = format!("user-{number}");
        let session = clients[0].begin(&name).await;
        pair.is_alive(&session).await;
        let (command, reason) = match number % 3 {
            2 => (["session", "end-all"].to_vec(), "ended_by_admin"),
            _ => (["user", "disable", &name].to_vec(), "account_disabled"),
        };
        pair.command(&command).await;
        let ended = Instant::now();
        let both = clients.each_ref().map(|client| delay(client, session.access(), ended, &pulse));
        delays.extend(join_all(both).await);
        pair.has_ended(reason, &[&session]).await;
    }
    judge("the command line beside two nodes on SQLite", delays);
}
