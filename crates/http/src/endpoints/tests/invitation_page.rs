//! Tests of the page on which an invitation is accepted.

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use gateward_app::domain::link::LinkPurpose;
use gateward_app::domain::ports::LinkMaker;
use gateward_app::domain::{Email, Username};
use gateward_app::{By, Invitation};

use super::introspect::FORM;
use super::stage::{Answer, PASSWORD, Stage};

/// A stage on which `ada` is invited, and the token of the letter.
async fn invited() -> (Stage, String) {
    let stage = Stage::new().await;
    let invitation = Invitation {
        username: Username::parse("ada").unwrap(),
        email: Email::parse("ada@example.org").unwrap(),
        roles: Vec::new(),
    };
    stage.app.core().invite_user(By::Operator, invitation).await.unwrap();
    let links = stage.store().links();
    let [link] = &links[..] else { panic!("{links:?}") };
    assert_eq!(link.purpose, LinkPurpose::Invitation);
    let secret = stage.keyring.link_secret(&link.key_id, &link.salt).unwrap();
    let token = secret.token.expose().to_owned();
    (stage, token)
}

async fn accept(stage: &Stage, token: &str, password: &str) -> Answer {
    let form = format!("token={token}&new_password={}", password.replace(' ', "+"));
    let request = TestRequest::post().uri("/accept-invitation").insert_header(FORM);
    let request = request.peer_addr("192.0.2.1:1".parse().unwrap());
    stage.send(request.set_payload(form)).await
}

#[actix_web::test]
async fn the_owner_of_an_invitation_chooses_the_password_once() {
    let (stage, token) = invited().await;
    let page = stage.send(TestRequest::get().uri("/accept-invitation")).await;
    assert!(page.body.contains("<button class=\"act\">Set my password</button>"));

    // What is refused leaves the link as it was, and the form with it.
    for (password, words) in [
        ("", "Type the password."),
        ("short", "Use at least 8 characters."),
        ("password1", "passwords that others try first"),
        ("ada@example.org", "Do not make the password of your own name or address"),
    ] {
        let answer = accept(&stage, &token, password).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{password}");
        assert!(answer.body.contains(words), "{password}: {}", answer.body);
        assert!(answer.body.contains("id=\"new_password-wrong\""), "{password}");
        assert!(answer.body.contains(&format!("name=\"token\" value=\"{token}\"")));
    }

    let done = accept(&stage, &token, PASSWORD).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.body);
    assert!(done.body.contains("Your password is set") && !done.body.contains(&token));
    assert!(stage.store().users()[0].email_verified);
    stage.log_in("ada", "First/1").await;

    let again = accept(&stage, &token, "another password").await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST);
    assert!(again.body.contains("This invitation is not good any more"));
    stage.log_in("ada", "First/1").await;
}

#[actix_web::test]
async fn without_the_link_nothing_is_chosen() {
    let (stage, token) = invited().await;
    let answer = accept(&stage, "", PASSWORD).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.body.contains("Paste the link of the letter."));
    for other in ["x", &token[1..], &token.to_uppercase()] {
        assert_eq!(accept(&stage, other, PASSWORD).await.status, StatusCode::BAD_REQUEST);
    }
    assert!(!stage.store().users()[0].email_verified);
    assert_eq!(accept(&stage, &token, PASSWORD).await.status, StatusCode::OK);
}

/// Row L7: links are a pathway too; people are told how long to wait, and the form keeps the link.
#[actix_web::test]
async fn l7_too_many_wrong_links_are_told_on_the_page_with_the_wait() {
    let (stage, token) = invited().await;
    for count in 1..=100 {
        let answer = accept(&stage, &format!("{count}"), PASSWORD).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{count}");
    }
    let answer = accept(&stage, &token, PASSWORD).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.header("retry-after"), Some("900"));
    assert!(answer.body.contains("There were too many tries. Wait 15 minutes, and send the form"));
    assert!(answer.body.contains(&token));
    stage.clock.advance_seconds(900);
    assert_eq!(accept(&stage, &token, PASSWORD).await.status, StatusCode::OK);
}
