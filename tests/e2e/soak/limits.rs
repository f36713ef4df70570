//! A node without file descriptors, and with a log that is not read: rows F33 and F34.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use gateward_e2e::{Client, Database, PASSWORD, Plan, TestDatabase, eventually, on_both};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::net::TcpStream;

on_both!(f33_a_node_with_few_descriptors_sheds_lives_and_recovers);

/// Row F33: 64 descriptors, and three times as many connections.
async fn f33_a_node_with_few_descriptors_sheds_lives_and_recovers(kind: Database) {
    let database = TestDatabase::new(kind).await;
    let mut plan = Plan::on(&database);
    plan.wrapper = ["sh", "-c", "ulimit -n 64; exec \"$0\" \"$@\""].map(str::to_owned).into();
    let mut node = plan.start().await;
    node.wait_for_line("open-file limit is low; raise `ulimit -n`").await;
    let client = node.client();
    let pair = client.begin("ada").await;

    let address = node.url.strip_prefix("http://").unwrap().to_owned();
    let held = join_all((0..192).map(|_| TcpStream::connect(address.clone()))).await;
    assert!(held.iter().any(Result::is_ok));
    // Accepted clients are served. Others wait or are closed, within a bound.
    let requests = join_all((0..8).map(async |_| {
        let request = Client::new(&node.url).request(reqwest::Method::GET, "/v1/me");
        let request = request.bearer_auth(pair.access()).timeout(Duration::from_secs(1));
        client.try_send(request).await
    }));
    for response in requests.await.into_iter().flatten() {
        assert!([200, 503].contains(&response.status.as_u16()), "{response:?}");
    }
    // Connected clients are still served.
    let next = client.refresh(pair.refresh_token(), None).await;
    assert_eq!(next.status, 200, "{next:?}");

    drop(held);
    let me = eventually(Duration::from_secs(10), async || {
        let request = Client::new(&node.url).request(reqwest::Method::GET, "/v1/me");
        let request = request.bearer_auth(pair.access()).timeout(Duration::from_secs(1));
        client.try_send(request).await.map_err(|_| node.log())
    });
    let me = me.await;
    assert_eq!(me.status, 200, "{me:?}");
    assert_eq!(client.login("ada", PASSWORD).await.status, 200);
    node.signal(Signal::TERM);
    assert_eq!(node.ended().await.code(), Some(0), "{}", node.log());
}

/// How many requests fill the pipe and the queue of lines behind it.
const REQUESTS: usize = 20_000;

/// Row F34: the pipe for the log is full. Requests continue as before, and so does a stop.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f34_a_log_that_nobody_reads_delays_no_request() {
    let database = TestDatabase::new(Database::Sqlite).await;
    let plan = Plan::on(&database).with("log.level", "trace");
    let mut command = plan.command();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    // Kept open, and not read after the first line.
    let mut log = BufReader::with_capacity(1, child.stdout.take().unwrap());
    let mut url = None;
    while url.is_none() {
        let mut line = String::new();
        assert!(log.read_line(&mut line).unwrap() > 0, "the node has ended");
        let line: Value = serde_json::from_str(&line).unwrap();
        url = line["address"].as_str().map(|address| format!("http://{address}"));
    }
    let client = Client::new(&url.unwrap());
    let pair = client.begin("ada").await;

    let slowest = join_all((0..16).map(async |_| {
        let mut slowest = Duration::ZERO;
        for _ in 0..REQUESTS / 16 {
            let started = Instant::now();
            assert_eq!(client.get("/health/live").await.status, 200);
            slowest = slowest.max(started.elapsed());
        }
        slowest
    }));
    let slowest = slowest.await.into_iter().max().unwrap();
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    let next = client.refresh(pair.refresh_token(), None).await;
    assert_eq!(next.status, 200, "{next:?}");

    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    let status = eventually(Duration::from_secs(10), async || {
        child.try_wait().unwrap().ok_or_else(|| "it does not end".to_owned())
    });
    assert_eq!(status.await.code(), Some(0));
}
