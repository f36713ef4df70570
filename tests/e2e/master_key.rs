//! Changing the master key: rewrapping the keys while nodes run, and nodes with the wrong key. Row
//! F35.

use std::io::Write;
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gateward_e2e::{
    Client, Database, MASTER_KEY, Node, PASSWORD, Plan, TestDatabase, TestResponse, eventually,
    on_both, run,
};
use rustix::process::Signal;
use serde_json::json;
use tokio::sync::RwLock;

use crate::support::commands::{complained, said};

on_both!(
    f35_the_master_key_is_changed_without_an_interruption,
    f35_a_node_with_the_old_master_key_says_so_and_serves_on,
    f35_a_wrong_previous_master_key_changes_nothing,
);

/// The new master key.
const NEW: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// A master key that never encrypted a key.
const WRONG: &str = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=";

/// How long a node may take to notice the change, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// A node with this master key, and perhaps the previous one.
fn plan(database: &TestDatabase, present: &str, previous: Option<&str>) -> Plan {
    let plan = Plan::on(database).with("keys.master_key", present);
    match previous {
        Some(previous) => plan.with("keys.previous_master_key", previous),
        None => plan,
    }
}

fn rewrap(plan: &Plan) -> Output {
    run(plan, &["keys", "rewrap"], "")
}

/// Two nodes behind a load balancer, which sends each request to a node that it knows.
struct Balancer {
    nodes: RwLock<[Node; 2]>,
    stop: AtomicBool,
}

impl Balancer {
    async fn start(plan: &Plan) -> Arc<Self> {
        let nodes = RwLock::new([plan.start().await, plan.start().await]);
        Arc::new(Self { nodes, stop: AtomicBool::new(false) })
    }

