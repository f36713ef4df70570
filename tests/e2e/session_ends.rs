//! How sessions start and end: rows R7, R10, R11 and S1 to S3.

use std::time::{Duration, Instant};

use gateward_e2e::{Client, Database, PASSWORD, TestResponse, claims, eventually, on_both};
use serde_json::json;

use crate::support::pair::Pair;

on_both!(
    r7_a_token_with_parts_of_anothers_is_no_token,
    r10_a_session_ends_when_idle_and_at_its_absolute_end,
    r11_a_disabled_user_is_out_at_once_and_enabling_revives_nothing,
    s1_after_a_logout_nothing_of_the_session_works,
    s2_a_login_takes_no_identifier_from_its_request,
    s3_logging_out_everywhere_spares_only_the_own_session,
);

/// The parts of a token.
fn parts(token: &str) -> [&str; 3] {
    let parts: Vec<&str> = token.split('.').collect();
    parts.try_into().unwrap()
}

async fn login(client: &Client, name: &str) -> TestResponse {
    let response = client.login(name, PASSWORD).await;
    assert_eq!(response.status, 200, "{response:?}");
    response
}

/// Row R7: the parts of two tokens do not combine, and other parts of the request do not matter.
async fn r7_a_token_with_parts_of_anothers_is_no_token(kind: Database) {
    let pair = Pair::start(kind, &[]).await;
    let [one, other] = pair.clients();
    let ada = one.begin("ada").await;
    let bob = one.begin("bob").await;
    let [a, b] = [&ada, &bob].map(|pair| parts(pair.refresh_token()));
    for spliced in [
        [a[0], a[1], b[2]],
        [a[0], b[1], a[2]],
        [a[0], a[1], parts(ada.access())[2]],
        [parts(ada.access())[0], a[1], parts(ada.access())[2]],
        [parts(ada.access())[0], parts(ada.access())[1], a[2]],
    ] {
        let spliced = spliced.join(".");
        one.refresh(&spliced, None).await.is(401, "invalid_token");
        one.logout(&spliced).await.is(401, "invalid_token");
        one.me(&spliced).await.is(401, "invalid_token");
    }
    one.refresh(ada.access(), None).await.is(401, "wrong_token_kind");
    one.me(ada.refresh_token()).await.is(401, "wrong_token_kind");

    // Bob's access token and cookies beside Ada's refresh token: only the refresh token counts.
    let cookies = format!(
        "__Host-gateward-access={}; __Secure-gateward-refresh={}; session_id={}",
        bob.access(),
        bob.refresh_token(),
        bob.text_of("session_id"),
    );
    let request = one.refresh_request(ada.refresh_token(), None);
    let request = request.bearer_auth(bob.access()).header("Cookie", cookies);
    let mixed = one.send(request).await;
    if mixed.status == 200 {
        assert_eq!(mixed.body["session_id"], ada.body["session_id"]);
        assert_eq!(claims(mixed.access())["sub"], claims(ada.access())["sub"]);
    } else {
        // Refresh tokens in both body and cookie are refused.
        mixed.is(400, "malformed_request");
    }
    for untouched in [&ada, &bob] {
        pair.is_alive(untouched).await;
        assert_eq!(other.refresh(untouched.refresh_token(), None).await.status, 200);
    }
}

/// Row R10: without refreshes a session ends after its idle timeout; with them, at its absolute
/// end, which no refresh moves.
async fn r10_a_session_ends_when_idle_and_at_its_absolute_end(kind: Database) {
    let settings = [("tokens.refresh_idle_seconds", "3"), ("tokens.session_max_seconds", "6")];
    let pair = Pair::start(kind, &settings).await;
    let [one, other] = pair.clients();
    let idle = one.begin("ada").await;
    let busy = login(&one, "ada").await;
    let end = claims(busy.access())["auth_time"].as_i64().unwrap() + 6;
    let started = Instant::now();
    let mut current = busy.clone();
    let last = loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let next = other.refresh(current.refresh_token(), None).await;
        if next.status != 200 {
            break next;
        }
        for token in [next.access(), next.refresh_token()] {
            assert!(claims(token)["exp"].as_i64().unwrap() <= end, "a refresh moves the end");
        }
        assert!(next.body["refresh_expires_in"].as_i64().unwrap() <= 3);
        current = next;
        assert!(started.elapsed() < Duration::from_secs(8), "the session outlives its end");
    };
    last.is(401, "token_expired");
    assert!(
        started.elapsed() > Duration::from_secs(4),
        "refreshes keep it alive past its idle time"
    );
    for pair in [&idle, &current] {
        for client in [&one, &other] {
            client.refresh(pair.refresh_token(), None).await.is(401, "token_expired");
            client.me(pair.access()).await.is(401, "token_expired");
            client.refresh(pair.refresh_token(), None).await.is(401, "token_expired");
            assert_eq!(client.logout(pair.refresh_token()).await.status, 204);
        }
    }
    // An older token of the same session expired before; it does not revive the session either.
    one.refresh(busy.refresh_token(), None).await.is(401, "token_expired");
}

