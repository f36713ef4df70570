//! Invitations: an account cannot be used until its owner has chosen a password.

use gateward_e2e::{Client, Database, PASSWORD, TestResponse, claims, on_both};
use reqwest::Method;
use serde_json::{Value, json};

use super::fixture::{AdminFixture, ask};
use crate::support::inbox::{link, link_token};
use crate::support::pages::{FORM, encode};
use crate::support::pair::together;
use crate::support::post::OTHER;

on_both!(
    whoever_is_invited_chooses_a_password_and_logs_in,
    the_page_of_an_invitation_does_what_the_api_does,
    an_invitation_works_once_though_it_is_accepted_everywhere_at_once,
    an_invitation_ends_with_a_reset_a_disabling_or_a_deletion,
    an_invitation_changes_no_account_that_is_there,
);

/// The title of the email.
const INVITED: &str = "You have been invited";

/// Has Grace invite a user, and returns the account and the token of the email.
async fn invite(fixture: &AdminFixture, name: &str, roles: &[&str]) -> (Value, String) {
    let body = json!({"username": name, "email": format!("{name}@example.org"), "roles": roles});
    let made = fixture.tell(&fixture.grace, "POST", "/users", &body).await;
    assert_eq!(made.status, 201, "{made:?}");
    let message = fixture.email(name, INVITED, 1).await;
    assert!(link(&message).contains("/accept-invitation#token="), "{message:#?}");
    assert!(!made.text.contains(link_token(&message)));
    (made.body, link_token(&message).to_owned())
}

async fn accept(client: &Client, token: &str, password: &str) -> TestResponse {
    let body = json!({"token": token, "password": password});
    client.send(client.post("/v1/invitation/accept", &body)).await
}

async fn whoever_is_invited_chooses_a_password_and_logs_in(kind: Database) {
    let fixture = AdminFixture::start(kind).await;
    let AdminFixture { one, other, grace, .. } = &fixture;
    let role = json!({"permissions": ["users:read"]});
    assert_eq!(fixture.tell(grace, "PUT", "/roles/support", &role).await.status, 201);
    let (user, token) = invite(&fixture, "ivy", &["support"]).await;
    assert_eq!(user["roles"], json!(["support", "user"]));
    assert_eq!((&user["email_verified"], &user["disabled"]), (&json!(false), &json!(false)));
    for password in [PASSWORD, OTHER, "ivy@example.org"] {
        other.login("ivy", password).await.is(401, "invalid_credentials");
    }
    // A refused password does not use the invitation.
    for password in ["short", "password1", "ivy@example.org"] {
        let refused = accept(other, &token, password).await;
        refused.is(422, "validation_failed");
        assert_eq!(refused.fields(), ["password"]);
    }
    let accepted = accept(other, &token, PASSWORD).await;
    assert_eq!((accepted.status.as_u16(), accepted.text.as_str()), (204, ""));
    let pair = one.login("ivy", PASSWORD).await;
    assert_eq!(pair.status, 200, "{pair:?}");
    assert_eq!(pair.body["user"]["id"], user["id"]);
    assert_eq!(pair.body["user"]["email_verified"], true);
    assert_eq!(claims(pair.access())["permissions"], json!(["users:read"]));
    assert_eq!(ask(other, &pair, "GET", "/users").await.status, 200);
    for client in [one, other] {
        accept(client, &token, OTHER).await.is(400, "invalid_link");
    }
    accept(one, &"A".repeat(43), OTHER).await.is(400, "invalid_link");
    fixture.pair.is_alive(&pair).await;
}

async fn the_page_of_an_invitation_does_what_the_api_does(kind: Database) {
    let fixture = AdminFixture::start(kind).await;
    let AdminFixture { one, other, .. } = &fixture;
    let (_, token) = invite(&fixture, "ivy", &[]).await;
    let shown = one.get("/accept-invitation").await;
    assert_eq!(shown.status, 200);
    assert!(shown.text.contains("name=\"new_password\""), "{shown:?}");
    let send = async |client: &Client, password: &str| {
        let form = encode(&[("token", token.as_str()), ("new_password", password)]);
        let request = client.request(Method::POST, "/accept-invitation");
        client.send(request.header("content-type", FORM).body(form)).await
    };
    assert_eq!(send(other, "short").await.status, 422);
    assert_eq!(send(other, PASSWORD).await.status, 200);
    assert_eq!(one.login("ivy", PASSWORD).await.status, 200);
    assert_eq!(send(one, OTHER).await.status, 400);
    one.login("ivy", OTHER).await.is(401, "invalid_credentials");
}

