//! Wrong passwords at login: how many are accepted, for whom, and how long the wait is.

use gateward_domain::rate_limit::BACKOFF_RESET_SECONDS;
use gateward_domain::{EventKind, RequestInfo, TokenText};

use super::attempts::{WRONG, at, attempt, from, said, with_ada};
use super::mailbox::open_test_app;
use super::test_app::{PASSWORD, TestApp, policy};
use crate::{Login, LoginError, Policy};

#[tokio::test]
async fn l1_of_two_hundred_wrong_passwords_from_one_client_five_are_looked_at() {
    let (test_app, memory) = with_ada().await;
    let before = test_app.hasher.verified();
    for number in 0..200 {
        let response = test_app.try_at("ada", WRONG, from(1)).await;
        assert_eq!(response, if number < 5 { "wrong" } else { "30" }, "{number}");
    }
    assert_eq!(test_app.hasher.verified() - before, 5);
    let events = memory.events();
    let told = |kind| events.iter().filter(|event| event.kind == kind).count();
    assert_eq!((told(EventKind::LoginFailed), told(EventKind::RateLimited)), (5, 1));
    let rate_limited = events.iter().find(|event| event.kind == EventKind::RateLimited).unwrap();
    assert_eq!((rate_limited.detail.as_deref(), rate_limited.ip), (Some("login"), from(1).ip));
    assert_eq!(
        test_app.try_at("ada", PASSWORD, from(2)).await,
        "in",
        "others have half of it left"
    );
}

#[tokio::test]
async fn l1_l6_ten_wrong_passwords_from_anywhere_use_a_name_up() {
    let (test_app, _) = with_ada().await;
    test_app.attempt_on_name("ada", 10).await;
    for number in 10..1000 {
        assert_eq!(test_app.try_at("ada", WRONG, from(number)).await, "30");
    }
    assert_eq!(test_app.try_at("ada", PASSWORD, from(1001)).await, "30", "not even the right one");
}

#[tokio::test]
async fn l6_one_try_on_each_of_a_thousand_names_from_one_client_ends_at_a_hundred() {
    let (test_app, _) = with_ada().await;
    for number in 0..1000 {
        let response = test_app.try_at(&format!("name-{number}"), WRONG, from(1)).await;
        assert_eq!(response, if number < 100 { "wrong" } else { "900" }, "{number}");
    }
    assert_eq!(test_app.try_at("ada", PASSWORD, from(1)).await, "900");
    assert_eq!(test_app.try_at("ada", PASSWORD, from(2)).await, "in", "another user");
}

#[tokio::test]
async fn a_name_without_an_account_is_counted_like_one_that_has_one() {
    let (test_app, _) = with_ada().await;
    let mut heard = Vec::new();
    for name in ["ada", "ada@example.org", "nobody", "nobody@example.org"] {
        let mut responses = Vec::new();
        for number in 0..12 {
            responses.push(test_app.try_at(name, WRONG, from(number)).await);
        }
        heard.push(responses);
    }
    assert!(heard.iter().all(|responses| *responses == heard[0]), "{heard:?}");
}

/// All spellings of a username share one counter.
#[tokio::test]
async fn another_spelling_of_a_name_is_not_another_name() {
    let (test_app, _) = with_ada().await;
    test_app.attempt_on_name("ada", 9).await;
    assert_eq!(test_app.try_at("ADA", WRONG, from(9)).await, "wrong");
    assert_eq!(test_app.try_at("Ada", PASSWORD, from(10)).await, "30");
}

#[tokio::test]
async fn l9_a_wait_is_as_long_as_it_was_told_to_be_and_the_next_is_longer() {
    let (test_app, _) = with_ada().await;
    test_app.attempt_on_name("ada", 10).await;
    for wait in [30, 60, 120, 240, 480, 900, 900] {
        assert_eq!(test_app.try_at("ada", PASSWORD, from(99)).await, wait.to_string());
        test_app.clock.advance_seconds(wait - 1);
        assert_eq!(test_app.try_at("ada", PASSWORD, from(99)).await, "1");
        test_app.clock.advance_seconds(1);
        assert_eq!(test_app.try_at("ada", WRONG, from(99)).await, "wrong", "one more is looked at");
        assert_ne!(test_app.try_at("ada", WRONG, from(98)).await, "wrong", "and no other");
    }
    test_app.clock.advance_seconds(900);
    assert_eq!(test_app.try_at("ada", PASSWORD, from(99)).await, "in");
}

#[tokio::test]
async fn l9_a_client_that_waits_as_long_as_it_is_told_gets_in() {
    let (test_app, _) = with_ada().await;
    for number in 0..100 {
        test_app.clock.advance_seconds(1);
        let response = test_app.try_at(&format!("name-{number}"), WRONG, from(1)).await;
        assert_eq!(response, "wrong");
    }
    let wait: i64 = test_app.try_at("ada", PASSWORD, from(1)).await.parse().unwrap();
    assert_eq!(wait, 801, "the window began with the first one");
    test_app.clock.advance_seconds(wait - 1);
    assert_eq!(test_app.try_at("ada", PASSWORD, from(1)).await, "1");
    test_app.clock.advance_seconds(1);
    assert_eq!(test_app.try_at("ada", PASSWORD, from(1)).await, "in");
}

