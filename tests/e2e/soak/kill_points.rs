//! Row F9: a node is killed at chosen points of a refresh: before its statement, after its commit
//! and before the response, and between the writes of the transaction that ends a session.

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Duration;

use futures_util::future::join_all;
use gateward_e2e::{
    Client, Database, Node, PASSWORD, Plan, TestDatabase, TestResponse, claims, eventually,
};
use gateward_e2e::{not_checked, on_both, rounds};
use rustix::process::Signal;
use tokio::task::JoinHandle;

use crate::support::own_server::{OwnServer, connect};

on_both!(f9_a_kill_at_any_point_of_a_refresh_loses_no_session_and_makes_no_second_successor);

/// How many sessions are refreshed when a node is killed.
const SESSIONS: usize = 16;

/// How many times each point is tested.
const ROUNDS: usize = 2;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where the node is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Point {
    /// It waits for the row, and the database notices only after the commit that the client is
    /// gone.
    Waiting,
    /// It waits for the row, and its transaction is rolled back.
    Undone,
    /// The transaction is committed, and the node does not know.
    Committed,
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    eventually(PATIENCE, async || {
        if is_so().await { Ok(()) } else { Err(format!("it takes too long until {what}")) }
    })
    .await;
}

/// Sends refreshes that get no response.
fn begin_refreshes(client: &Client, pairs: &[TestResponse], key: &str) -> Vec<JoinHandle<bool>> {
    let begin = |pair: &TestResponse| {
        let (client, token, key) =
            (client.clone(), pair.refresh_token().to_owned(), key.to_owned());
        tokio::spawn(async move {
            client.try_send(client.refresh_request(&token, Some(&key))).await.is_err()
        })
    };
    pairs.iter().map(begin).collect()
}

/// Asserts that no request got a response.
async fn all_are_lost(refreshes: Vec<JoinHandle<bool>>) {
    let lost = join_all(refreshes).await;
    assert!(lost.into_iter().all(|lost| lost.unwrap()), "an answer came");
}

/// Repeats the lost refreshes, twice each. Returns the successors.
async fn repeat(client: &Client, pairs: &[TestResponse], key: &str) -> Vec<TestResponse> {
    join_all(pairs.iter().map(async |pair| {
        let next = client.refresh(pair.refresh_token(), Some(key)).await;
        assert_eq!(next.status, 200, "{next:?}");
        let again = client.refresh(pair.refresh_token(), Some(key)).await;
        assert_eq!(again.status, 200, "{again:?}");
        assert_eq!(again.refresh_token(), next.refresh_token(), "two successors");
        let generation =
            |pair: &TestResponse| claims(pair.refresh_token())["gen"].as_i64().unwrap();
        assert_eq!(generation(&next), generation(pair) + 1);
        assert_eq!(client.me(next.access()).await.status, 200);
        next
    }))
    .await
}

async fn start_sessions(client: &Client) -> Vec<TestResponse> {
    let mut pairs = vec![client.begin("ada").await];
    for _ in 1..SESSIONS {
        pairs.push(client.login("ada", PASSWORD).await);
    }
    pairs
}

async fn f9_a_kill_at_any_point_of_a_refresh_loses_no_session_and_makes_no_second_successor(
    kind: Database,
) {
    let database = TestDatabase::new(kind).await;
    let plan = Plan::on(&database).with("database.pool_size", SESSIONS + 4);
    let mut node = plan.start().await;
    let mut pairs = start_sessions(&node.client()).await;
    for round in 0..rounds(ROUNDS) {
        for point in [Point::Waiting, Point::Undone, Point::Committed] {
            let key = format!("the-key-of-{point:?}-{round}");
            match kind {
                Database::Postgres => kill_at(point, &database, &mut node, &pairs, &key).await,
                Database::Sqlite if point == Point::Committed => continue,
                Database::Sqlite => {
                    let Some(()) = kill_locked(&database, &mut node, &pairs, &key).await else {
                        return;
                    };
                }
            }
            node = plan.start().await;
            pairs = repeat(&node.client(), &pairs, &key).await;
        }
    }
    // The refresh state is whole: the first token counts as used, and ends the session.
    let active = node.client().refresh(pairs[0].refresh_token(), None).await;
    assert_eq!(active.status, 200, "{active:?}");
    let last = node.client().refresh(active.refresh_token(), None).await;
    assert_eq!(last.status, 200, "{last:?}");
    node.client().refresh(pairs[0].refresh_token(), None).await.is(401, "refresh_token_reused");
}