/// Row R11: the operator's command works on both nodes, without waiting for a token to expire.
async fn r11_a_disabled_user_is_out_at_once_and_enabling_revives_nothing(kind: Database) {
    let pair = Pair::start(kind, &[]).await;
    let [one, other] = pair.clients();
    let ada = one.begin("ada").await;
    let next = other.refresh(ada.refresh_token(), Some("a-key")).await;
    let bob = one.begin("bob").await;

    pair.command(&["user", "disable", "ada"]).await;
    pair.has_ended("account_disabled", &[&ada, &next]).await;
    // Neither the repeat of a lost response nor a login succeeds.
    one.refresh(ada.refresh_token(), Some("a-key")).await.is(401, "session_ended");
    for client in [&one, &other] {
        client.login("ada", PASSWORD).await.is(403, "account_disabled");
        client.login("ada", "not her password").await.is(401, "invalid_credentials");
    }
    pair.is_alive(&bob).await;

    pair.command(&["user", "enable", "ada"]).await;
    pair.has_ended("account_disabled", &[&ada, &next]).await;
    let again = login(&other, "ada").await;
    for client in [&one, &other] {
        heard(client, &again).await;
    }
    pair.is_alive(&again).await;
}

/// Waits until a node knows that an account is enabled again.
async fn heard(client: &Client, pair: &TestResponse) {
    eventually(Duration::from_secs(3), async || {
        if client.me(pair.access()).await.status == 200 {
            Ok(())
        } else {
            Err("the node hears nothing".to_owned())
        }
    })
    .await;
}

/// Row S1: by refresh token, used or not, and by access token. A repeat is idempotent.
async fn s1_after_a_logout_nothing_of_the_session_works(kind: Database) {
    let pair = Pair::start(kind, &[]).await;
    let [one, other] = pair.clients();
    assert_eq!(one.signup("ada").await.status, 201);
    let bystander = login(&one, "ada").await;
    for way in ["current", "spent", "access"] {
        let first = login(&one, "ada").await;
        let second = one.refresh(first.refresh_token(), Some("a-key")).await;
        let log_out = async |client: &Client| match way {
            "current" => client.logout(second.refresh_token()).await,
            "spent" => client.logout(first.refresh_token()).await,
            _ => client.post_as(second.access(), "/v1/logout", &json!({})).await,
        };
        assert_eq!(log_out(&one).await.status, 204, "{way}");
        pair.has_ended("logout", &[&first, &second]).await;
        // A repeat of the lost response is too late as well.
        other.refresh(first.refresh_token(), Some("a-key")).await.is(401, "session_ended");
        for client in [&other, &one] {
            assert_eq!(log_out(client).await.status, 204, "{way}");
        }
        pair.has_ended("logout", &[&first, &second]).await;
    }
    pair.is_alive(&bystander).await;
}

/// Row S2: an identifier that an attacker planted in a browser names no session.
async fn s2_a_login_takes_no_identifier_from_its_request(kind: Database) {
    let pair = Pair::start(kind, &[]).await;
    let [one, _] = pair.clients();
    let planted = one.begin("mallory").await;
    let victim = one.begin("ada").await;
    let id = planted.text_of("session_id");
    let body = json!({"identifier": "ada", "password": PASSWORD});
    let cookies = format!(
        "session_id={id}; sid={id}; __Host-gateward-access={}; __Secure-gateward-refresh={}",
        planted.access(),
        planted.refresh_token(),
    );
    let request = one.post("/v1/login", &body).header("Cookie", cookies);
    let request = request.header("X-Session-Id", id).header("Idempotency-Key", id);
    let fresh = one.send(request.bearer_auth(planted.access())).await;
    assert_eq!(fresh.status, 200, "{fresh:?}");
    let again = login(&one, "ada").await;
    let ids: Vec<&str> = [&planted, &victim, &fresh, &again]
        .map(|pair| {
            assert_eq!(claims(pair.access())["sid"], pair.body["session_id"]);
            assert_eq!(claims(pair.refresh_token())["sid"], pair.body["session_id"]);
            pair.text_of("session_id")
        })
        .to_vec();
    for (index, one) in ids.iter().enumerate() {
        assert!(!ids[..index].contains(one), "each login begins a session of its own: {ids:?}");
    }
    assert!(fresh.headers.get("set-cookie").is_none());

    // In the body such a field is refused.
    for member in ["session_id", "sid", "id"] {
        let mut body = body.clone();
        body[member] = json!(id);
        one.send(one.post("/v1/login", &body)).await.is(422, "validation_failed");
    }
    for alive in [&planted, &victim, &fresh, &again] {
        pair.is_alive(alive).await;
    }
    assert_eq!(claims(fresh.access())["sub"], claims(victim.access())["sub"]);
}

/// Row S3: all others end, then all.
async fn s3_logging_out_everywhere_spares_only_the_own_session(kind: Database) {
    let pair = Pair::start(kind, &[]).await;
    let [one, other] = pair.clients();
    assert_eq!(one.signup("ada").await.status, 201);
    let bob = one.begin("bob").await;
    let mut sessions = Vec::new();
    for number in 0..5 {
        sessions.push(login([&one, &other][number % 2], "ada").await);
    }
    let own = sessions.pop().unwrap();
    let except_current = json!({"except_current": true});
    let done = one.post_as(own.access(), "/v1/logout-all", &except_current).await;
    assert_eq!(done.status, 204, "{done:?}");
    pair.has_ended("logout_all", &sessions.iter().collect::<Vec<_>>()).await;
    pair.is_alive(&own).await;
    let next = other.refresh(own.refresh_token(), None).await;
    assert_eq!(next.status, 200);

    let late = login(&other, "ada").await;
    let done = other.post_as(next.access(), "/v1/logout-all", &json!({})).await;
    assert_eq!(done.status, 204, "{done:?}");
    pair.has_ended("logout_all", &[&own, &next, &late]).await;
    pair.is_alive(&bob).await;
}
