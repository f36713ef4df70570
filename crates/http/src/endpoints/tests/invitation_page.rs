//! Tests of the page for accepting an invitation.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use gateward_app::domain::link::LinkPurpose;
use gateward_app::domain::ports::LinkMaker;
use gateward_app::domain::{EmailAddress, Username};
use gateward_app::{AdminActor, Invitation};

use crate::testing::{FORM, PASSWORD, TestApp, TestResponse};

/// A service with an invitation of `ada`, and the token of the email.
async fn invited() -> (TestApp, String) {
    let test_app = TestApp::empty().await;
    let invitation = Invitation {
        username: Username::parse("ada").unwrap(),
        email: EmailAddress::parse("ada@example.org").unwrap(),
        roles: Vec::new(),
    };
    test_app.app.core().invite_user(AdminActor::Operator, invitation).await.unwrap();
    let links = test_app.store.links();
    let [link] = &links[..] else { panic!("{links:?}") };
    assert_eq!(link.purpose, LinkPurpose::Invitation);
    let secret = test_app.keyring.link_secret(&link.key_id, &link.salt).unwrap();
    let token = secret.token.expose().to_owned();
    (test_app, token)
}

async fn accept(test_app: &TestApp, token: &str, password: &str) -> TestResponse {
    let form = format!("token={token}&new_password={}", password.replace(' ', "+"));
    let request = TestRequest::post().uri("/accept-invitation").insert_header(FORM);
    let request = request.peer_addr("192.0.2.1:1".parse().unwrap());
    test_app.send(request.set_payload(form)).await
}

#[actix_web::test]
async fn the_owner_of_an_invitation_chooses_the_password_once() {
    let (test_app, token) = invited().await;
    let page = test_app.send(TestRequest::get().uri("/accept-invitation")).await;
    assert!(page.text.contains("<button class=\"act\">Set password</button>"));

    // Rejected passwords do not use the link, and the form is shown again.
    for (password, words) in [
        ("", "Enter a password."),
        ("short", "Use at least 8 characters."),
        ("password1", "This password is too common"),
        ("ada@example.org", "This password is too similar to your username"),
    ] {
        let response = accept(&test_app, &token, password).await;
        assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY, "{password}");
        assert!(response.text.contains(words), "{password}: {}", response.text);
        assert!(response.text.contains("id=\"new_password-wrong\""), "{password}");
        assert!(response.text.contains(&format!("name=\"token\" value=\"{token}\"")));
    }

    let done = accept(&test_app, &token, PASSWORD).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    assert!(done.text.contains("Your password is set") && !done.text.contains(&token));
    assert!(test_app.store.users()[0].email_verified);
    test_app.log_in("ada", "First/1").await;

    let again = accept(&test_app, &token, "another password").await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST);
    assert!(again.text.contains("This invitation has expired or was already used"));
    test_app.log_in("ada", "First/1").await;
}

#[actix_web::test]
async fn without_the_link_nothing_is_chosen() {
    let (test_app, token) = invited().await;
    let response = accept(&test_app, "", PASSWORD).await;
    assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(response.text.contains("Paste the link from the email."));
    for other in ["x", &token[1..], &token.to_uppercase()] {
        assert_eq!(accept(&test_app, other, PASSWORD).await.status, StatusCode::BAD_REQUEST);
    }
    assert!(!test_app.store.users()[0].email_verified);
    assert_eq!(accept(&test_app, &token, PASSWORD).await.status, StatusCode::OK);
}

/// Row L7: links have a rate limit; the page says how long to wait, and the form keeps the link.
#[actix_web::test]
async fn l7_too_many_wrong_links_are_told_on_the_page_with_the_wait() {
    let (test_app, token) = invited().await;
    for count in 1..=100 {
        let response = accept(&test_app, &format!("{count}"), PASSWORD).await;
        assert_eq!(response.status, StatusCode::BAD_REQUEST, "{count}");
    }
    let response = accept(&test_app, &token, PASSWORD).await;
    assert_eq!(response.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(response.header("retry-after"), "900");
    assert!(
        response.text.contains("Too many attempts. Wait 15 minutes, then submit the form again.")
    );
    assert!(response.text.contains(&token));
    test_app.clock.advance_seconds(900);
    assert_eq!(accept(&test_app, &token, PASSWORD).await.status, StatusCode::OK);
}
