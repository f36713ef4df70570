//! Concurrent refreshes by cookie, and lost responses, on two nodes.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gateward_e2e::{Client, Database, TestResponse, claims, on_both};
use tokio::sync::Barrier;

use crate::support::cookie_jar::{ACCESS, CSRF, CookieJar, REFRESH, refuses};
use crate::support::pair::{Pair, together};

on_both!(
    r1_r3_racing_refreshes_by_cookie_leave_every_tab_in,
    r1_whoever_loses_a_race_clears_nothing,
    r3_a_lost_response_by_cookie_is_given_again_with_its_key,
);

/// How long an end may take to reach a node, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Refreshes ten times at once by the cookies of one browser, half of them on each node.
async fn race(pair: &Pair, cookie_jar: &CookieJar) -> Vec<TestResponse> {
    let clients = pair.clients();
    let barrier = Arc::new(Barrier::new(10));
    together((0..10).map(|number| {
        let client = clients[number % 2].clone();
        let (barrier, cookie_jar) = (Arc::clone(&barrier), cookie_jar.clone());
        async move {
            // Opens a connection, so that only the request itself follows the barrier.
            assert_eq!(client.get("/health/live").await.status, 200);
            barrier.wait().await;
            cookie_jar.refresh(&client, None).await
        }
    }))
    .await
}

/// The cookies of a browser after a response.
fn after(cookie_jar: &CookieJar, response: &TestResponse) -> CookieJar {
    assert_eq!(response.status, 200, "{response:?}");
    let mut next = cookie_jar.clone();
    next.keep(response);
    next
}

/// Rows R1 and R3: tabs that refresh at once, without keys, all get the same successor.
async fn r1_r3_racing_refreshes_by_cookie_leave_every_tab_in(kind: Database) {
    let pair = Pair::start(kind, &[]).await;
    let [one, other] = pair.clients();
    let first = CookieJar::begin(&one, "ada").await;
    let responses = race(&pair, &first).await;
    let tabs: Vec<CookieJar> = responses.iter().map(|response| after(&first, response)).collect();
    let successors: HashSet<&str> = tabs.iter().map(|tab| tab.get(REFRESH)).collect();
    assert_eq!(successors.len(), 1, "one token has more than one successor");
    assert_eq!(claims(tabs[0].get(REFRESH))["gen"], 2);
    for tab in &tabs {
        assert_eq!(tab.get(CSRF), first.get(CSRF));
        for client in [&one, &other] {
            assert_eq!(tab.me(client).await.status, 200);
        }
    }
    // The cookies of the last response work, whichever it was.
    let next = after(&tabs[9], &tabs[9].refresh(&other, None).await);
    let next = after(&next, &next.refresh(&one, None).await);
    assert_eq!(claims(next.get(REFRESH))["gen"], 4);
    assert_eq!(next.me(&other).await.status, 200);
}

/// Row R1: without a leeway, the losers are refused, and their responses do not clear the browser's
/// cookies.
async fn r1_whoever_loses_a_race_clears_nothing(kind: Database) {
    let pair = Pair::start(kind, &[("tokens.refresh_leeway_seconds", "0")]).await;
    let first = CookieJar::begin(&pair.clients()[0], "ada").await;
    let responses = race(&pair, &first).await;
    let (won, lost): (Vec<_>, Vec<_>) =
        responses.iter().partition(|response| response.status == 200);
    assert_eq!((won.len(), lost.len()), (1, 9), "{responses:?}");
    for response in lost {
        response.is_problem();
        let code = response.code();
        assert!(["refresh_token_reused", "session_ended"].contains(&code), "{response:?}");
        assert!(!response.headers.contains_key("set-cookie"), "{response:?}");
    }
    // The remaining cookies get the reason why the session ended, on both nodes.
    let winner = after(&first, won[0]);
    for client in pair.clients() {
        let refused = winner.refresh(&client, None).await;
        refuses(&refused, 401, "session_ended");
        assert_eq!(refused.body["reason"], "refresh_token_reused");
        let me = wait_until_refused(&client, &winner).await;
        refuses(&me, 401, "session_ended");
    }
}

/// Waits until a node that did not end the session refuses it.
async fn wait_until_refused(client: &Client, cookie_jar: &CookieJar) -> TestResponse {
    let started = Instant::now();
    loop {
        let me = cookie_jar.me(client).await;
        if me.status != 200 || started.elapsed() > PATIENCE {
            return me;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Row R3: a lost response is repeated for the same key, on another node too. Another key is a
/// replay.
async fn r3_a_lost_response_by_cookie_is_given_again_with_its_key(kind: Database) {
    let pair = Pair::start(kind, &[("tokens.refresh_leeway_seconds", "0")]).await;
    let [one, other] = pair.clients();
    let first = CookieJar::begin(&one, "ada").await;
    let lost = after(&first, &first.refresh(&one, Some("key-1")).await);
    let again = after(&first, &first.refresh(&other, Some("key-1")).await);
    assert_eq!(again.get(REFRESH), lost.get(REFRESH), "to the byte");
    assert_ne!(again.get(ACCESS), lost.get(ACCESS));
    let third = after(&again, &again.refresh(&one, Some("key-2")).await);
    assert_eq!(third.me(&other).await.status, 200);

    refuses(&again.refresh(&other, Some("key-3")).await, 401, "refresh_token_reused");
    for client in [&one, &other] {
        refuses(&third.refresh(client, Some("key-4")).await, 401, "session_ended");
    }
}
