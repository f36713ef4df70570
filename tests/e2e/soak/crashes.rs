//! Nodes that die or are replaced under load: rows F10 and F12.

use std::time::Duration;

use gateward_e2e::{Database, on_both, rounds};
use rustix::process::Signal;

use crate::support::honest::{Honest, Load};
use crate::support::pair::Pair;

on_both!(
    f10_a_node_killed_under_load_takes_nothing_back_that_was_acknowledged,
    f12_a_rolling_restart_fails_no_operation_of_a_client_that_tries_the_other_node,
);

/// How many clients there are.
const CLIENTS: usize = 6;

/// How many times a node is killed.
const KILLS: u64 = 6;

/// How many times a node is replaced.
const RESTARTS: usize = 4;

/// Asserts that every acknowledged change survived, and that there were some.
async fn check(pair: &Pair, clients: &mut [Honest]) {
    let nodes = pair.clients();
    for client in &mut *clients {
        client.check(&nodes).await;
    }
    let refreshes: u32 = clients.iter().map(|client| client.refreshes).sum();
    let signed_up: usize = clients.iter().map(|client| client.signed_up.len()).sum();
    let logged_out: usize = clients.iter().map(|client| client.logged_out.len()).sum();
    assert!(refreshes > 50 && signed_up > 5 && logged_out > 5, "that was no load");
}

/// Row F10: kills at random moments, one node at a time.
async fn f10_a_node_killed_under_load_takes_nothing_back_that_was_acknowledged(kind: Database) {
    let mut pair = Pair::processes(kind, &[]).await;
    let load = Load::begin(&pair.nodes, CLIENTS).await;
    for kill in 0..rounds(KILLS) {
        // Different intervals, the same in every run.
        tokio::time::sleep(Duration::from_millis(200 + kill * 7919 % 400)).await;
        let number = usize::from(kill * 31 % 7 > 2);
        pair.nodes[number].kill();
        pair.nodes[number] = pair.plan.start().await;
        load.moved(number, &pair.nodes[number].url);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut clients = load.end().await;
    assert!(clients.iter().any(|client| client.attempts_max > 1), "no client has noticed anything");
    check(&pair, &mut clients).await;
}

/// Row F12: each node is stopped and replaced, in turn.
async fn f12_a_rolling_restart_fails_no_operation_of_a_client_that_tries_the_other_node(
    kind: Database,
) {
    let mut pair = Pair::processes(kind, &[]).await;
    let load = Load::begin(&pair.nodes, CLIENTS).await;
    for restart in 0..rounds(RESTARTS) {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let node = &mut pair.nodes[restart % 2];
        node.signal(Signal::TERM);
        let status = node.ended().await;
        assert!(status.success(), "{status}");
        pair.nodes[restart % 2] = pair.plan.start().await;
        load.moved(restart % 2, &pair.nodes[restart % 2].url);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut clients = load.end().await;
    for client in &clients {
        assert!(client.attempts_max <= 3, "{} tries for one operation", client.attempts_max);
    }
    check(&pair, &mut clients).await;
}
