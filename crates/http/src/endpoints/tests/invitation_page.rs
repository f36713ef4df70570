//! Tests of the page for accepting an invitation.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use gateward_app::domain::link::LinkPurpose;
use gateward_app::domain::ports::LinkMaker;
use gateward_app::domain::{EmailAddress, Username};
use gateward_app::{AdminActor, Invitation};

use super::fixture::{EndpointFixture, PASSWORD, TestResponse};
use super::introspect::FORM;

/// A fixture with an invitation of `ada`, and the token of the email.
async fn invited() -> (EndpointFixture, String) {
    let fixture = EndpointFixture::new().await;
    let invitation = Invitation {
        username: Username::parse("ada").unwrap(),
        email: EmailAddress::parse("ada@example.org").unwrap(),
        roles: Vec::new(),
    };
    fixture.app.core().invite_user(AdminActor::Operator, invitation).await.unwrap();
    let links = fixture.store().links();
    let [link] = &links[..] else { panic!("{links:?}") };
    assert_eq!(link.purpose, LinkPurpose::Invitation);
    let secret = fixture.keyring.link_secret(&link.key_id, &link.salt).unwrap();
    let token = secret.token.expose().to_owned();
    (fixture, token)
}

async fn accept(fixture: &EndpointFixture, token: &str, password: &str) -> TestResponse {
    let form = format!("token={token}&new_password={}", password.replace(' ', "+"));
    let request = TestRequest::post().uri("/accept-invitation").insert_header(FORM);
    let request = request.peer_addr("192.0.2.1:1".parse().unwrap());
    fixture.send(request.set_payload(form)).await
}

#[actix_web::test]
async fn the_owner_of_an_invitation_chooses_the_password_once() {
    let (fixture, token) = invited().await;
    let page = fixture.send(TestRequest::get().uri("/accept-invitation")).await;
    assert!(page.body.contains("<button class=\"act\">Set password</button>"));

    // Rejected passwords do not use the link, and the form is shown again.
    for (password, words) in [
        ("", "Enter a password."),
        ("short", "Use at least 8 characters."),
        ("password1", "This password is too common"),
        ("ada@example.org", "This password is too similar to your username"),
    ] {
        let response = accept(&fixture, &token, password).await;
        assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY, "{password}");
        assert!(response.body.contains(words), "{password}: {}", response.body);
        assert!(response.body.contains("id=\"new_password-wrong\""), "{password}");
        assert!(response.body.contains(&format!("name=\"token\" value=\"{token}\"")));
    }

    let done = accept(&fixture, &token, PASSWORD).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    assert!(done.body.contains("Your password is set") && !done.body.contains(&token));
    assert!(fixture.store().users()[0].email_verified);
    fixture.log_in("ada", "First/1").await;

    let again = accept(&fixture, &token, "another password").await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST);
    assert!(again.body.contains("This invitation has expired or was already used"));
    fixture.log_in("ada", "First/1").await;
}

#[actix_web::test]
async fn without_the_link_nothing_is_chosen() {
    let (fixture, token) = invited().await;
    let response = accept(&fixture, "", PASSWORD).await;
    assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(response.body.contains("Paste the link from the email."));
    for other in ["x", &token[1..], &token.to_uppercase()] {
        assert_eq!(accept(&fixture, other, PASSWORD).await.status, StatusCode::BAD_REQUEST);
    }
    assert!(!fixture.store().users()[0].email_verified);
    assert_eq!(accept(&fixture, &token, PASSWORD).await.status, StatusCode::OK);
}

/// Row L7: links have a rate limit; the page says how long to wait, and the form keeps the link.
#[actix_web::test]
async fn l7_too_many_wrong_links_are_told_on_the_page_with_the_wait() {
    let (fixture, token) = invited().await;
    for count in 1..=100 {
        let response = accept(&fixture, &format!("{count}"), PASSWORD).await;
        assert_eq!(response.status, StatusCode::BAD_REQUEST, "{count}");
    }
    let response = accept(&fixture, &token, PASSWORD).await;
    assert_eq!(response.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(response.header("retry-after"), Some("900"));
    assert!(
        response.body.contains("Too many attempts. Wait 15 minutes, then submit the form again.")
    );
    assert!(response.body.contains(&token));
    fixture.clock.advance_seconds(900);
    assert_eq!(accept(&fixture, &token, PASSWORD).await.status, StatusCode::OK);
}
