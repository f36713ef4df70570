//! Replays of used refresh tokens.

use std::time::Duration;

use gateward_e2e::{Client, Database, TestResponse, claims, on_both};

use crate::support::pair::Pair;

on_both!(
    r4_a_replay_after_the_leeway_ends_the_session,
    r4_a_replay_after_the_successor_was_shown_ends_the_session,
    r4_a_replay_with_another_key_or_none_ends_the_session,
    r6_a_replay_on_the_other_node_ends_the_session,
    r9_a_replay_after_a_crash_of_all_nodes_ends_the_session,
    two_tabs_that_do_not_read_the_shared_place_log_themselves_out,
);

/// A short leeway.
const SHORT: &[(&str, &str)] = &[("tokens.refresh_leeway_seconds", "1")];

/// Longer than that leeway.
const PAST_LEEWAY: Duration = Duration::from_millis(1200);

/// Refreshes, which must succeed.
async fn next(client: &Client, pair: &TestResponse, key: Option<&str>) -> TestResponse {
    let next = client.refresh(pair.refresh_token(), key).await;
    assert_eq!(next.status, 200, "{next:?}");
    next
}

/// Asserts that sending this pair's token now ends the session.
async fn is_replay(client: &Client, pair: &TestResponse, key: Option<&str>) {
    client.refresh(pair.refresh_token(), key).await.is(401, "refresh_token_reused");
}

/// How many events record the end of the pair's session by a replay. Postgres only.
async fn ends_told(pair: &Pair, of: &TestResponse) -> i64 {
    let sql = "SELECT count(*) FROM events WHERE session_id::text = $1 \
               AND kind = 'session_ended' AND reason = 'refresh_token_reused'";
    let session_id = of.text_of("session_id");
    pair.database.postgres().await.query_one(sql, &[&session_id]).await.unwrap().get(0)
}

/// Row R4: after the leeway, a used token without a key is a replay.
async fn r4_a_replay_after_the_leeway_ends_the_session(kind: Database) {
    let pair = Pair::start(kind, SHORT).await;
    let [one, _] = pair.clients();
    let first = one.begin("ada").await;
    let second = next(&one, &first, None).await;
    tokio::time::sleep(PAST_LEEWAY).await;
    is_replay(&one, &first, None).await;
    pair.has_ended("refresh_token_reused", &[&first, &second]).await;
    if kind == Database::Postgres {
        assert_eq!(ends_told(&pair, &first).await, 1, "told once, however often it is shown");
    }
    // The owner can log in again.
    assert_eq!(one.login("ada", gateward_e2e::PASSWORD).await.status, 200);
}

/// Row R4: once the successor was used, neither leeway nor key helps the token before it.
async fn r4_a_replay_after_the_successor_was_shown_ends_the_session(kind: Database) {
    let pair = Pair::start(kind, &[]).await;
    let [one, other] = pair.clients();
    assert_eq!(one.signup("ada").await.status, 201);
    for key in [None, Some("the-key-of-the-first-token")] {
        let first = one.login("ada", gateward_e2e::PASSWORD).await;
        let bystander = other.login("ada", gateward_e2e::PASSWORD).await;
        let second = next(&one, &first, key).await;
        let third = next(&one, &second, Some("the-key-of-the-second-token")).await;
        is_replay(&one, &first, key).await;
        pair.has_ended("refresh_token_reused", &[&first, &second, &third]).await;
        // Another session of the same user is unaffected.
        pair.is_alive(&bystander).await;
        next(&other, &bystander, None).await;
    }
}

/// Row R4: inside the leeway, another key than the first one means another client.
async fn r4_a_replay_with_another_key_or_none_ends_the_session(kind: Database) {
    let pair = Pair::start(kind, &[]).await;
    let [one, _] = pair.clients();
    assert_eq!(one.signup("ada").await.status, 201);
    for (first_key, then_key) in [
        (Some("the-key-of-the-owner"), Some("the-key-of-the-thief")),
        (Some("the-key-of-the-owner"), None),
        (None, Some("the-key-of-the-thief")),
    ] {
        let first = one.login("ada", gateward_e2e::PASSWORD).await;
        let second = next(&one, &first, first_key).await;
        is_replay(&one, &first, then_key).await;
        pair.has_ended("refresh_token_reused", &[&first, &second]).await;
    }
}

/// Row R6: the other node knows the used tokens of this one.
async fn r6_a_replay_on_the_other_node_ends_the_session(kind: Database) {
    let pair = Pair::start(kind, SHORT).await;
    let [one, other] = pair.clients();
    let first = one.begin("ada").await;
    let second = next(&one, &first, None).await;
    tokio::time::sleep(PAST_LEEWAY).await;
    is_replay(&other, &first, None).await;
    pair.has_ended("refresh_token_reused", &[&first, &second]).await;
}

/// Row R9: used tokens, and sessions that a replay has ended, stay so after a crash of all nodes.
async fn r9_a_replay_after_a_crash_of_all_nodes_ends_the_session(kind: Database) {
    let mut pair = Pair::processes(kind, SHORT).await;
    let [one, _] = pair.clients();
    let first = one.begin("ada").await;
    let second = next(&one, &first, None).await;
    let other_first = one.login("ada", gateward_e2e::PASSWORD).await;
    let other_second = next(&one, &other_first, None).await;
    let other_third = next(&one, &other_second, None).await;

    pair.crash().await;
    tokio::time::sleep(PAST_LEEWAY).await;
    let [one, other] = pair.clients();
    is_replay(&one, &first, None).await;
    // The response has been sent: a crash right after it undoes nothing.
    is_replay(&other, &other_first, None).await;
    pair.crash().await;
    pair.has_ended("refresh_token_reused", &[&first, &second]).await;
    pair.has_ended("refresh_token_reused", &[&other_first, &other_second, &other_third]).await;
}

/// The documented counterexample: two tabs hold the same token and do not read their shared storage
/// before they send. The second one sends the used token of the first, with its own key or after
/// the leeway, and both are logged out.
async fn two_tabs_that_do_not_read_the_shared_place_log_themselves_out(kind: Database) {
    let pair = Pair::start(kind, SHORT).await;
    let [one, other] = pair.clients();
    assert_eq!(one.signup("ada").await.status, 201);

    let shared = one.login("ada", gateward_e2e::PASSWORD).await;
    let kept = next(&one, &shared, Some("the-key-that-tab-one-made")).await;
    is_replay(&other, &shared, Some("the-key-that-tab-two-made")).await;
    pair.has_ended("refresh_token_reused", &[&shared, &kept]).await;

    let shared = one.login("ada", gateward_e2e::PASSWORD).await;
    let kept = next(&one, &shared, None).await;
    tokio::time::sleep(PAST_LEEWAY).await;
    is_replay(&other, &shared, None).await;
    pair.has_ended("refresh_token_reused", &[&shared, &kept]).await;

    // Tabs that share token and key may race safely.
    let shared = one.login("ada", gateward_e2e::PASSWORD).await;
    let key = Some("the-key-in-the-shared-place");
    let (left, right) = tokio::join!(next(&one, &shared, key), next(&other, &shared, key));
    assert_eq!(left.refresh_token(), right.refresh_token());
    assert_eq!(claims(left.refresh_token())["gen"], 2);
    next(&other, &left, Some("the-next-key-in-the-shared-place")).await;
}
