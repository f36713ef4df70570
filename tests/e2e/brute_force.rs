//! Guessing passwords at `/login`: rows L1, L2, L6, L8, L9 and INV16, with the limits of
//! `docs/rate-limits.md`.

mod addresses;
mod attack;
mod breached;
mod reset;
mod scopes;
mod soak;

use std::collections::BTreeMap;
use std::time::Instant;

use gateward_e2e::{Database, PASSWORD, TestResponse, on_both, root};
use serde_json::json;

use crate::support::pair::together;
use crate::support::responses::are_alike;
use attack::{BruteForceAttack, HOME, WRONG, address, login, wait_of};

on_both!(
    l1_of_two_hundred_tries_from_one_client_five_are_told,
    l1_of_a_hundred_tries_at_once_ten_are_told_at_the_most,
    l2_a_known_device_has_tries_of_its_own,
    l6_a_name_of_nobody_is_counted_like_any_other,
    l9_who_waits_as_long_as_told_is_looked_at,
);

/// A login with a wrong password, which must be refused.
#[track_caller]
fn is_told(response: &TestResponse) {
    response.is(401, "invalid_credentials");
    assert!(response.header("retry-after").is_none(), "{response:?}");
}

/// Rows L1 and L2: half as many as for a username, so that one client cannot use up the attempts of
/// a username.
async fn l1_of_two_hundred_tries_from_one_client_five_are_told(kind: Database) {
    let attack = BruteForceAttack::lay(kind, &[]).await;
    attack.begin("ada").await;
    let (started, thief) = (Instant::now(), "198.51.100.7");
    let mut told = 0;
    for number in 0..200 {
        let response = attack.login(thief, "ada", WRONG).await;
        if number < 5 || response.status == 401 {
            is_told(&response);
            told += 1;
        } else {
            wait_of(&response);
        }
    }
    assert!(told <= 5 + waits_within(started), "{told}");
    let right = attack.login(thief, "ada", PASSWORD).await;
    assert!(waits_within(started) > 0 || wait_of(&right) <= 30, "{right:?}");
    let owner = attack.login(HOME, "ada", PASSWORD).await;
    assert_eq!(owner.status, 200, "the owner is not kept out: {owner:?}");
}

/// Row L1: at once on both nodes, each attempt from a different IP address.
async fn l1_of_a_hundred_tries_at_once_ten_are_told_at_the_most(kind: Database) {
    let attack = BruteForceAttack::lay(kind, &[]).await;
    attack.begin("ada").await;
    let started = Instant::now();
    let responses = at_once(&attack, None).await;
    let told = responses.iter().filter(|response| response.status == 401).count();
    assert!((1..=10).contains(&told) || waits_within(started) > 0, "{told}");
    // A node that is too busy to check says so, which also reveals nothing.
    let silent = |response: &&TestResponse| [429, 503].contains(&response.status.as_u16());
    assert_eq!(responses.iter().filter(silent).count(), 100 - told, "{responses:#?}");

    // The rest of the allowance goes one by one. Then a right password among many is not found.
    let mut others = (100..).map(address);
    while attack.login(&others.next().unwrap(), "ada", WRONG).await.status == 401 {}
    let responses = at_once(&attack, Some(70)).await;
    let told = responses.iter().filter(|response| !silent(response)).count();
    assert!(told <= waits_within(started), "{responses:#?}");
}

/// Tries a username a hundred times at once, once with the right password perhaps.
async fn at_once(attack: &BruteForceAttack, right: Option<usize>) -> Vec<TestResponse> {
    let attempt = |number: usize| {
        let client = attack.client();
        let password = if right == Some(number) { PASSWORD } else { WRONG };
        async move { login(&client, &address(number), "ada", password).await }
    };
    together((0..100).map(attempt)).await
}

/// How many waits may have passed, each of which allows one more attempt: they take 30 s, 60 s, 120
/// s and so on, and a machine may be slow.
fn waits_within(started: Instant) -> usize {
    [30, 90, 210, 450, 930].into_iter().filter(|end| started.elapsed().as_secs() >= *end).count()
}

