//! Writers that race for one username or one file: rows A1 and F14, and hot rows: row F31.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gateward_e2e::{Client, Database, PASSWORD, TestResponse, on_both};
use serde_json::json;
use tokio::sync::Barrier;

use crate::support::pair::{Pair, together};

on_both!(
    a1_of_racing_signups_for_one_address_one_makes_the_account,
    f14_writers_on_two_nodes_and_the_command_line_wait_for_each_other,
    f31_a_hot_session_and_a_hot_user_block_nobody_else,
);

/// How many sign-ups race for one email address.
const SIGNUPS: usize = 50;

fn name(number: usize) -> String {
    format!("ada{number}")
}

fn password(number: usize) -> String {
    format!("{PASSWORD} number {number}")
}

/// Row A1: one 201, one account, and its password is that of the 201.
async fn a1_of_racing_signups_for_one_address_one_makes_the_account(kind: Database) {
    let pair = Pair::processes(kind, &[]).await;
    let clients = pair.clients();
    let barrier = Arc::new(Barrier::new(SIGNUPS));
    let responses = together((0..SIGNUPS).map(|number| {
        let (client, barrier) = (clients[number % 2].clone(), Arc::clone(&barrier));
        // In different spellings, it is one email address.
        let email = if number % 3 == 0 { "Ada@Example.ORG" } else { "ada@example.org" };
        let body = json!({"username": name(number), "email": email, "password": password(number)});
        async move {
            assert_eq!(client.get("/health/live").await.status, 200);
            barrier.wait().await;
            (number, client.send(client.post("/v1/signup", &body)).await)
        }
    }))
    .await;

    let (made, refused): (Vec<_>, Vec<_>) =
        responses.into_iter().partition(|(_, response)| response.status == 201);
    assert_eq!(made.len(), 1, "{made:?}");
    for (_, response) in &refused {
        response.is(409, "email_taken");
    }
    let (winner, account) = &made[0];
    for number in 0..SIGNUPS {
        let by_email = clients[number % 2].login("ada@example.org", &password(number)).await;
        let by_name = clients[number % 2].login(&name(number), &password(number)).await;
        for response in [by_email, by_name] {
            if number == *winner {
                assert_eq!(response.body["user"]["id"], account.body["id"], "{response:?}");
            } else {
                response.is(401, "invalid_credentials");
            }
        }
    }
    // The username of a loser is still free.
    let free = name((winner + 1) % SIGNUPS);
    assert_eq!(clients[0].signup(&free).await.status, 201);
}

/// Row F14: a hundred writers on two nodes, and a third process beside them. No request fails
/// because the database is locked, and no write is lost.
async fn f14_writers_on_two_nodes_and_the_command_line_wait_for_each_other(kind: Database) {
    let pair = Pair::processes(kind, &[]).await;
    let clients = pair.clients();
    let sessions: Vec<TestResponse> = together((0..20).map(|number| {
        let client = clients[number % 2].clone();
        async move { client.begin(&name(number)).await }
    }))
    .await;
    let writers = sessions.into_iter().enumerate().map(|(number, session)| {
        let clients = clients.clone();
        async move {
            let mut token = session.refresh_token().to_owned();
            for turn in 0..4 {
                let next = clients[(number + turn) % 2].refresh(&token, None).await;
                assert_eq!(next.status, 200, "{next:?}");
                next.refresh_token().clone_into(&mut token);
            }
            let signed_up = clients[number % 2].signup(&format!("bob{number}")).await;
            assert_eq!(signed_up.status, 201, "{signed_up:?}");
            token
        }
    });
    // The commands use separate users, or the writers would be refused.
    let others = async {
        let idle: Vec<TestResponse> = together((0..2).map(|number| {
            let client = clients[number].clone();
            async move { client.begin(&format!("eve{number}")).await }
        }))
        .await;
        for _ in 0..5 {
            for eve in ["eve0", "eve1"] {
                pair.command(&["user", "disable", eve]).await;
                pair.command(&["user", "enable", eve]).await;
            }
        }
        pair.has_ended("account_disabled", &idle.iter().collect::<Vec<_>>()).await;
    };
    let (tokens, ()) = tokio::join!(together(writers), others);
    for token in tokens {
        let next = clients[0].refresh(&token, None).await;
        assert_eq!(next.status, 200, "{next:?}");
        assert_eq!(gateward_e2e::claims(next.refresh_token())["gen"], 6, "a write is lost");
    }
}

