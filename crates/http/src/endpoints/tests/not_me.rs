//! Tests of reporting an unrecognized login, with the API and on the page.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use gateward_app::domain::email::EmailKind;
use gateward_app::domain::link::LinkPurpose;
use gateward_app::domain::ports::LinkMaker;
use serde_json::{Value, json};

use crate::testing::{FORM, LoggedIn, PASSWORD, TestApp, TestResponse};

/// A service with an unrecognized login, and the token of the email about it.
async fn intruded() -> (TestApp, LoggedIn, String) {
    let test_app = TestApp::empty().await;
    test_app.user("ada").await;
    let intruder = test_app.log_in("ada", "Stranger/1").await;
    let token = token(&test_app);
    (test_app, intruder, token)
}

/// The token of the email about the new device.
fn token(test_app: &TestApp) -> String {
    let links = test_app.store.links();
    let links: Vec<_> = links.iter().filter(|it| it.purpose == LinkPurpose::NotMe).collect();
    let [link] = links[..] else { panic!("{links:?}") };
    let secret = test_app.keyring.link_secret(&link.key_id, &link.salt).unwrap();
    secret.token.expose().to_owned()
}

async fn not_me(test_app: &TestApp, body: Value) -> TestResponse {
    test_app.send(TestRequest::post().uri("/v1/sessions/not-me").set_json(body)).await
}

async fn on_the_page(test_app: &TestApp, token: &str) -> TestResponse {
    let request = TestRequest::post().uri("/not-me").insert_header(FORM);
    test_app.send(request.set_payload(format!("token={token}"))).await
}

/// The session has ended, the password no longer works, and a password reset email is queued.
async fn assert_reported(test_app: &TestApp, intruder: &LoggedIn) {
    let response = test_app.send(intruder.sends(TestRequest::get().uri("/v1/me"))).await;
    assert_eq!(response.problem(), (401, "session_ended".to_owned()));
    assert_eq!(response.json()["reason"], "not_me");
    let login = json!({ "username": "ada", "password": PASSWORD });
    let response = test_app.send(TestRequest::post().uri("/v1/login").set_json(login)).await;
    assert_eq!(response.problem(), (401, "invalid_credentials".to_owned()));
    assert_eq!(resets(test_app), 1);
}

fn resets(test_app: &TestApp) -> usize {
    let emails = test_app.store.outbox_emails();
    emails.iter().filter(|message| message.kind == EmailKind::ForgotPassword).count()
}

#[actix_web::test]
async fn the_link_of_the_email_ends_the_session_once_and_begins_a_reset() {
    let (test_app, intruder, token) = intruded().await;
    let response = not_me(&test_app, json!({ "token": token })).await;
    assert_eq!((response.status, response.text.as_str()), (StatusCode::NO_CONTENT, ""));
    assert_reported(&test_app, &intruder).await;
    let again = not_me(&test_app, json!({ "token": token })).await;
    assert_eq!(again.problem(), (400, "invalid_link".to_owned()));
    assert_reported(&test_app, &intruder).await;
}

#[actix_web::test]
async fn what_is_not_the_link_does_nothing() {
    let (test_app, intruder, token) = intruded().await;
    for other in ["", "x", &token[1..], &token.to_uppercase(), &intruder.access, "'", "\u{0}"] {
        let response = not_me(&test_app, json!({ "token": other })).await;
        assert_eq!(response.problem(), (400, "invalid_link".to_owned()), "{other:?}");
    }
    for (body, status) in [
        (json!({}), 422),
        (json!({ "token": null }), 422),
        (json!({ "token": 1 }), 422),
        (json!({ "token": token, "session_id": intruder.session_id }), 422),
        (json!([token]), 400),
    ] {
        assert_eq!(not_me(&test_app, body.clone()).await.status.as_u16(), status, "{body}");
    }
    assert_eq!(resets(&test_app), 0);
    assert_eq!(not_me(&test_app, json!({ "token": token })).await.status, StatusCode::NO_CONTENT);
}

#[actix_web::test]
async fn the_page_behind_the_link_does_the_same_by_a_button() {
    let (test_app, intruder, token) = intruded().await;
    let page = test_app.send(TestRequest::get().uri("/not-me")).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("<button class=\"act\">Not me, secure my account</button>"));
    let empty = on_the_page(&test_app, "").await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(empty.text.contains("Paste the link from the email."));
    let done = on_the_page(&test_app, &token).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    assert!(done.text.contains("Your account is secured"));
    assert!(!done.text.contains(&token));
    assert_reported(&test_app, &intruder).await;
    let again = on_the_page(&test_app, &token).await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST);
    assert!(again.text.contains("This link has expired or was already used"));
}
