//! Row F11: SIGTERM. Running requests finish, new ones are refused, and the process ends with 0.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use gateward_e2e::{Database, PASSWORD, Plan, TestDatabase, Wire, on_both};
use rustix::process::Signal;
use tokio::net::TcpStream;

on_both!(f11_a_stop_finishes_what_runs_and_refuses_what_is_new);

/// How many logins wait for the hasher when the signal arrives.
const LOGINS: u32 = 40;

/// Row F11: queued hashes, a slow body, and an idle connection.
async fn f11_a_stop_finishes_what_runs_and_refuses_what_is_new(kind: Database) {
    let database = TestDatabase::new(kind).await;
    let plan =
        Plan::on(&database).with("password.hash_threads", 1).with("password.argon2_iterations", 4);
    let mut node = plan.start().await;
    let client = node.client();
    assert_eq!(client.signup("ada").await.status, 201);

    let mut idle = Wire::open(&node.url).await;
    idle.send(b"GET /health/ready HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(idle.read_checkpoint(Duration::from_secs(5)).await.statuses(), [200]);
    let mut slow = Wire::open(&node.url).await;
    let body = r#"{"username":"bob","email":"bob@example.org","password":"correct horse battery"}"#;
    let head = format!(
        "POST /v1/signup HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: \
         {}\r\n\r\n",
        body.len()
    );
    slow.send(head.as_bytes()).await;
    slow.send(&body.as_bytes()[..20]).await;
    let logins = tokio::spawn({
        let client = client.clone();
        async move { join_all((0..LOGINS).map(|_| client.login("ada", PASSWORD))).await }
    });
    wait_for_a_queue(&node.ops_url).await;

    let started = Instant::now();
    node.signal(Signal::TERM);
    node.wait_for_line("stopping").await;
    let address = node.url.strip_prefix("http://").unwrap().to_owned();
    while TcpStream::connect(&address).await.is_ok() {
        assert!(started.elapsed() < Duration::from_secs(1), "new connections are still accepted");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // A request on an old connection gets a response that closes it, or finds it closed.
    idle.send(b"GET /health/ready HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let ready = idle.read_for(Duration::from_millis(300)).await;
    assert!(ready.text.is_empty() || ready.statuses() == [503], "{ready:?}");

    slow.send(&body.as_bytes()[20..]).await;
    let made = slow.read_for(Duration::from_secs(20)).await;
    assert_eq!(made.statuses(), [201], "{made:?}");
    for login in logins.await.unwrap() {
        assert_eq!(login.status, 200, "{login:?}");
    }
    assert_eq!(node.ended().await.code(), Some(0), "{}", node.log());
    let took = started.elapsed();
    assert!(took < Duration::from_secs(30), "{took:?}");
    assert_eq!(node.lines("stopped").len(), 1);

    let node = plan.start().await;
    assert_eq!(node.client().login("bob", PASSWORD).await.status, 200);
}

/// Waits until the node has read all logins, while passwords still wait to be hashed.
async fn wait_for_a_queue(ops_url: &str) {
    for _ in 0..500 {
        let page = reqwest::get(format!("{ops_url}/metrics")).await.unwrap().text().await.unwrap();
        let value = |name: &str| -> f64 {
            let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.expect(name).parse().unwrap()
        };
        let waiting = value("gateward_hash_queue_length");
        let done = value("gateward_logins_total{outcome=\"succeeded\"}");
        let read = waiting + value("gateward_hash_threads_busy") + done;
        if waiting > 5.0 && read >= f64::from(LOGINS) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("no login waits for the hasher");
}

/// Row F11: an idle node with an idle connection stops at once, on either signal.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f11_an_idle_node_ends_at_once() {
    for signal in [Signal::TERM, Signal::INT] {
        let database = TestDatabase::new(Database::Sqlite).await;
        let mut node = Plan::on(&database).start().await;
        let client = node.client();
        assert_eq!(client.get("/health/live").await.status, 200);
        let started = Instant::now();
        node.signal(signal);
        assert_eq!(node.ended().await.code(), Some(0), "{}", node.log());
        assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
        drop(client);
    }
}