async fn an_invitation_works_once_though_it_is_accepted_everywhere_at_once(kind: Database) {
    let fixture = AdminFixture::start(kind).await;
    let (_, token) = invite(&fixture, "ivy", &[]).await;
    let password = |number: usize| format!("the password of number {number}");
    let tries = together((0..12).map(|number| {
        let client = [&fixture.one, &fixture.other][number % 2].clone();
        let (token, password) = (token.clone(), password(number));
        async move { (number, accept(&client, &token, &password).await) }
    }));
    let (good, bad): (Vec<_>, Vec<_>) =
        tries.await.into_iter().partition(|(_, response)| response.status == 204);
    assert_eq!(good.len(), 1, "{good:?} {bad:?}");
    for (number, response) in &bad {
        response.is(400, "invalid_link");
        fixture.one.login("ivy", &password(*number)).await.is(401, "invalid_credentials");
    }
    assert_eq!(fixture.one.login("ivy", &password(good[0].0)).await.status, 200);
}

async fn an_invitation_ends_with_a_reset_a_disabling_or_a_deletion(kind: Database) {
    let fixture = AdminFixture::start(kind).await;
    let AdminFixture { one, other, grace, .. } = &fixture;
    let act = async |method: &str, user: &Value, rest: &str| {
        let path = format!("/users/{}{rest}", user["id"].as_str().unwrap());
        let done = ask(one, grace, method, &path).await;
        assert!(done.status.is_success(), "{done:?}");
    };
    let is_dead = async |token: &str| {
        for client in [one, other] {
            accept(client, token, PASSWORD).await.is(400, "invalid_link");
        }
    };
    let (user, invitation) = invite(&fixture, "ivy", &[]).await;
    act("POST", &user, "/reset-password").await;
    let message = fixture.email("ivy", "Reset your password", 1).await;
    let body = json!({"token": link_token(&message), "new_password": OTHER});
    assert_eq!(other.send(other.post("/v1/password/reset", &body)).await.status, 204);
    is_dead(&invitation).await;
    let pair = one.login("ivy", OTHER).await;
    assert_eq!(pair.body["user"]["email_verified"], true, "{pair:?}");

    let (user, invitation) = invite(&fixture, "joe", &[]).await;
    act("POST", &user, "/disable").await;
    is_dead(&invitation).await;
    act("POST", &user, "/enable").await;
    is_dead(&invitation).await;
    one.login("joe", PASSWORD).await.is(401, "invalid_credentials");

    let (user, invitation) = invite(&fixture, "kim", &[]).await;
    act("DELETE", &user, "").await;
    is_dead(&invitation).await;
    // The next account of that name is a different one.
    let (next, fresh) = invite(&fixture, "kim-2", &[]).await;
    assert_ne!(next["id"], user["id"]);
    is_dead(&invitation).await;
    assert_eq!(accept(other, &fresh, PASSWORD).await.status, 204);
}

/// An invitation creates an account, or does nothing.
async fn an_invitation_changes_no_account_that_is_there(kind: Database) {
    let fixture = AdminFixture::start(kind).await;
    let AdminFixture { one, grace, .. } = &fixture;
    let ada = one.begin("ada").await;
    let invite = async |username: &str, email: &str| {
        let body = json!({"username": username, "email": email});
        fixture.tell(grace, "POST", "/users", &body).await
    };
    invite("Ada", "ivy@example.org").await.is(409, "username_taken");
    invite("ivy", "ADA@example.org").await.is(409, "email_taken");
    invite("support", "ivy@example.org").await.is(422, "validation_failed");
    invite("ivy", "ivy").await.is(422, "validation_failed");
    assert_eq!(one.me(ada.access()).await.body, ada.body["user"]);
    let found = ask(one, grace, "GET", "/users?q=ivy").await;
    assert_eq!(found.body["items"], json!([]));
}
