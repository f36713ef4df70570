//! Guessing for a whole day, from a thousand IP addresses, and of a thousand usernames. Besides,
//! when counters are written.

use std::time::Instant;

use gateward_e2e::{Database, PASSWORD, TestDatabase, on_both};
use reqwest::Method;
use serde_json::json;

use super::attack::{BruteForceAttack, HOME, WRONG, address, login, request, wait_of};
use super::{is_told, waits_within};
use crate::support::commands::{create, said};
use crate::support::cookie_jar::{CookieJar, DEVICE, login_request};

on_both!(
    l1_a_name_is_tried_a_hundred_and_nine_times_on_the_first_day,
    l6_l8_inv16_one_account_is_tried_ten_times_from_a_thousand_addresses,
    l6_inv16_one_client_tries_a_hundred_of_a_thousand_names,
);

/// Row L1: with any number of IP addresses, and no wait beyond the announced one.
async fn l1_a_name_is_tried_a_hundred_and_nine_times_on_the_first_day(kind: Database) {
    let Some((attack, mut clock)) = BruteForceAttack::lay_by_clock(kind).await else { return };
    attack.begin("ada").await;
    let (started, mut told) = (Instant::now(), 0);
    for number in 0.. {
        let response = attack.login(&address(number), "ada", WRONG).await;
        if response.status == 429 {
            clock.forward(wait_of(&response));
        } else {
            is_told(&response);
            told += 1;
        }
        if clock.since(started) > 24 * 3600 {
            break;
        }
    }
    assert_eq!(told, 109);
}

/// Rows L6, L8 and INV16: on two nodes in turn, with kills in between. The owner logs in meanwhile.
async fn l6_l8_inv16_one_account_is_tried_ten_times_from_a_thousand_addresses(kind: Database) {
    let mut attack = BruteForceAttack::processes(kind).await;
    let own = attack.begin("ada").await;
    let client = attack.client();
    let cookie_jar = CookieJar::of(&client.send(login_request(&client, "ada")).await);
    let (started, mut told) = (Instant::now(), 0);
    for number in 0..1000 {
        if number == 500 {
            attack.crash().await;
        }
        let response = attack.login(&address(number), "ada", WRONG).await;
        if number < 10 || response.status == 401 {
            is_told(&response);
            told += 1;
        } else {
            wait_of(&response);
        }
        if number % 200 == 199 {
            owner_gets_in(&attack, own.text_of("known_device_token"), &cookie_jar).await;
        }
    }
    assert!(told <= 10 + waits_within(started), "{told}");
    for client in attack.clients() {
        let stranger = login(client, "203.0.113.1", "ada", PASSWORD).await;
        assert!(waits_within(started) > 0 || wait_of(&stranger) <= 30, "{stranger:?}");
    }
}

/// Logs in by a known device on both nodes, with bearer tokens and in cookie mode.
async fn owner_gets_in(attack: &BruteForceAttack, device: &str, cookie_jar: &CookieJar) {
    for client in attack.clients() {
        let body = json!({"username": "ada", "password": PASSWORD, "known_device_token": device});
        // From the attacker's IP address, too.
        for from in [HOME, &address(3)] {
            let by_token = request(client, from, Method::POST, "/v1/login", &body);
            let response = client.send(by_token).await;
            assert_eq!(response.status, 200, "{response:?}");
        }
        let cookie = format!("{DEVICE}={}", cookie_jar.get(DEVICE));
        let by_cookie = login_request(client, "ada").header("cookie", cookie);
        let response = client.send(by_cookie.header("x-forwarded-for", address(4))).await;
        assert_eq!(response.status, 200, "{response:?}");
    }
}

/// Rows L6 and INV16: a client is an IPv4 address, or an IPv6 network of 64 bits.
async fn l6_inv16_one_client_tries_a_hundred_of_a_thousand_names(kind: Database) {
    let mut attack = BruteForceAttack::processes(kind).await;
    attack.begin("ada").await;
    for is_old in [true, false] {
        let from = |number: usize| {
            if is_old {
                "203.0.113.9".to_owned()
            } else {
                format!("2001:db8:1:2:{:x}::{number:x}", number % 7)
            }
        };
        let neighbour = if is_old { "203.0.113.10" } else { "2001:db8:1:3::1" };
        for number in 0..1000 {
            if number == 500 {
                attack.crash().await;
            }
            // Some usernames exist.
            let name = if number % 99 == 1 { "ada" } else { &format!("user{number}") };
            let response = attack.login(&from(number), name, WRONG).await;
            if number < 100 {
                is_told(&response);
            } else {
                wait_of(&response);
            }
        }
        wait_of(&attack.login(&from(1000), "ada", PASSWORD).await);
        let other = attack.login(neighbour, "ada", PASSWORD).await;
        assert_eq!(other.status, 200, "{other:?}");
    }
}

/// The current count.
async fn counter(database: &TestDatabase) -> i64 {
    let row =
        database.postgres().await.query_one("SELECT count(*) FROM rate_limit_counters", &[]).await;
    row.unwrap().get(0)
}

/// Writes cost time, and could be used to fill the table.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_counted_while_nothing_goes_wrong() {
    let attack = BruteForceAttack::lay(Database::Postgres, &[]).await;
    said(&create(&attack.pair.plan, ("ada", "ada@example.org"), PASSWORD));
    for number in 0..50 {
        let session = attack.login(&address(number), "ada", PASSWORD).await;
        assert_eq!(session.status, 200, "{session:?}");
        let client = attack.client();
        let body = json!({"password": PASSWORD});
        let again = client.post_as(session.access(), "/v1/me/reauthenticate", &body).await;
        assert_eq!(again.status, 200, "{again:?}");
    }
    assert_eq!(counter(&attack.pair.database).await, 0);
    attack.login(HOME, "ada", WRONG).await.is(401, "invalid_credentials");
    assert_eq!(counter(&attack.pair.database).await, 3, "for the name, the pair and the client");
    assert_eq!(attack.login(HOME, "ada", PASSWORD).await.status, 200);
    assert_eq!(counter(&attack.pair.database).await, 1, "for the client");
    // Attempts during a wait are not counted.
    attack.wear_out("ada", 10).await;
    let before = counter(&attack.pair.database).await;
    for number in 0..20 {
        wait_of(&attack.login(&address(100 + number), "ada", WRONG).await);
    }
    assert_eq!(counter(&attack.pair.database).await, before);
}
