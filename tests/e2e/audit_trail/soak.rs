//! The trail while nodes append to it, extend the chain together, and die.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gateward_e2e::{Client, Database, PASSWORD, TestDatabase, on_both, rounds};
use gateward_e2e::{Node, Plan};
use tokio::task::JoinSet;

use super::kept::lines;
use super::ledger::{Ledger, export, is_whole, verify_input};
use crate::support::pair::Pair;

on_both!(
    two_nodes_under_load_make_one_chain_and_every_check_of_it_finds_it_whole,
    nodes_that_are_killed_while_they_chain_leave_a_whole_chain,
);

/// The users under load.
const NAMES: [&str; 4] = ["ada", "bob", "cyd", "dan"];

/// How many times the trail is checked under load.
const CHECKS: usize = 4;

/// How often all nodes are killed.
const KILLS: usize = 5;

/// Clients that log in and out until they are stopped. A node may die meanwhile.
struct Load {
    stop: Arc<AtomicBool>,
    clients: JoinSet<()>,
}

impl Load {
    fn begin(clients: &[Client]) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut set = JoinSet::new();
        for (number, name) in NAMES.into_iter().enumerate() {
            let (stop, client) = (Arc::clone(&stop), clients[number % clients.len()].clone());
            set.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let _ = round(&client, name).await;
                }
            });
        }
        Self { stop, clients: set }
    }

    async fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.clients.join_all().await;
    }
}

/// Writes three or four events. `None` if the node has died.
async fn round(client: &Client, name: &str) -> Option<()> {
    let body = |password: &str| serde_json::json!({"identifier": name, "password": password});
    client.try_send(client.post("/v1/login", &body("a wrong password"))).await.ok()?;
    let pair = client.try_send(client.post("/v1/login", &body(PASSWORD))).await.ok()?;
    let token = pair.body["refresh_token"].as_str()?;
    let body = serde_json::json!({"refresh_token": token});
    client.try_send(client.post("/v1/logout", &body)).await.ok().map(drop)
}

/// Asserts that the sequence numbers start at one and have no gap.
async fn has_no_gap(ledger: &Ledger) -> i64 {
    let sql = "SELECT count(*), count(DISTINCT seq), min(seq), max(seq) FROM events";
    let row: Vec<i64> =
        ledger.run(sql).await[0].iter().map(|number| number.parse().unwrap()).collect();
    let all = row[0];
    assert_eq!(row, [all, all, 1, all]);
    all
}

async fn two_nodes_under_load_make_one_chain_and_every_check_of_it_finds_it_whole(kind: Database) {
    let pair = Pair::processes(kind, &[]).await;
    let (plan, clients) = (pair.plan.clone(), pair.clients());
    let Some(ledger) = Ledger::open(&pair.database).await else { return };
    for name in NAMES {
        assert_eq!(clients[0].signup(name).await.status, 201);
    }
    let load = Load::begin(&clients);
    let mut reached = 0;
    for _ in 0..CHECKS {
        tokio::time::sleep(Duration::from_millis(700)).await;
        let (verdict, exported) = tokio::task::block_in_place(|| (is_whole(&plan), export(&plan)));
        let text = lines(&exported);
        let file = verify_input(&plan, &["/dev/stdin", "--expect", &verdict.checkpoint], &text);
        assert_eq!(file.findings, Vec::<String>::new());
        assert!(verdict.seq > reached && file.seq >= verdict.seq, "{verdict:?} {file:?}");
        reached = verdict.seq;
    }
    load.end().await;
    ledger.until_chained().await;
    let all = has_no_gap(&ledger).await;
    let verdict = is_whole(&plan);
    assert_eq!((verdict.entries, verdict.seq, verdict.waiting), (all, all, Some(0)));
    let mut chained = 0.0;
    for node in &pair.nodes {
        chained += counted(node).await;
    }
    #[expect(clippy::cast_precision_loss, reason = "there are some hundred")]
    let all = all as f64;
    assert!((chained - all).abs() < 0.5, "each was sealed once: {chained} of {all}");
}

/// The number of events that a node reports as chained.
async fn counted(node: &Node) -> f64 {
    let page = Client::new(&node.ops_url).get("/metrics").await.text;
    let line = page.lines().find(|line| line.starts_with("gateward_audit_chained_total "));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or_else(|| panic!("{page}"))
}

/// `kill -9` of both nodes under load, several times.
async fn nodes_that_are_killed_while_they_chain_leave_a_whole_chain(kind: Database) {
    let mut pair = Pair::processes(kind, &[]).await;
    let plan = pair.plan.clone();
    let Some(ledger) = Ledger::open(&pair.database).await else { return };
    for name in NAMES {
        assert_eq!(pair.clients()[0].signup(name).await.status, 201);
    }
    let mut checkpoint = String::new();
    for round in 0..rounds(KILLS) {
        let load = Load::begin(&pair.clients());
        let pause = 900 + u64::try_from(round).unwrap() * 70;
        tokio::time::sleep(Duration::from_millis(pause)).await;
        pair.nodes.iter_mut().for_each(Node::kill);
        load.end().await;
        // No node runs: the chain is whole, and unchained events wait.
        let expect: &[&str] = if checkpoint.is_empty() { &[] } else { &["--expect", &checkpoint] };
        let verdict = super::ledger::verify(&plan, expect);
        assert_eq!(verdict.findings, Vec::<String>::new());
        checkpoint = verdict.checkpoint;
        pair.crash().await;
        ledger.until_chained().await;
        let all = has_no_gap(&ledger).await;
        assert_eq!(is_whole(&plan).entries, all);
    }
}

/// A node dies while it holds the lock of the chain and has read the events to append. The other
/// node appends them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_node_was_sealing_when_it_died_the_other_one_chains() {
    let database = TestDatabase::new(Database::Postgres).await;
    let plan = Plan::on(&database);
    let mut node = plan.start().await;
    let client = node.client();
    let pair = client.begin("ada").await;
    let Some(ledger) = Ledger::open(&database).await else { return };
    ledger.until_chained().await;

    let (mut first, mut second) = (database.postgres().await, database.postgres().await);
    let chain = first.transaction().await.unwrap();
    chain.batch_execute("SELECT * FROM audit_chain FOR UPDATE").await.unwrap();
    assert_eq!(client.logout(pair.refresh_token()).await.status, 204);
    let event = second.transaction().await.unwrap();
    let sql = "SELECT id FROM events WHERE seq IS NULL FOR UPDATE";
    assert_eq!(event.query(sql, &[]).await.unwrap().len(), 1);
    chain.rollback().await.unwrap();
    let waits = "SELECT 1 - count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' \
        AND datname = current_database() AND query ILIKE 'UPDATE%events%'";
    ledger.until_none(waits).await;
    let other = plan.start().await;
    node.kill();
    event.rollback().await.unwrap();
    let started = Instant::now();
    ledger.until_chained().await;
    assert!(started.elapsed() < Duration::from_secs(20));
    has_no_gap(&ledger).await;
    assert_eq!(is_whole(&plan).waiting, Some(0));
    assert_eq!(other.client().login("ada", PASSWORD).await.status, 200);
}
