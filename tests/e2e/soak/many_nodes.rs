//! Many nodes on one database: rows F24 and F14.

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use gateward_e2e::{Database, Node, PASSWORD, Plan, TestDatabase, not_checked, on_both, run};
use reqwest::Method;
use serde_json::json;

use crate::support::commands::said;

on_both!(f24_nodes_that_start_at_once_migrate_once_and_make_one_set_of_keys);

/// Row F24: on an empty database, and once more on the existing one.
async fn f24_nodes_that_start_at_once_migrate_once_and_make_one_set_of_keys(kind: Database) {
    let database = TestDatabase::empty(kind).await;
    let mut plan = Plan::on(&database);
    let count = match kind {
        Database::Postgres => 8,
        Database::Sqlite => {
            let empty = database.folder.path().join("empty.db");
            fs::write(&empty, "").unwrap();
            plan = plan.with("database.url", format!("sqlite://{}", empty.display()));
            4
        }
    };
    let nodes: Vec<Node> = join_all((0..count).map(|_| plan.start())).await;
    let mut applied: Vec<String> = nodes
        .iter()
        .flat_map(|node| node.lines("migration applied"))
        .map(|line| line["migration"].as_str().unwrap().to_owned())
        .collect();
    let all = applied.len();
    applied.sort();
    applied.dedup();
    assert!(all > 0 && applied.len() == all, "each is applied once: {applied:?}");
    one_set_of_keys(&plan, &nodes).await;

    // A token of any node is valid on every other.
    let pair = nodes[0].client().begin("ada").await;
    for node in &nodes {
        assert_eq!(node.client().me(pair.access()).await.status, 200);
    }
    let more: Vec<Node> = join_all((0..count).map(|_| plan.start())).await;
    assert!(more.iter().all(|node| node.lines("migration applied").is_empty()));
    one_set_of_keys(&plan, &more).await;
}

async fn one_set_of_keys(plan: &Plan, nodes: &[Node]) {
    let list = said(&run(plan, &["keys", "list"], ""));
    assert_eq!(list.lines().count(), 5, "{list}");
    let first = nodes[0].client().get("/.well-known/jwks.json").await.body;
    for node in nodes {
        assert_eq!(node.client().get("/health/ready").await.status, 200);
        assert_eq!(node.client().get("/.well-known/jwks.json").await.body, first);
    }
}

/// Row F14: a hundred writers over two processes wait for each other and lose no write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f14_writers_of_two_processes_wait_for_each_other_and_lose_nothing() {
    let database = TestDatabase::new(Database::Sqlite).await;
    let plan = Plan::on(&database).with("password.hash_queue_max", 1000);
    let nodes = [plan.start().await, plan.start().await];
    let clients = [nodes[0].client(), nodes[1].client()];

    let names: Vec<String> = (0..100).map(|number| format!("user-{number}")).collect();
    let started = join_all(names.iter().enumerate().map(async |(number, name)| {
        let made = clients[number % 2].signup(name).await;
        assert_eq!(made.status, 201, "{made:?}");
        clients[(number + 1) % 2].login(name, PASSWORD).await
    }));
    let pairs = started.await;
    let renamed = join_all(pairs.iter().enumerate().map(async |(number, pair)| {
        assert_eq!(pair.status, 200, "{pair:?}");
        let client = &clients[number % 2];
        let body = json!({"username": format!("renamed-{number}")});
        let request = client.request(Method::PATCH, "/v1/me").bearer_auth(pair.access());
        (client.send(request.json(&body)).await, client.refresh(pair.refresh_token(), None).await)
    }));
    for (number, (change, next)) in renamed.await.into_iter().enumerate() {
        assert_eq!(change.status, 200, "{change:?}");
        assert_eq!(next.status, 200, "{next:?}");
        let me = clients[(number + 1) % 2].me(next.access()).await;
        assert_eq!(me.body["username"], format!("renamed-{number}"));
    }
}

/// Row F14: another process holds the write lock for a while.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f14_a_lock_of_another_process_delays_writers_and_no_reader() {
    let database = TestDatabase::new(Database::Sqlite).await;
    let node = Plan::on(&database).start().await;
    let client = node.client();
    let pair = client.begin("ada").await;

    let mut sqlite = Command::new("sqlite3");
    let sqlite = sqlite.arg(database.folder.path().join("gateward.db"));
    let script = ["BEGIN IMMEDIATE", ".shell echo locked", ".shell sleep 2", "COMMIT"];
    let holder = sqlite.args(script).stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let Ok(mut holder) = holder else {
        not_checked("f14: a lock of another process: sqlite3 is not here to hold it");
        return;
    };
    let mut told = [0; 6];
    holder.stdout.as_mut().unwrap().read_exact(&mut told).unwrap();
    assert_eq!(&told, b"locked");

    let started = Instant::now();
    assert_eq!(client.me(pair.access()).await.status, 200);
    assert!(
        started.elapsed() < Duration::from_millis(500),
        "a reader waits: {:?}",
        started.elapsed()
    );
    let next = client.refresh(pair.refresh_token(), None).await;
    assert_eq!(next.status, 200, "{next:?}");
    assert!(started.elapsed() > Duration::from_secs(1), "the lock was not held");
    assert!(holder.wait().unwrap().success());
}