#[tokio::test]
async fn a_network_of_64_bits_is_one_client() {
    let (test_app, _) = with_ada().await;
    for number in 0..5 {
        let request_info = at(&format!("2001:db8:1:2::{number}"));
        assert_eq!(test_app.try_at("ada", WRONG, request_info).await, "wrong");
    }
    assert_eq!(test_app.try_at("ada", PASSWORD, at("2001:db8:1:2:9::9")).await, "30");
    assert_eq!(test_app.try_at("ada", PASSWORD, at("2001:db8:1:3::1")).await, "in");
}

#[tokio::test]
async fn l2_a_known_device_gets_in_while_strangers_keep_the_account_busy() {
    let (test_app, _) = with_ada().await;
    let device =
        test_app.app.login(attempt("ada", PASSWORD, from(1))).await.unwrap().known_device_token;
    test_app.attempt_on_name("ada", 10).await;
    for _ in 0..20 {
        assert_eq!(test_app.try_at("ada", PASSWORD, from(50)).await, "30", "a stranger waits");
        assert_eq!(by_device(&test_app, PASSWORD, &device, from(50)).await, "in");
    }
}

#[tokio::test]
async fn l1_a_known_device_has_an_allowance_that_ends_too() {
    let (test_app, _) = with_ada().await;
    let device =
        test_app.app.login(attempt("ada", PASSWORD, from(1))).await.unwrap().known_device_token;
    for number in 0..10 {
        assert_eq!(by_device(&test_app, WRONG, &device, from(number)).await, "wrong");
    }
    assert_eq!(by_device(&test_app, PASSWORD, &device, from(20)).await, "30");
    assert_eq!(
        test_app.try_at("ada", PASSWORD, from(20)).await,
        "in",
        "no other user waits for it"
    );
}

#[tokio::test]
async fn a_client_that_is_known_to_another_account_is_a_stranger() {
    let (test_app, _) = with_ada().await;
    test_app.owner("eve", |_| ()).await;
    let device =
        test_app.app.login(attempt("eve", PASSWORD, from(1))).await.unwrap().known_device_token;
    for number in 0..10 {
        assert_eq!(by_device(&test_app, WRONG, &device, from(number)).await, "wrong");
    }
    assert_eq!(by_device(&test_app, WRONG, &device, from(20)).await, "30");
    assert_eq!(test_app.try_at("ada", PASSWORD, from(20)).await, "30", "it counted as anybody");
}

async fn by_device(
    test_app: &TestApp,
    text: &str,
    device: &TokenText,
    request_info: RequestInfo,
) -> String {
    let known_device_token = Some(device.clone());
    said(
        test_app
            .app
            .login(Login { known_device_token, ..attempt("ada", text, request_info) })
            .await,
    )
}

#[tokio::test]
async fn who_gets_in_starts_anew_and_the_client_does_not() {
    let (test_app, _) = with_ada().await;
    for number in 0..100 {
        assert_eq!(test_app.try_at("ada", WRONG, from(1)).await, "wrong", "{number}");
        if number % 4 == 3 && number < 99 {
            assert_eq!(test_app.try_at("ada", PASSWORD, from(1)).await, "in", "{number}");
        }
    }
    assert_eq!(test_app.try_at("ada", PASSWORD, from(1)).await, "900", "a hundred were wrong");
}

#[tokio::test]
async fn the_right_password_of_a_disabled_account_counts_and_is_written_down() {
    let (test_app, memory) = with_ada().await;
    test_app.set_disabled("ada", true).await;
    for number in 0..10 {
        let refused = test_app.app.login(attempt("ada", PASSWORD, from(number))).await;
        assert!(matches!(refused, Err(LoginError::Disabled(_))), "{number}");
    }
    assert_eq!(test_app.try_at("ada", PASSWORD, from(99)).await, "30");
    let told = |event: &&gateward_domain::Event| event.kind == EventKind::LoginRefused;
    assert_eq!(memory.events().iter().filter(told).count(), 10);
}

#[tokio::test]
async fn what_was_wrong_is_forgotten_a_day_after_the_last_of_it() {
    let (test_app, _) = with_ada().await;
    test_app.attempt_on_name("ada", 10).await;
    test_app.clock.advance_seconds(BACKOFF_RESET_SECONDS);
    test_app.attempt_on_name("ada", 10).await;
}

#[tokio::test]
async fn where_rate_limits_are_off_nothing_is_counted() {
    let (test_app, _) = open_test_app(Policy { rate_limit: None, ..policy() }).await;
    test_app.owner("ada", |_| ()).await;
    for _ in 0..150 {
        assert_eq!(test_app.try_at("ada", WRONG, from(1)).await, "wrong");
    }
    assert_eq!(test_app.try_at("ada", PASSWORD, from(1)).await, "in");
    assert_eq!(test_app.counts().await, 0);
}

#[tokio::test]
async fn where_nothing_is_wrong_nothing_is_counted() {
    let (test_app, _) = with_ada().await;
    assert_eq!(test_app.try_at("ada", PASSWORD, from(1)).await, "in");
    assert_eq!(test_app.counts().await, 0);
    assert_eq!(test_app.try_at("ada", WRONG, from(1)).await, "wrong");
    assert_eq!(test_app.counts().await, 3, "of the name, the client and the two together");
}
