//! Lost responses: a client that never received the successor sends the same refresh token again.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gateward_e2e::{Client, Database, PASSWORD, TestResponse, claims, on_both};
use serde_json::Value;

use crate::support::pair::Pair;

on_both!(
    r3_a_lost_response_is_given_again_inside_the_leeway,
    r3_a_lost_response_is_given_again_with_the_key_however_late,
    r3_a_lost_response_is_given_again_after_a_rotation_of_keys,
    r3_without_leeway_only_a_key_gets_a_lost_response_again,
);

/// Sends the refresh token of a pair, which must succeed.
async fn show(client: &Client, pair: &TestResponse, key: Option<&str>) -> TestResponse {
    let response = client.refresh(pair.refresh_token(), key).await;
    assert_eq!(response.status, 200, "{response:?}");
    response
}

/// Asserts that one response repeats the other: the same refresh token byte for byte, and a fresh
/// access token.
fn is_given_again(first: &TestResponse, again: &TestResponse) {
    assert_eq!(first.refresh_token(), again.refresh_token());
    assert_eq!(first.text_of("session_id"), again.text_of("session_id"));
    assert_ne!(claims(first.access())["jti"], claims(again.access())["jti"]);
}

/// The key that signed a token.
fn key_of(token: &str) -> String {
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

/// Row R3: on either node, with a key and without.
async fn r3_a_lost_response_is_given_again_inside_the_leeway(kind: Database) {
    let pair = Pair::processes(kind, &[]).await;
    let [one, other] = pair.clients();
    assert_eq!(one.signup("ada").await.status, 201);
    for key in [None, Some("a-key")] {
        let first = one.login("ada", PASSWORD).await;
        let second = show(&one, &first, key).await;
        for client in [&one, &other, &one] {
            let again = show(client, &first, key).await;
            is_given_again(&second, &again);
            pair.is_alive(&again).await;
        }
        let third = show(&other, &second, key).await;
        assert_ne!(third.refresh_token(), second.refresh_token());
        pair.is_alive(&third).await;
    }
}

/// Row R3: long after the leeway a key still helps, also after a crash of all nodes.
async fn r3_a_lost_response_is_given_again_with_the_key_however_late(kind: Database) {
    let mut pair = Pair::processes(kind, &[("tokens.refresh_leeway_seconds", "1")]).await;
    let [one, _] = pair.clients();
    let first = one.begin("ada").await;
    let second = show(&one, &first, Some("a-key")).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    is_given_again(&second, &show(&one, &first, Some("a-key")).await);
    pair.crash().await;
    let [one, other] = pair.clients();
    is_given_again(&second, &show(&other, &first, Some("a-key")).await);
    show(&one, &second, Some("the-next-key")).await;
}

/// Row R3: a leeway of 0 turns off repeats without a key. With a key they still work.
async fn r3_without_leeway_only_a_key_gets_a_lost_response_again(kind: Database) {
    let pair = Pair::processes(kind, &[("tokens.refresh_leeway_seconds", "0")]).await;
    let [one, other] = pair.clients();
    let first = one.begin("ada").await;
    let second = show(&one, &first, Some("a-key")).await;
    is_given_again(&second, &show(&other, &first, Some("a-key")).await);
    let third = show(&one, &second, None).await;
    other.refresh(second.refresh_token(), None).await.is(401, "refresh_token_reused");
    pair.has_ended("refresh_token_reused", &[&first, &second, &third]).await;
}

/// Row R3: the repeated response is signed by the key of the first one, although another key is
/// active by then. Access tokens are ES256 here, whose signatures always differ.
async fn r3_a_lost_response_is_given_again_after_a_rotation_of_keys(kind: Database) {
    let settings = [
        ("keys.algorithm", "ES256"),
        ("keys.jwks_cache_seconds", "1"),
        ("tokens.refresh_leeway_seconds", "1"),
    ];
    let pair = Pair::processes(kind, &settings).await;
    let [one, other] = pair.clients();
    let first = one.begin("ada").await;
    let second = show(&one, &first, Some("a-key")).await;
    let rival = one.login("ada", PASSWORD).await;
    let (old_access, old_refresh) = (key_of(second.access()), key_of(second.refresh_token()));
    is_given_again(&second, &show(&one, &first, Some("a-key")).await);
    pair.command(&["keys", "rotate"]).await;

    // The new keys sign once every cache may have them: 16 seconds later with this cache time.
    let mut waited = 0;
    loop {
        let responses =
            [show(&one, &first, Some("a-key")).await, show(&other, &first, Some("a-key")).await];
        for response in &responses {
            is_given_again(&second, response);
        }
        if responses.iter().all(|response| key_of(response.access()) != old_access) {
            break;
        }
        waited += 1;
        assert!(waited < 60, "the new keys do not sign");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let fresh = show(&other, &rival, None).await;
    assert_ne!(key_of(fresh.refresh_token()), old_refresh, "the new refresh key signs as well");
    let again = show(&other, &first, Some("a-key")).await;
    is_given_again(&second, &again);
    pair.is_alive(&again).await;
    pair.is_alive(&second).await;
    let third = show(&one, &second, Some("the-next-key")).await;
    assert_eq!(key_of(third.refresh_token()), key_of(fresh.refresh_token()));
}
