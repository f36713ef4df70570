//! The metrics of a node.

use std::time::Duration;

use gateward_e2e::{Client, Node, eventually};

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
    eventually(patience, async || {
        let sent = tried(node, "sent").await;
        if sent >= f64::from(count) { Ok(()) } else { Err(format!("{sent} of {count}")) }
    })
    .await;
}

/// Waits until a gauge, which is set four times a minute, has a value.
pub(crate) async fn wait_for_gauge(node: &Node, name: &str, good: impl Fn(f64) -> bool) {
    eventually(PATIENCE, async || match metric(node, name).await {
        Some(value) if good(value) => Ok(()),
        value => Err(format!("{name}: {value:?}")),
    })
    .await;
}
