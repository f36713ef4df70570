//! Refreshing by cookie.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use serde_json::json;

use super::world::{Browser, World};

const PATH: &str = "/v1/refresh";

#[actix_web::test]
async fn a_refresh_by_cookie_sets_the_next_cookies() {
    let world = World::new().await;
    let first = world.browser().await;
    world.clock.advance_seconds(60);
    let answer = world.ask(first.request("POST", PATH)).await.is(StatusCode::OK);
    assert_eq!(answer.members(), ["csrf_token", "expires_in", "session_id", "user"]);
    assert_eq!(answer.text_of("session_id"), first.session_id);
    let second = Browser::of(&answer);
    assert_eq!(second.csrf, first.csrf, "it is the same for the whole session");
    assert_ne!(second.access, first.access);
    assert_ne!(second.refresh, first.refresh);
    let names: Vec<&str> =
        answer.cookies().iter().map(|line| line.split('=').next().unwrap()).collect();
    let session = ["__Host-gateward-access", "__Secure-gateward-refresh", "__Host-gateward-csrf"];
    assert_eq!(names, session);
    for value in [&second.access, &second.refresh] {
        assert!(!answer.text.contains(value.as_str()));
    }
    world.ask(second.bare("GET", "/v1/me")).await.is(StatusCode::OK);
    let empty = second.request("POST", PATH).set_json(json!({}));
    world.ask(empty).await.is(StatusCode::OK);
}

#[actix_web::test]
async fn cookies_are_kept_for_the_rest_of_the_session() {
    let world = World::new().await;
    let mut browser = world.browser().await;
    let mut lives = Vec::new();
    for _ in 0..4 {
        world.clock.advance_seconds(6 * 24 * 3600);
        let answer = world.ask(browser.request("POST", PATH)).await.is(StatusCode::OK);
        for line in answer.cookies() {
            let max_age = line.split("Max-Age=").nth(1).unwrap().split(';').next().unwrap();
            lives.push(max_age.parse::<i64>().unwrap() / (24 * 3600));
        }
        browser = Browser::of(&answer);
    }
    assert_eq!(lives, [7, 7, 7, 7, 7, 7, 7, 7, 7, 6, 6, 6], "thirty days in all");
}

#[actix_web::test]
async fn a_refresh_by_cookie_is_repeated_by_its_key() {
    let world = World::new().await;
    let first = world.browser().await;
    let ask = |key| world.ask(first.request("POST", PATH).insert_header(("idempotency-key", key)));
    let second = Browser::of(&ask("k1").await.is(StatusCode::OK));
    world.clock.advance_seconds(600);
    let again = Browser::of(&ask("k1").await.is(StatusCode::OK));
    assert_eq!(second.refresh, again.refresh);
    assert_ne!(second.access, again.access);
}

/// A browser whose other tab was faster keeps what the other tab got.
#[actix_web::test]
async fn a_refused_refresh_clears_no_cookie() {
    let world = World::new().await;
    let first = world.browser().await;
    let second = Browser::of(&world.ask(first.request("POST", PATH)).await);
    Browser::of(&world.ask(second.request("POST", PATH)).await);
    let loser = || world.ask(first.request("POST", PATH));
    loser().await.is(StatusCode::UNAUTHORIZED).refused("refresh_token_reused");
    loser().await.is(StatusCode::UNAUTHORIZED).refused("session_ended");
    world.clock.advance_seconds(7 * 24 * 3600);
    loser().await.is(StatusCode::UNAUTHORIZED).refused("token_expired");
    let garbage = Browser { refresh: "e30.e30.e30".to_owned(), ..first.clone() };
    let answer = world.ask(garbage.request("POST", PATH)).await;
    answer.is(StatusCode::UNAUTHORIZED).refused("invalid_token");
    let access = Browser { refresh: second.access, ..first };
    let answer = world.ask(access.request("POST", PATH)).await;
    answer.is(StatusCode::UNAUTHORIZED).refused("wrong_token_kind");
}

#[actix_web::test]
async fn a_refresh_token_in_body_and_cookie_is_refused() {
    let world = World::new().await;
    let browser = world.browser().await;
    let body = json!({"refresh_token": browser.refresh});
    for request in [browser.request("POST", PATH), browser.bare("POST", PATH)] {
        let answer = world.ask(request.set_json(&body)).await;
        answer.is(StatusCode::BAD_REQUEST).refused("malformed_request");
    }
    let twice =
        format!("__Secure-gateward-refresh={0}; __Secure-gateward-refresh={0}", browser.refresh);
    let request = TestRequest::post().uri(PATH).insert_header(("cookie", twice));
    let request = request.insert_header(("x-csrf-token", browser.csrf.as_str()));
    let answer = world.ask(request).await;
    answer.is(StatusCode::BAD_REQUEST).refused("malformed_request");
    let unknown = browser.request("POST", PATH).set_json(json!({"refreshToken": "x"}));
    let answer = world.ask(unknown).await;
    answer.is(StatusCode::UNPROCESSABLE_ENTITY).refused("validation_failed");
    // None of them has used the token up.
    world.ask(browser.request("POST", PATH)).await.is(StatusCode::OK);
}

#[actix_web::test]
async fn a_refresh_by_body_sets_no_cookie_and_needs_no_csrf_token() {
    let world = World::new().await;
    let (browser, bearer) = (world.browser().await, world.bearer().await);
    let body = json!({"refresh_token": bearer.text_of("refresh_token")});
    // The access token of another session, in its cookie, is not looked at.
    let line = format!("__Host-gateward-access={}", browser.access);
    let request = TestRequest::post().uri(PATH).insert_header(("cookie", line));
    let answer = world.ask(request.set_json(body)).await.is(StatusCode::OK);
    assert_eq!(answer.cookies(), [""; 0]);
    assert_eq!(answer.body["session_id"], bearer.body["session_id"]);
    // Without any token the body is wanted, as ever.
    let answer = world.ask(TestRequest::post().uri(PATH).set_json(json!({}))).await;
    answer.is(StatusCode::UNPROCESSABLE_ENTITY).refused("validation_failed");
}
