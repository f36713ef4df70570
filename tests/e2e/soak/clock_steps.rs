//! Row F22: clocks that step, and nodes whose clocks differ.

use std::time::Duration;

use gateward_e2e::{
    Client, Database, Node, PASSWORD, ShiftedClock, TestDatabase, TestResponse, eventually, on_both,
};
use gateward_e2e::{Plan, claims};

on_both!(
    f22_a_clock_that_steps_an_hour_and_back_revives_nothing_and_loses_no_session,
    f22_a_clock_that_steps_back_an_hour_and_forth_revives_nothing_and_loses_no_session,
    f22_nodes_whose_clocks_differ_by_five_seconds_believe_each_other_and_let_no_dead_token_in,
);

const HOUR: i64 = 3600;

/// Longer than a node keeps expired cache entries by its clock.
const FORGETTING: Duration = Duration::from_secs(11);

async fn start(database: &TestDatabase, clock: &ShiftedClock) -> Node {
    let mut plan = Plan::on(database);
    plan.environment.extend(clock.environment());
    plan.start().await
}

async fn login(client: &Client, name: &str) -> TestResponse {
    let response = client.login(name, PASSWORD).await;
    assert_eq!(response.status, 200, "{response:?}");
    response
}

async fn logged_out(client: &Client, name: &str) -> TestResponse {
    let pair = login(client, name).await;
    assert_eq!(client.me(pair.access()).await.status, 200);
    assert_eq!(client.logout(pair.refresh_token()).await.status, 204);
    pair
}

async fn refresh(client: &Client, pair: &TestResponse, key: &str) -> TestResponse {
    let next = client.refresh(pair.refresh_token(), Some(key)).await;
    assert_eq!(next.status, 200, "{next:?}");
    next
}

/// The clock is an hour ahead for a while: access tokens have expired by then, and sessions have
/// not.
async fn f22_a_clock_that_steps_an_hour_and_back_revives_nothing_and_loses_no_session(
    kind: Database,
) {
    let Some(clock) = ShiftedClock::new() else { return };
    let database = TestDatabase::new(kind).await;
    let node = start(&database, &clock).await;
    let client = node.client();
    let busy = client.begin("ada").await;
    let idle = login(&client, "ada").await;
    let over = logged_out(&client, "ada").await;

    clock.set(HOUR);
    for pair in [&busy, &idle, &over] {
        client.me(pair.access()).await.is(401, "token_expired");
    }
    client.refresh(over.refresh_token(), None).await.is(401, "session_ended");
    let next = refresh(&client, &busy, "a-key").await;
    assert_eq!(client.me(next.access()).await.status, 200);
    if kind == Database::Sqlite {
        // The cache of a node is the same on every database.
        tokio::time::sleep(FORGETTING).await;
    }

    clock.set(0);
    client.me(over.access()).await.is(401, "session_ended");
    client.refresh(over.refresh_token(), None).await.is(401, "session_ended");
    assert_eq!(client.me(idle.access()).await.status, 200);
    refresh(&client, &idle, "another-key").await;
    // A token from an hour ahead is refused until then, and its session is not lost.
    client.me(next.access()).await.is(401, "invalid_token");
    client.refresh(next.refresh_token(), Some("b-key")).await.is(401, "invalid_token");
    assert_eq!(client.logout(over.refresh_token()).await.status, 204);
    clock.set(HOUR);
    assert_eq!(client.me(next.access()).await.status, 200);
    refresh(&client, &next, "b-key").await;
}

/// The clock is an hour behind for a while: existing tokens are from the future and refused, and
/// logins fail because no key is active. Afterwards everything works again.
async fn f22_a_clock_that_steps_back_an_hour_and_forth_revives_nothing_and_loses_no_session(
    kind: Database,
) {
    let Some(clock) = ShiftedClock::new() else { return };
    let database = TestDatabase::new(kind).await;
    let node = start(&database, &clock).await;
    let client = node.client();
    let busy = client.begin("ada").await;
    let over = logged_out(&client, "ada").await;

    clock.set(-HOUR);
    for pair in [&busy, &over] {
        client.me(pair.access()).await.is(401, "invalid_token");
        client.refresh(pair.refresh_token(), Some("b-key")).await.is(401, "invalid_token");
    }
    client.login("ada", PASSWORD).await.is(503, "unavailable");
    clock.set(0);
    assert_eq!(client.me(busy.access()).await.status, 200);
    client.me(over.access()).await.is(401, "session_ended");
    refresh(&client, &busy, "a-key").await;
}

/// As far as clocks may differ, in both directions.
async fn f22_nodes_whose_clocks_differ_by_five_seconds_believe_each_other_and_let_no_dead_token_in(
    kind: Database,
) {
    let (Some(slow), Some(fast)) = (ShiftedClock::new(), ShiftedClock::new()) else { return };
    fast.set(5);
    let database = TestDatabase::new(kind).await;
    let (one, other) = tokio::join!(start(&database, &slow), start(&database, &fast));
    let [slow_one, fast_one] = [one.client(), other.client()];
    slow_one.begin("ada").await;
    for (here, there) in [(&slow_one, &fast_one), (&fast_one, &slow_one)] {
        for number in 0..5 {
            let pair = login(here, "ada").await;
            assert_eq!(there.me(pair.access()).await.status, 200, "as soon as it is made");
            let next = refresh(there, &pair, "a-key").await;
            assert_eq!(here.me(next.access()).await.status, 200, "{number}");
            refresh(here, &next, "another-key").await;
        }
    }

    // Created by the fast node, so that they expire last, and ended by the slow one.
    let over = login(&fast_one, "ada").await;
    assert_eq!(slow_one.logout(over.refresh_token()).await.status, 204);
    let time = |claim: &str| claims(over.access())[claim].as_i64().unwrap();
    let life = time("exp") - time("iat");
    for client in [&slow_one, &fast_one] {
        client.until_refused(over.access(), Duration::from_secs(3)).await;
    }
    // On to the expiry of the session, which the fast node reaches first.
    let at = life - 6;
    slow.set(at);
    fast.set(at + 5);
    let mut expired = [false; 2];
    eventually(Duration::from_secs(20), async || {
        for (client, expired) in [&slow_one, &fast_one].into_iter().zip(&mut expired) {
            let refused = client.me(over.access()).await;
            *expired |= refused.code() == "token_expired";
            refused.is(401, if *expired { "token_expired" } else { "session_ended" });
        }
        if expired == [true, true] {
            return Ok(());
        }
        Err("the end of its life is not met".to_owned())
    })
    .await;
}
