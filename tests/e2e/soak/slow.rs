//! Slow clients: row W8.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use gateward_e2e::{PASSWORD, RawResponse, Wire};

use crate::support::test_server::TestServer;

/// How many clients of each kind are slow at once.
const CLIENTS: usize = 75;

/// A request that starts like this and continues with these bytes, one at a time.
const KINDS: [(&str, &str); 4] = [
    // Slowloris: the head never ends.
    ("GET /health/live HTTP/1.1\r\nHost: x\r\n", "X-Header: slow\r\n"),
    // R.U.D.Y.: the body never ends.
    (
        "POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n",
        "{\"identifier\": \"",
    ),
    // The same in chunks, and for an endpoint that does not read it.
    (
        "POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
        "1\r\n \r\n",
    ),
    (
        "POST /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n",
        "1\r\nx\r\n",
    ),
];

/// Sends a byte now and then until the node closes the connection. Returns the response and how
/// long it took.
async fn drip(url: &str, (head, rest): (&str, &str)) -> (RawResponse, Duration) {
    let started = Instant::now();
    let mut wire = Wire::open(url).await;
    wire.send(head.as_bytes()).await;
    let mut text = String::new();
    for byte in rest.bytes().cycle() {
        if !wire.send(&[byte]).await {
            break;
        }
        let some = wire.read_for(Duration::from_millis(400)).await;
        text += &some.text;
        if some.closed || started.elapsed() > Duration::from_secs(20) {
            break;
        }
    }
    (RawResponse { text, closed: true }, started.elapsed())
}

/// Row W8: slow clients are cut off, the head after five seconds and the body after ten, without an
/// effect on others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn w8_slow_clients_are_cut_off_while_others_are_served() {
    let server = TestServer::new().await;
    server.client.signup("ada").await;
    let slow = (0..CLIENTS * KINDS.len()).map(|number| {
        let (url, kind) = (server.node.url.clone(), number % KINDS.len());
        tokio::spawn(async move { (kind, drip(&url, KINDS[kind]).await) })
    });
    let slow: Vec<_> = slow.collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut times = Vec::new();
    for _ in 0..40 {
        let started = Instant::now();
        assert_eq!(server.client.login("ada", PASSWORD).await.status, 200);
        times.push(started.elapsed());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    times.sort_unstable();
    // Generous, because other tests keep the machine busy.
    assert!(times[times.len() / 2] < Duration::from_millis(500), "{times:?}");

    for ended in join_all(slow).await {
        let (kind, (response, elapsed)) = ended.unwrap();
        let (status, seconds) = [(408, 5), (400, 10), (400, 10), (404, 0)][kind];
        assert!(response.statuses().first().is_none_or(|found| *found == status), "{response:?}");
        // Five seconds more, in which the node waits for the client to close.
        assert!(elapsed < Duration::from_secs(seconds + 8), "kind {kind}: {elapsed:?}");
        // The node's timers use a time that it updates twice a second, or later on a busy machine.
        assert!(elapsed > Duration::from_secs(seconds / 5), "kind {kind}: {elapsed:?}");
    }
    server.works("ada").await;
}