/// Locks the rows of all sessions, so that refreshes wait inside their statement, and kills the
/// node.
async fn kill_at(
    point: Point,
    database: &TestDatabase,
    node: &mut Node,
    pairs: &[TestResponse],
    key: &str,
) {
    let mut holder = database.postgres().await;
    let watcher = database.postgres().await;
    let generations = "SELECT coalesce(sum(generation), 0)::bigint FROM sessions";
    let sum = async || watcher.query_one(generations, &[]).await.unwrap().get::<_, i64>(0);
    let before = sum().await;
    let all = i64::try_from(pairs.len()).unwrap();
    let lock = holder.transaction().await.unwrap();
    lock.batch_execute("SELECT id FROM sessions FOR UPDATE").await.unwrap();
    let refreshes = begin_refreshes(&node.client(), pairs, key);
    until("all wait", async || waiting(&watcher).await == all).await;

    match point {
        Point::Waiting => node.kill(),
        Point::Undone => {
            node.kill();
            terminate(&watcher).await;
        }
        Point::Committed => {
            node.signal(Signal::STOP);
            until("the node stands still", async || is_frozen(node)).await;
        }
    }
    lock.rollback().await.unwrap();
    until("all have ended", async || waiting(&watcher).await == 0).await;
    match point {
        Point::Waiting => {}
        Point::Undone => assert_eq!(sum().await, before, "it was undone"),
        Point::Committed => {
            until("all is committed", async || sum().await == before + all).await;
            node.kill();
        }
    }
    all_are_lost(refreshes).await;
}

/// Whether no thread of a node runs.
fn is_frozen(node: &Node) -> bool {
    let threads = format!("/proc/{}/task", node.pid().as_raw_nonzero());
    fs::read_dir(threads).unwrap().all(|thread| {
        let status = fs::read_to_string(thread.unwrap().path().join("status"));
        status.is_ok_and(|status| status.contains("State:\tT"))
    })
}

/// How many statements of nodes wait for a lock.
async fn waiting(watcher: &tokio_postgres::Client) -> i64 {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
        AND datname = current_database()";
    watcher.query_one(sql, &[]).await.unwrap().get(0)
}

/// Ends the connections of nodes, which rolls back their open transactions.
async fn terminate(watcher: &tokio_postgres::Client) {
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
        WHERE application_name = 'gateward' AND datname = current_database()";
    watcher.query(sql, &[]).await.unwrap();
}

/// Holds the write lock of the file, and kills the node that waits for it. `None` with a message,
/// if the lock cannot be held.
async fn kill_locked(
    database: &TestDatabase,
    node: &mut Node,
    pairs: &[TestResponse],
    key: &str,
) -> Option<()> {
    let mut sqlite = Command::new("sqlite3");
    let sqlite = sqlite.arg(database.folder.path().join("gateward.db"));
    let script =
        [".timeout 5000", "BEGIN IMMEDIATE", ".shell echo locked", ".shell sleep 1", "ROLLBACK"];
    let holder = sqlite.args(script).stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let Ok(mut holder) = holder else {
        not_checked("f9: kills of a node that waits for SQLite: sqlite3 is not here to hold it");
        return None;
    };
    let mut told = [0; 6];
    holder.stdout.as_mut().unwrap().read_exact(&mut told).unwrap();
    let refreshes = begin_refreshes(&node.client(), pairs, key);
    tokio::time::sleep(Duration::from_millis(400)).await;
    node.kill();
    all_are_lost(refreshes).await;
    assert!(holder.wait().unwrap().success());
    Some(())
}

