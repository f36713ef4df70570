//! Racing refreshes of one token, on two nodes.

use std::collections::HashSet;
use std::sync::Arc;

use gateward_e2e::{Database, TestResponse, claims, on_both};
use tokio::sync::Barrier;

use crate::support::pair::{Pair, together};

on_both!(
    r1_of_racing_refreshes_one_makes_the_successor,
    r1_racing_refreshes_with_one_key_get_the_same_successor,
    r2_after_a_race_only_the_one_chain_goes_on,
);

/// Sends one token many times at once, half of them to each node.
async fn race(
    pair: &Pair,
    token: &str,
    key: Option<&'static str>,
    count: usize,
) -> Vec<TestResponse> {
    let clients = pair.clients();
    let barrier = Arc::new(Barrier::new(count));
    together((0..count).map(|number| {
        let client = clients[number % 2].clone();
        let (barrier, token) = (Arc::clone(&barrier), token.to_owned());
        async move {
            // Opens a connection, so that only the request itself follows the barrier.
            assert_eq!(client.get("/health/live").await.status, 200);
            barrier.wait().await;
            client.refresh(&token, key).await
        }
    }))
    .await
}

/// Asserts that all have the same successor, and returns it.
fn one_successor(responses: &[TestResponse]) -> &TestResponse {
    for response in responses {
        assert_eq!(response.status, 200, "{response:?}");
    }
    let successors: HashSet<&str> = responses.iter().map(TestResponse::refresh_token).collect();
    assert_eq!(successors.len(), 1, "one token has more than one successor");
    assert_eq!(claims(responses[0].refresh_token())["gen"], 2);
    let fresh: HashSet<&str> = responses.iter().map(TestResponse::access).collect();
    assert_eq!(fresh.len(), responses.len(), "each answer has an access token of its own");
    &responses[0]
}

async fn of_a_hundred(kind: Database, key: Option<&'static str>) {
    let pair = Pair::start(kind, &[]).await;
    let client = &pair.clients()[0];
    let first = client.begin("ada").await;
    let responses = race(&pair, first.refresh_token(), key, 100).await;
    let successor = one_successor(&responses);
    for response in [&first, &responses[1], &responses[99]] {
        pair.is_alive(response).await;
    }
    assert_eq!(client.refresh(successor.refresh_token(), key).await.status, 200);
}

/// Row R1: without a key, inside the leeway.
async fn r1_of_racing_refreshes_one_makes_the_successor(kind: Database) {
    of_a_hundred(kind, None).await;
}

/// Row R1: the same with one key for all.
async fn r1_racing_refreshes_with_one_key_get_the_same_successor(kind: Database) {
    of_a_hundred(kind, Some("one-key-for-all-of-them")).await;
}

/// Row R2: the successor works. Every other token is used, and sending it ends the session.
async fn r2_after_a_race_only_the_one_chain_goes_on(kind: Database) {
    let pair = Pair::start(kind, &[]).await;
    let [one, other] = pair.clients();
    let first = one.begin("ada").await;
    let responses = race(&pair, first.refresh_token(), None, 20).await;
    let second = one_successor(&responses);
    let third = other.refresh(second.refresh_token(), None).await;
    assert_eq!(third.status, 200);
    let fourth = one.refresh(third.refresh_token(), None).await;
    assert_eq!(fourth.status, 200);
    pair.is_alive(&fourth).await;

    other.refresh(first.refresh_token(), None).await.is(401, "refresh_token_reused");
    pair.has_ended("refresh_token_reused", &[&first, second, &third, &fourth]).await;
}
