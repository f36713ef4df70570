//! The database is down when a node starts, and goes away later.

use std::time::{Duration, Instant};

use gateward_e2e::{Database, Node, Plan, TestDatabase};
use reqwest::StatusCode;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A proxy between a node and the real database server, which can be opened and closed.
struct Door {
    address: String,
    server: String,
}

impl Door {
    /// Opens it: connections go through to the server.
    async fn open(&self) -> JoinHandle<()> {
        let listener = TcpListener::bind(&self.address).await.unwrap();
        let server = self.server.clone();
        tokio::spawn(async move {
            // Dropped with this task, which closes every connection.
            let mut streams = tokio::task::JoinSet::new();
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                let server = server.clone();
                streams.spawn(async move {
                    let mut server = TcpStream::connect(server).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                });
            }
        })
    }
}

/// A node whose database proxy is closed.
async fn behind_a_door(database: &TestDatabase) -> (Plan, Door) {
    let (start, rest) = database.url.split_once('@').unwrap();
    let (server, path) = rest.split_once('/').unwrap();
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let plan = Plan::on(database).with("database.url", format!("{start}@{port}/{path}"));
    (Plan { wait: false, ..plan }, Door { address: port.to_string(), server: server.to_owned() })
}

async fn ready(node: &Node) -> StatusCode {
    node.client().get("/health/ready").await.status
}

async fn becomes(node: &Node, status: u16) {
    for _ in 0..150 {
        if ready(node).await == status {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("/health/ready does not become {status}: {}", node.log());
}

/// Row F1: a node that starts before its database waits for it, and accepts no credentials
/// meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f1_a_node_that_starts_before_its_database_becomes_ready_with_it() {
    let database = TestDatabase::new(Database::Postgres).await;
    let (plan, door) = behind_a_door(&database).await;
    let mut node = plan.start().await;
    let client = node.client();
    assert_eq!(client.get("/health/live").await.status, 200);
    client.get("/health/ready").await.is(503, "unavailable");
    client.signup("ada").await.is(503, "unavailable");
    client.me("e30.e30.e30").await.is_problem();
    node.wait_for_line("not ready, database unavailable").await;
    assert!(node.lines("ready").is_empty());

    let open = door.open().await;
    let started = Instant::now();
    becomes(&node, 200).await;
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    node.wait_for_line("ready").await;
    let pair = client.begin("ada").await;

    open.abort();
    assert!(open.await.unwrap_err().is_cancelled());
    becomes(&node, 503).await;
    client.me(pair.access()).await.is(503, "unavailable");
    client.refresh(pair.refresh_token(), None).await.is(503, "unavailable");
    assert_eq!(client.get("/health/live").await.status, 200);

    let _open = door.open().await;
    becomes(&node, 200).await;
    assert_eq!(client.me(pair.access()).await.status, 200);
    assert_eq!(client.refresh(pair.refresh_token(), None).await.status, 200);
}

/// A node that only later finds a database of another issuer is not ready, and says why.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_of_another_issuer_that_appears_later_is_not_used() {
    let database = TestDatabase::new(Database::Postgres).await;
    Plan::on(&database).start().await;
    let (plan, door) = behind_a_door(&database).await;
    let mut node = plan.with("tokens.issuer", "https://other.example").start().await;
    let _open = door.open().await;
    let line = node.wait_for_line("not ready, operator action required").await;
    assert!(line["cause"].as_str().unwrap().contains("tokens.issuer does not match"), "{line}");
    assert_eq!(ready(&node).await, 503);
    assert!(node.lines("ready").is_empty());
}