/// How many refreshes of the hot session race, and how many of others run beside them.
const REFRESHES: usize = 200;

/// How many logins of the hot user race.
const LOGINS: usize = 100;

/// The longest wait of a request, on a machine with two cores that runs other tests as well.
const PATIENCE: Duration = Duration::from_secs(6);

/// Sends a request and measures how long its response took.
async fn timed(client: &Client, request: reqwest::RequestBuilder) -> (Duration, TestResponse) {
    let started = Instant::now();
    let response = client.send(request).await;
    (started.elapsed(), response)
}

/// Asserts that the request succeeded or got a retry time. Returns whether it succeeded.
fn is_served_or_shed(response: &TestResponse) -> bool {
    if response.status == 200 {
        return true;
    }
    response.is(503, "overloaded");
    let seconds: u32 = response.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..60).contains(&seconds), "{response:?}");
    false
}

/// Row F31: many refreshes of one session and many logins of one user, beside refreshes of other
/// users, each with a separate session.
async fn f31_a_hot_session_and_a_hot_user_block_nobody_else(kind: Database) {
    let pair = Pair::processes(kind, &[]).await;
    let clients = pair.clients();
    let hot = clients[0].begin("hot").await;
    // Another user: a hundred logins would end the hot session by the limit of sessions.
    assert_eq!(clients[0].signup("busy").await.status, 201);
    let sessions = callers(&clients).await;

    let refreshes_of_one = (0..REFRESHES).map(|number| {
        let (client, token) = (clients[number % 2].clone(), hot.refresh_token().to_owned());
        async move { ("session", timed(&client, client.refresh_request(&token, Some("key"))).await) }
    });
    let logins_of_one = (0..LOGINS).map(|number| {
        let client = clients[number % 2].clone();
        let body = json!({"identifier": "busy", "password": PASSWORD});
        async move { ("user", timed(&client, client.post("/v1/login", &body)).await) }
    });
    let refreshes_of_others = sessions.iter().enumerate().map(|(number, session)| {
        let (client, token) = (clients[number % 2].clone(), session.refresh_token().to_owned());
        async move { ("others", timed(&client, client.refresh_request(&token, None)).await) }
    });
    let (of_session, of_user, of_others) = tokio::join!(
        together(refreshes_of_one),
        together(logins_of_one),
        together(refreshes_of_others),
    );

    let mut successors = Vec::new();
    for (whose, (elapsed, response)) in of_session.iter().chain(&of_user).chain(&of_others) {
        assert!(*elapsed < PATIENCE, "{whose}: {elapsed:?} {response:?}");
        if is_served_or_shed(response) && *whose == "session" {
            successors.push(response.refresh_token());
        }
    }
    successors.dedup();
    assert_eq!(successors.len(), 1, "the hot session has one successor");
    let served = of_others.iter().filter(|(_, (_, response))| response.status == 200).count();
    assert!(served * 10 >= of_others.len() * 9, "only {served} of the others were served");
    let me = clients[1].me(hot.access()).await;
    assert_eq!(me.status, 200, "{me:?}");
}

/// As many sessions as there are refreshes, of ten users.
async fn callers(clients: &[Client; 2]) -> Vec<TestResponse> {
    let sessions = together((0..10).map(|number| {
        let client = clients[number % 2].clone();
        async move {
            assert_eq!(client.signup(&name(number)).await.status, 201);
            let mut sessions = Vec::new();
            for _ in 0..REFRESHES / 10 {
                let session = client.login(&name(number), PASSWORD).await;
                assert_eq!(session.status, 200, "{session:?}");
                sessions.push(session);
            }
            sessions
        }
    }));
    sessions.await.into_iter().flatten().collect()
}
