//! Tests of reporting an unrecognized login, with the API and on the page.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use gateward_app::domain::email::EmailKind;
use gateward_app::domain::link::LinkPurpose;
use gateward_app::domain::ports::LinkMaker;
use serde_json::{Value, json};

use super::fixture::{EndpointFixture, LoggedIn, PASSWORD, TestResponse};

/// A fixture with an unrecognized login, and the token of the email about it.
async fn intruded() -> (EndpointFixture, LoggedIn, String) {
    let fixture = EndpointFixture::new().await;
    fixture.sign_in("ada", false).await;
    let intruder = fixture.log_in("ada", "Stranger/1").await;
    let token = token(&fixture);
    (fixture, intruder, token)
}

/// The token of the email about the new device.
fn token(fixture: &EndpointFixture) -> String {
    let links = fixture.store().links();
    let links: Vec<_> = links.iter().filter(|it| it.purpose == LinkPurpose::NotMe).collect();
    let [link] = links[..] else { panic!("{links:?}") };
    let secret = fixture.keyring.link_secret(&link.key_id, &link.salt).unwrap();
    secret.token.expose().to_owned()
}

async fn not_me(fixture: &EndpointFixture, body: Value) -> TestResponse {
    fixture.send(TestRequest::post().uri("/v1/sessions/not-me").set_json(body)).await
}

async fn on_the_page(fixture: &EndpointFixture, token: &str) -> TestResponse {
    let form = ("content-type", "application/x-www-form-urlencoded");
    let request = TestRequest::post().uri("/not-me").insert_header(form);
    fixture.send(request.set_payload(format!("token={token}"))).await
}

/// The session has ended, the password no longer works, and a password reset email is queued.
async fn assert_reported(fixture: &EndpointFixture, intruder: &LoggedIn) {
    let response = fixture.send(intruder.sends(TestRequest::get().uri("/v1/me"))).await;
    assert_eq!(response.problem(), (401, "session_ended".to_owned()));
    assert_eq!(response.json()["reason"], "not_me");
    let login = json!({ "username": "ada", "password": PASSWORD });
    let response = fixture.send(TestRequest::post().uri("/v1/login").set_json(login)).await;
    assert_eq!(response.problem(), (401, "invalid_credentials".to_owned()));
    assert_eq!(resets(fixture), 1);
}

fn resets(fixture: &EndpointFixture) -> usize {
    let emails = fixture.store().outbox_emails();
    emails.iter().filter(|message| message.kind == EmailKind::ForgotPassword).count()
}

#[actix_web::test]
async fn the_link_of_the_email_ends_the_session_once_and_begins_a_reset() {
    let (fixture, intruder, token) = intruded().await;
    let response = not_me(&fixture, json!({ "token": token })).await;
    assert_eq!((response.status, response.body.as_str()), (StatusCode::NO_CONTENT, ""));
    assert_reported(&fixture, &intruder).await;
    let again = not_me(&fixture, json!({ "token": token })).await;
    assert_eq!(again.problem(), (400, "invalid_link".to_owned()));
    assert_reported(&fixture, &intruder).await;
}

#[actix_web::test]
async fn what_is_not_the_link_does_nothing() {
    let (fixture, intruder, token) = intruded().await;
    for other in ["", "x", &token[1..], &token.to_uppercase(), &intruder.access, "'", "\u{0}"] {
        let response = not_me(&fixture, json!({ "token": other })).await;
        assert_eq!(response.problem(), (400, "invalid_link".to_owned()), "{other:?}");
    }
    for (body, status) in [
        (json!({}), 422),
        (json!({ "token": null }), 422),
        (json!({ "token": 1 }), 422),
        (json!({ "token": token, "session_id": intruder.session_id }), 422),
        (json!([token]), 400),
    ] {
        assert_eq!(not_me(&fixture, body.clone()).await.status.as_u16(), status, "{body}");
    }
    assert_eq!(resets(&fixture), 0);
    assert_eq!(not_me(&fixture, json!({ "token": token })).await.status, StatusCode::NO_CONTENT);
}

#[actix_web::test]
async fn the_page_behind_the_link_does_the_same_by_a_button() {
    let (fixture, intruder, token) = intruded().await;
    let page = fixture.send(TestRequest::get().uri("/not-me")).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("<button class=\"act\">Not me, secure my account</button>"));
    let empty = on_the_page(&fixture, "").await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(empty.body.contains("Paste the link from the email."));
    let done = on_the_page(&fixture, &token).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    assert!(done.body.contains("Your account is secured"));
    assert!(!done.body.contains(&token));
    assert_reported(&fixture, &intruder).await;
    let again = on_the_page(&fixture, &token).await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST);
    assert!(again.body.contains("This link has expired or was already used"));
}