/// Row F9, and INV12: the transaction that ends a session for a replay writes the end, the event,
/// the email and the invalidation events. If the node dies at any of them, none is written; the
/// next replay writes one of each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f9_a_kill_between_the_writes_of_a_replay_leaves_all_or_nothing() {
    let database = TestDatabase::new(Database::Postgres).await;
    let plan = Plan::on(&database);
    let mut node = plan.start().await;
    assert_eq!(node.client().signup("ada").await.status, 201);
    let watcher = database.postgres().await;
    for table in ["events", "outbox_emails", "invalidation_events"] {
        let client = node.client();
        let first = client.login("ada", PASSWORD).await;
        let second = client.refresh(first.refresh_token(), Some("a-key")).await;
        let third = client.refresh(second.refresh_token(), Some("another-key")).await;
        assert_eq!(third.status, 200, "{third:?}");
        let before = written(&watcher, &first).await;

        let mut holder = database.postgres().await;
        let lock = holder.transaction().await.unwrap();
        lock.batch_execute(&format!("LOCK TABLE {table} IN SHARE MODE")).await.unwrap();
        let replay = begin_refreshes(&client, std::slice::from_ref(&first), "a-thief");
        until("the replay waits", async || waiting(&watcher).await == 1).await;
        node.kill();
        lock.rollback().await.unwrap();
        all_are_lost(replay).await;
        let left = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'gateward' \
            AND datname = current_database()";
        let left = async || watcher.query_one(left, &[]).await.unwrap().get::<_, i64>(0) == 0;
        until("the node's connections are gone", left).await;
        assert_eq!(written(&watcher, &first).await, before, "killed at {table}");

        node = plan.start().await;
        let client = node.client();
        assert_eq!(client.me(third.access()).await.status, 200);
        let fourth = client.refresh(third.refresh_token(), Some("the-third-key")).await;
        assert_eq!(fourth.status, 200, "{fourth:?}");
        client.refresh(first.refresh_token(), None).await.is(401, "refresh_token_reused");
        client.refresh(first.refresh_token(), None).await.is(401, "session_ended");
        let [ended, events, emails, invalidation] = before;
        let once = [ended + 1, events + 1, emails + 1, invalidation + 1];
        assert_eq!(written(&watcher, &first).await, once, "after {table}");
        client.me(fourth.access()).await.is(401, "session_ended");
    }
}

/// How many ends, events, emails and invalidation events record the session's replay.
async fn written(watcher: &tokio_postgres::Client, session: &TestResponse) -> [i64; 4] {
    let id = session.text_of("session_id");
    let reused = "'refresh_token_reused'";
    let mut counts = [0; 4];
    for (count, rows) in counts.iter_mut().zip([
        format!("sessions WHERE id = '{id}' AND end_reason = {reused}"),
        format!("events WHERE session_id = '{id}' AND reason = {reused}"),
        "outbox_emails WHERE kind = 'token_reused'".to_owned(),
        format!("invalidation_events WHERE subject = '{id}'"),
    ]) {
        let sql = format!("SELECT count(*) FROM {rows}");
        *count = watcher.query_one(&sql, &[]).await.unwrap().get(0);
    }
    counts
}

/// Row F9, and INV1: a statement sends its row before its commit, and the server may die in
/// between. No client sees a refresh that may be lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f9_a_refresh_is_not_answered_before_its_commit_when_the_database_dies_in_between() {
    let Some(mut server) = OwnServer::start(&[]).await else { return };
    let node = server.plan().start().await;
    let client = node.client();
    let pairs = vec![client.begin("ada").await];
    // Commits wait for a replica that does not exist.
    for sql in ["ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()"]
    {
        connect(&server.url).await.batch_execute(sql).await.unwrap();
    }
    let probe = connect(&server.url).await;
    let ours = async || {
        let commit = probe.batch_execute("CREATE TABLE probe (); DROP TABLE probe");
        tokio::time::timeout(Duration::from_millis(300), commit).await.is_err()
    };
    until("a commit of our own waits", ours).await;
    let refresh = {
        let (client, token) = (client.clone(), pairs[0].refresh_token().to_owned());
        tokio::spawn(async move { client.refresh(&token, Some("a-key")).await })
    };
    let watcher = connect(&server.url).await;
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep' \
        AND query LIKE '%UPDATE%sessions%'";
    let waits = async || watcher.query_one(sql, &[]).await.unwrap().get::<_, i64>(0) == 1;
    until("the commit waits", waits).await;
    server.stop().await;
    refresh.await.unwrap().is(503, "unavailable");

    server.go_on().await;
    for sql in ["ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()"] {
        connect(&server.url).await.batch_execute(sql).await.unwrap();
    }
    until("the node is back", async || client.get("/health/ready").await.status == 200).await;
    repeat(&client, &pairs, "a-key").await;
}
