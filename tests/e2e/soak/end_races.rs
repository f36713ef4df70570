//! Requests that end sessions, racing with refreshes and logins: a hundred times each.
//!
//! Each round sends the ending request to one node and its rivals to the other. The delay is tuned
//! in each round, so that they meet in the database: see [`Tuned`].

use std::time::Duration;

use gateward_e2e::{Client, Database, PASSWORD, TestResponse, on_both, rounds};
use serde_json::json;

use crate::support::pair::{Pair, refused_soon};

on_both!(
    logging_out_races_with_refresh_and_login,
    changing_the_password_races_with_refresh_and_login,
    disabling_races_with_refresh_and_login,
);

/// How many times each request races.
const ROUNDS: usize = 40;

/// The delay of a rival, tuned by who came first: a rival that has won comes later in the next
/// round, one that has lost earlier. So about half of the rounds go either way, and most of them
/// are close. Until both have happened, the steps are larger.
struct Tuned {
    delay: Duration,
    step: Duration,
    won: usize,
    lost: usize,
}

impl Tuned {
    fn from(delay_micros: u64, step_micros: u64) -> Self {
        let [delay, step] = [delay_micros, step_micros].map(Duration::from_micros);
        Self { delay, step, won: 0, lost: 0 }
    }

    /// Waits, more precisely than a timer of the runtime does.
    async fn wait(&self) {
        let delay = self.delay;
        tokio::task::spawn_blocking(move || std::thread::sleep(delay)).await.unwrap();
    }

    fn note(&mut self, won: bool) {
        // On a busy machine the first delay is wrong by a factor.
        let is_near = self.won > 0 && self.lost > 0;
        let step = self.step.max(self.delay / if is_near { 16 } else { 2 });
        if won {
            self.won += 1;
            self.delay += step;
        } else {
            self.lost += 1;
            self.delay = self.delay.saturating_sub(step);
        }
    }

    /// Asserts that it was a race.
    fn went_both_ways(&self, rival: &str) {
        let Self { won, lost, .. } = self;
        assert!(*won.min(lost) >= 3, "no race: {rival} has won {won} times and lost {lost} times");
    }
}

/// Asserts that no token of a session works on this node, including those of a racing refresh. A
/// session that the other node ended may take a moment.
async fn is_dead(
    client: &Client,
    reason: &str,
    session: &TestResponse,
    refreshed: &TestResponse,
    key: &str,
) {
    let mut pairs = vec![session];
    if refreshed.status == 200 {
        pairs.push(refreshed);
    } else {
        refreshed.is(401, "session_ended");
        assert_eq!(refreshed.body["reason"], reason, "{refreshed:?}");
    }
    for pair in pairs {
        for refused in [
            client.refresh(pair.refresh_token(), Some(key)).await,
            refused_soon(client, pair).await,
        ] {
            refused.is(401, "session_ended");
            assert_eq!(refused.body["reason"], reason, "{refused:?}");
        }
    }
}

async fn login(client: &Client, name: &str, password: &str) -> TestResponse {
    let response = client.login(name, password).await;
    assert_eq!(response.status, 200, "{response:?}");
    response
}

/// After an acknowledged logout no refresh of that session succeeds, and a racing login has its own
/// session.
async fn logging_out_races_with_refresh_and_login(kind: Database) {
    let pair = Pair::processes(kind, &[]).await;
    let [one, other] = pair.clients();
    let mut session = one.begin("ada").await;
    let (lead, mut of_refresh) = (Tuned::from(4000, 0), Tuned::from(4000, 200));
    for round in 0..rounds(ROUNDS) {
        let key = format!("the-key-of-round-{round}");
        let (logged_out, refreshed, logged_in) = tokio::join!(
            async {
                lead.wait().await;
                one.logout(session.refresh_token()).await
            },
            async {
                of_refresh.wait().await;
                other.refresh(session.refresh_token(), Some(&key)).await
            },
            login(&other, "ada", PASSWORD),
        );
        assert_eq!(logged_out.status, 204, "{logged_out:?}");
        is_dead([&one, &other][round % 2], "logout", &session, &refreshed, &key).await;
        assert_eq!(other.me(logged_in.access()).await.status, 200);
        of_refresh.note(refreshed.status == 200);
        session = logged_in;
    }
    of_refresh.went_both_ways("the refresh");
}

