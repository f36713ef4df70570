//! The metrics of a node.

use std::time::{Duration, Instant};

use gateward_e2e::{Client, Node};

use crate::support::mail_fixture::PATIENCE;

/// A value of `/metrics`.
pub(crate) async fn metric(node: &Node, name: &str) -> Option<f64> {
    let page = Client::new(&node.ops_url).get("/metrics").await;
    assert_eq!(page.status, 200);
    let rest = page.text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    rest.map(|number| number.parse().unwrap())
}

/// How many tries had this outcome.
pub(crate) async fn tried(node: &Node, outcome: &str) -> f64 {
    metric(node, &format!("gateward_mail_total{{outcome=\"{outcome}\"}}")).await.unwrap_or(0.0)
}

/// Waits until an SMTP server has accepted this many emails of a node.
pub(crate) async fn wait_until_sent(node: &Node, count: u32, patience: Duration) {
    let started = Instant::now();
    while tried(node, "sent").await < f64::from(count) {
        assert!(started.elapsed() < patience, "{} of {count}", tried(node, "sent").await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Waits until a gauge, which is set four times a minute, has a value.
pub(crate) async fn wait_for_gauge(node: &Node, name: &str, good: impl Fn(f64) -> bool) {
    let started = Instant::now();
    while !metric(node, name).await.is_some_and(&good) {
        assert!(started.elapsed() < PATIENCE, "{name}: {:?}", metric(node, name).await);
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}