/// Row L2: a login with a known device token is counted by it alone.
async fn l2_a_known_device_has_tries_of_its_own(kind: Database) {
    let attack = BruteForceAttack::lay(kind, &[]).await;
    let own = attack.begin("ada").await;
    let device = own.text_of("known_device_token");
    let known = async |password: &str| {
        let body = json!({"username": "ada", "password": password, "known_device_token": device});
        attack.post(HOME, "/v1/login", body).await
    };
    let started = Instant::now();
    for _ in 0..10 {
        is_told(&known(WRONG).await);
    }
    let response = known(PASSWORD).await;
    assert!(waits_within(started) > 0 || wait_of(&response) <= 30, "{response:?}");
    // Only this user's attempts are used up: another user from the same IP address can log in, and
    // so can a request for an unknown username.
    assert_eq!(attack.login(HOME, "ada", PASSWORD).await.status, 200);
    let body =
        json!({"username": "ada", "password": PASSWORD, "known_device_token": "x".repeat(43)});
    assert_eq!(attack.post(HOME, "/v1/login", body).await.status, 200);
}

/// Row L6: the same responses in the same order, so they do not reveal which usernames exist.
async fn l6_a_name_of_nobody_is_counted_like_any_other(kind: Database) {
    let attack = BruteForceAttack::lay(kind, &[]).await;
    attack.begin("ada").await;
    let timeless = |mut response: TestResponse| {
        if response.status == 429 {
            wait_of(&response);
            response.body["detail"] = json!(null);
            response.text.clear();
        }
        response
    };
    for (known, nobody) in [("ada", "eve"), ("ada@example.org", "eve@example.org")] {
        let mut statuses = BTreeMap::<u16, usize>::new();
        for number in 0..13 {
            let from = address(number);
            let one = timeless(attack.login(&from, known, WRONG).await);
            let other = timeless(attack.login(&from, nobody, WRONG).await);
            are_alike(&one, &other);
            *statuses.entry(one.status.as_u16()).or_default() += 1;
        }
        assert_eq!(statuses, BTreeMap::from([(401, 10), (429, 3)]), "{known}");
    }
}

/// Row L9: each wait is twice as long, up to the window, and a retry after the announced wait
/// works.
async fn l9_who_waits_as_long_as_told_is_looked_at(kind: Database) {
    let Some((attack, mut clock)) = BruteForceAttack::lay_by_clock(kind).await else { return };
    let mut forward = |seconds| clock.forward(seconds);
    attack.begin("ada").await;
    attack.wear_out("ada", 10).await;
    for (number, longest) in [30, 60, 120, 240, 480, 900, 900].into_iter().enumerate() {
        let from = address(100 + number);
        let wait = wait_of(&attack.login(&from, "ada", WRONG).await);
        assert!(wait > longest / 2 && wait <= longest, "{wait} of {longest}");
        forward(wait / 2);
        let rest = wait_of(&attack.login(&from, "ada", PASSWORD).await);
        assert!(rest <= wait - wait / 2, "half of it is no wait: {rest} of {wait}");
        forward(rest);
        is_told(&attack.login(&from, "ada", WRONG).await);
    }
    forward(wait_of(&attack.login("203.0.113.1", "ada", PASSWORD).await));
    let owner = attack.login("203.0.113.1", "ada", PASSWORD).await;
    assert_eq!(owner.status, 200, "{owner:?}");

    // The same for a client, whose window starts with its first failure.
    for number in 0..100 {
        is_told(&attack.login("203.0.113.2", &format!("user{number}"), WRONG).await);
    }
    let wait = wait_of(&attack.login("203.0.113.2", "ada", PASSWORD).await);
    forward(wait / 2);
    let rest = wait_of(&attack.login("203.0.113.2", "ada", PASSWORD).await);
    assert!(rest <= wait - wait / 2, "{rest} of {wait}");
    forward(rest);
    assert_eq!(attack.login("203.0.113.2", "ada", PASSWORD).await.status, 200);
}

/// ASVS 6.1.1: the documented limits are the defaults.
#[test]
fn a6_1_1_the_document_tells_the_numbers_that_are_in_force() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).unwrap();
    let document = read("docs/rate-limits.md");
    let settings: toml::Table = read("config/default.toml").parse().unwrap();
    let rate_limit = settings["rate_limit"].as_table().unwrap();
    for (name, value) in rate_limit.iter().filter(|(_, value)| value.is_integer()) {
        let rest = document.split_once(&format!("`rate_limit.{name}`"));
        let rest = rest.unwrap_or_else(|| panic!("{name} is not explained")).1;
        let (told, _) = rest.split_once('(').unwrap().1.split_once(')').unwrap();
        assert_eq!(told, value.to_string(), "{name}");
    }
}