    /// Replaces each node with a new one, one at a time.
    async fn replace_nodes(&self, plan: &Plan) {
        for number in 0..2 {
            let new = plan.start().await;
            // Waits until no request is running.
            let mut old = std::mem::replace(&mut self.nodes.write().await[number], new);
            old.signal(Signal::TERM);
            assert!(old.ended().await.success());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Asserts that every node is ready.
    async fn is_ready(&self) {
        for node in &*self.nodes.read().await {
            let ready = node.client().get("/health/ready").await;
            assert_eq!(ready.status, 200, "{ready:?}: {}", node.log());
        }
    }

    /// Logs in, calls and refreshes in turn on both nodes until stopped; no request is refused.
    /// Returns the number of rounds.
    async fn busy(&self, session: TestResponse) -> usize {
        let (mut session, mut count) = (session, 0);
        while !self.stop.load(Ordering::Relaxed) {
            count += 1;
            let nodes = self.nodes.read().await;
            let client = nodes[count % 2].client();
            let me = client.me(session.access()).await;
            assert_eq!(me.status, 200, "{me:?}");
            session = client.refresh(session.refresh_token(), None).await;
            assert_eq!(session.status, 200, "{session:?}");
            let other = nodes[(count + 1) % 2].client();
            let login = other.login("ada", PASSWORD).await;
            assert_eq!(login.status, 200, "{login:?}");
            assert_eq!(client.me(login.access()).await.status, 200);
            drop(nodes);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        count
    }
}

/// Row F35: the order of steps for an operator. Logged-in users notice nothing.
async fn f35_the_master_key_is_changed_without_an_interruption(kind: Database) {
    let database = TestDatabase::new(kind).await;
    let balancer = Balancer::start(&plan(&database, MASTER_KEY, None)).await;
    let client = balancer.nodes.read().await[0].client();
    let ada = client.begin("ada").await;
    let before = said(&run(&plan(&database, MASTER_KEY, None), &["keys", "list"], ""));
    let beside = Arc::clone(&balancer);
    let busy = tokio::spawn(async move { beside.busy(ada).await });

    let both = plan(&database, NEW, Some(MASTER_KEY));
    balancer.replace_nodes(&both).await;
    balancer.is_ready().await;
    let told = said(&rewrap(&both));
    assert!(told.starts_with("Wrapped 4 keys with keys.master_key."), "{told}");
    assert!(told.contains("remove keys.previous_master_key"), "{told}");
    balancer.is_ready().await;
    let new_alone = plan(&database, NEW, None);
    balancer.replace_nodes(&new_alone).await;
    balancer.is_ready().await;

    balancer.stop.store(true, Ordering::Relaxed);
    let count = busy.await.expect("nothing is refused");
    let _ = writeln!(
        std::io::stderr(),
        "{kind:?}: {count} rounds of login, call and refresh meanwhile"
    );
    assert!(count > 10, "{count}");
    assert_eq!(said(&run(&new_alone, &["keys", "list"], "")), before, "the keys are the same");
    // The previous key no longer opens anything.
    let complaint = complained(&run(&plan(&database, MASTER_KEY, None), &["keys", "list"], ""));
    assert!(complaint.contains("keys.master_key does not match this database"), "{complaint}");
}

/// Row F35: it continues with its decrypted keys, becomes unready once the load balancer has
/// noticed, and does not start again.
async fn f35_a_node_with_the_old_master_key_says_so_and_serves_on(kind: Database) {
    let database = TestDatabase::new(kind).await;
    let old = plan(&database, MASTER_KEY, None);
    let mut node = old.start().await;
    let client = node.client();
    let ada = client.begin("ada").await;
    let both = plan(&database, NEW, Some(MASTER_KEY));
    said(&rewrap(&both));

    becomes_unready(&client).await;
    node.wait_for_text("keys.master_key does not match the database").await;
    assert_eq!(client.get("/health/live").await.status, 200);
    assert_eq!(client.me(ada.access()).await.status, 200);
    let next = client.refresh(ada.refresh_token(), None).await;
    assert_eq!(next.status, 200, "{next:?}");
    let late = client.login("ada", PASSWORD).await;
    assert_eq!(late.status, 200, "{late:?}");

    // Its signatures are valid on other nodes, for the keys are the same, and its invalidation
    // events arrive.
    let other = both.start().await;
    for pair in [&next, &late] {
        assert_eq!(other.client().me(pair.access()).await.status, 200);
    }
    let next = other.client().refresh(next.refresh_token(), None).await;
    assert_eq!(next.status, 200, "{next:?}");
    let all = other.client().post_as(next.access(), "/v1/logout-all", &json!({})).await;
    assert_eq!(all.status, 204, "{all:?}");
    ends_everywhere(&[&client, &other.client()], &late).await;

    let mut again = old.launch();
    assert_eq!(again.ended().await.code(), Some(1));
    let log = again.log();
    assert!(log.contains("keys.master_key does not match this database"), "{log}");
    for command in [&["keys", "list"][..], &["keys", "rewrap"], &["keys", "rotate"]] {
        let complaint = complained(&run(&old, command, ""));
        assert!(complaint.contains("keys.master_key does not match this database"), "{complaint}");
    }
    assert_eq!(other.client().get("/health/ready").await.status, 200);
}

async fn becomes_unready(client: &Client) {
    let ready = eventually(PATIENCE, async || {
        let ready = client.get("/health/ready").await;
        if ready.status == 503 { Ok(ready) } else { Err(format!("{ready:?}")) }
    });
    ready.await.is(503, "unavailable");
}

async fn ends_everywhere(clients: &[&Client], pair: &TestResponse) {
    let started = Instant::now();
    for client in clients {
        while client.me(pair.access()).await.status == 200 {
            assert!(started.elapsed() < PATIENCE, "{} does not hear of it", client.url);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        client.me(pair.access()).await.is(401, "session_ended");
    }
}

/// Row F35: no key is encrypted that could not be decrypted, and a node with the wrong key does not
/// start.
async fn f35_a_wrong_previous_master_key_changes_nothing(kind: Database) {
    let database = TestDatabase::new(kind).await;
    let right = plan(&database, MASTER_KEY, None);
    let node = right.start().await;
    let ada = node.client().begin("ada").await;
    let before = said(&run(&right, &["keys", "list"], ""));
    assert_eq!(before.matches(" signing ").count(), 4, "{before}");

    for wrong in [plan(&database, NEW, Some(WRONG)), plan(&database, WRONG, None)] {
        let complaint = complained(&rewrap(&wrong));
        assert!(complaint.contains("keys.master_key does not match this database"), "{complaint}");
        assert!(!complaint.contains(NEW) && !complaint.contains(WRONG), "{complaint}");
        let mut never = wrong.launch();
        assert_eq!(never.ended().await.code(), Some(1));
        assert!(never.log().contains("keys.master_key does not match"), "{}", never.log());
    }
    for (present, previous, complaint) in [
        (MASTER_KEY, MASTER_KEY, "is the same as keys.master_key"),
        (MASTER_KEY, "short", "keys.previous_master_key is invalid"),
    ] {
        let said = complained(&rewrap(&plan(&database, present, Some(previous))));
        assert!(said.contains(complaint), "{said}");
    }
    // An unneeded previous key does no harm, and rewrapping is idempotent.
    let told = said(&rewrap(&plan(&database, MASTER_KEY, Some(WRONG))));
    assert!(told.starts_with("Wrapped 4 keys"), "{told}");
    assert_eq!(said(&run(&right, &["keys", "list"], "")), before);
    let client = node.client();
    assert_eq!(client.get("/health/ready").await.status, 200);
    assert_eq!(client.me(ada.access()).await.status, 200);
    assert_eq!(client.refresh(ada.refresh_token(), None).await.status, 200);
}
