//! Tests of wrong secrets of clients: how many are looked at, and who is not kept out by them.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;

use super::fixture::{CLIENT, EndpointFixture, SECRET, TestResponse, basic};
use super::introspect::FORM;

/// How many wrong secrets one address may give in a window, and how long that is.
const LIMIT: u32 = 100;
const WINDOW_SECONDS: i64 = 900;

/// Asks about a token with this secret, from this address.
async fn ask(fixture: &EndpointFixture, ip: &str, secret: &str) -> TestResponse {
    let request = TestRequest::post().uri("/oauth/introspect").insert_header(FORM);
    let request = request.peer_addr(format!("{ip}:1").parse().unwrap());
    fixture.send(request.insert_header(basic(CLIENT, secret)).set_payload("token=x")).await
}

/// Rows L7 and L9: wrong secrets are counted by where they come from. The header tells the truth,
/// and whoever has the right secret is let in all the while.
#[actix_web::test]
async fn l7_wrong_secrets_of_clients_are_counted_and_a_right_one_is_never_refused() {
    let fixture = EndpointFixture::new().await;
    for count in 1..=LIMIT {
        let response = ask(&fixture, "192.0.2.1", "wrong").await;
        assert_eq!(response.problem(), (401, "invalid_credentials".to_owned()), "{count}");
    }
    fixture.clock.advance_seconds(60);
    let response = ask(&fixture, "192.0.2.1", "wrong").await;
    assert_eq!(response.problem(), (429, "rate_limited".to_owned()));
    assert_eq!(response.header("www-authenticate"), None);
    assert!(response.json().get("error").is_none(), "OAuth has no word for it");
    let wait: i64 = response.header("retry-after").unwrap().parse().unwrap();
    assert_eq!(wait, WINDOW_SECONDS - 60);
    assert!(response.body.contains("Wait 840 seconds"), "{}", response.body);

    assert_eq!(ask(&fixture, "192.0.2.1", SECRET).await.status, StatusCode::OK);
    assert_eq!(ask(&fixture, "192.0.2.2", "wrong").await.status, StatusCode::UNAUTHORIZED);
    fixture.clock.advance_seconds(wait - 1);
    assert_eq!(ask(&fixture, "192.0.2.1", "wrong").await.status, StatusCode::TOO_MANY_REQUESTS);
    fixture.clock.advance_seconds(1);
    assert_eq!(ask(&fixture, "192.0.2.1", "wrong").await.status, StatusCode::UNAUTHORIZED);
}

/// What cannot be counted is not answered.
#[actix_web::test]
async fn a_wrong_secret_that_cannot_be_counted_is_told_nothing() {
    let fixture = EndpointFixture::new().await;
    fixture.break_store(true);
    let response = ask(&fixture, "192.0.2.1", "wrong").await;
    assert_eq!(response.problem(), (503, "unavailable".to_owned()));
}