/// After an acknowledged password change only the caller's session is active. A racing login with
/// the old password has none.
async fn changing_the_password_races_with_refresh_and_login(kind: Database) {
    let pair = Pair::processes(kind, &[]).await;
    let [one, other] = pair.clients();
    let own = one.begin("ada").await;
    let mut password = PASSWORD.to_owned();
    let mut session = login(&one, "ada", &password).await;
    let (mut of_refresh, mut of_login) = (Tuned::from(8000, 400), Tuned::from(2000, 400));
    for round in 0..rounds(ROUNDS) {
        let key = format!("the-key-of-round-{round}");
        let next = format!("{PASSWORD} {round}");
        let body = json!({"current_password": password, "new_password": next});
        let (changed, refreshed, logged_in) = tokio::join!(
            one.post_as(own.access(), "/v1/me/password", &body),
            async {
                of_refresh.wait().await;
                other.refresh(session.refresh_token(), Some(&key)).await
            },
            async {
                of_login.wait().await;
                other.login("ada", &password).await
            },
        );
        assert_eq!(changed.status, 204, "{changed:?}");
        is_dead([&one, &other][round % 2], "password_changed", &session, &refreshed, &key).await;
        if logged_in.status == 200 {
            for client in [&one, &other] {
                is_dead(client, "password_changed", &logged_in, &refreshed, &key).await;
            }
        } else {
            logged_in.is(401, "invalid_credentials");
        }
        assert_eq!(other.me(own.access()).await.status, 200, "the caller's own session goes on");
        of_refresh.note(refreshed.status == 200);
        of_login.note(logged_in.status == 200);
        if round % 10 == 0 {
            other.login("ada", &password).await.is(401, "invalid_credentials");
        }
        password = next;
        session = login(&other, "ada", &password).await;
    }
    of_refresh.went_both_ways("the refresh");
    of_login.went_both_ways("the login");
    assert_eq!(other.refresh(own.refresh_token(), None).await.status, 200);
}

/// After an acknowledged disabling no session is active, including that of a racing login.
async fn disabling_races_with_refresh_and_login(kind: Database) {
    let pair = Pair::processes(kind, &[]).await;
    let [one, other] = pair.clients();
    let (mut of_refresh, mut of_login) = (Tuned::from(40_000, 4000), Tuned::from(30_000, 4000));
    for round in 0..rounds(ROUNDS) {
        let (name, key) = (format!("ada{round}"), format!("the-key-of-round-{round}"));
        let session = one.begin(&name).await;
        let disable = ["user", "disable", &name];
        let (_, refreshed, logged_in) = tokio::join!(
            pair.command(&disable),
            async {
                of_refresh.wait().await;
                other.refresh(session.refresh_token(), Some(&key)).await
            },
            async {
                of_login.wait().await;
                one.login(&name, PASSWORD).await
            },
        );
        let client = [&one, &other][round % 2];
        is_dead(client, "account_disabled", &session, &refreshed, &key).await;
        if logged_in.status == 200 {
            is_dead(client, "account_disabled", &logged_in, &refreshed, &key).await;
            // Not only because the account is disabled: the session itself has ended.
            pair.command(&["user", "enable", &name]).await;
            is_dead(client, "account_disabled", &logged_in, &refreshed, &key).await;
        } else if logged_in.status == 403 {
            logged_in.is(403, "account_disabled");
        } else {
            // The credentials changed while the password was hashed.
            logged_in.is(401, "invalid_credentials");
        }
        of_refresh.note(refreshed.status == 200);
        of_login.note(logged_in.status == 200);
    }
    of_refresh.went_both_ways("the refresh");
    of_login.went_both_ways("the login");
}
