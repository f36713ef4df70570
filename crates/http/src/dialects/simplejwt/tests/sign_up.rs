//! Tests of sign-ups.

use gateward_app::domain::{EmailAddress, Password, Username};
use gateward_app::{NewAccount, Policy};
use serde_json::{Value, json};

use super::fixture::{LOGIN, USERS, is_error, is_ok, options_with, post, service};
use crate::testing::{TestApp, policy};

const NEW_PASSWORD: &str = "seven lamps by the river";

fn grace() -> Value {
    json!({"username": "grace", "email": "Grace@example.org", "password": NEW_PASSWORD})
}

/// The sign-up with another field.
fn with(name: &str, value: impl Into<Value>) -> Value {
    let mut body = grace();
    body[name] = value.into();
    body
}

/// A service with one account, `ada`.
async fn service_with(policy: Policy) -> TestApp {
    let test_app = TestApp::set_up(options_with(true), policy).await;
    let ada = NewAccount {
        username: Username::parse("ada").unwrap(),
        email: EmailAddress::parse("ada@example.org").unwrap(),
        password: Password::received(NEW_PASSWORD.to_owned()).unwrap(),
        admin: false,
    };
    test_app.app.core().create_user(ada).await.unwrap();
    test_app
}

#[actix_web::test]
async fn a_user_signs_up_and_logs_in() {
    let test_app = service().await;
    let response = test_app.send(post(USERS, &with("is_staff", 1))).await;
    is_ok(&response, 201);
    let users = test_app.store.users();
    let id = users.iter().find(|user| user.username.as_str() == "grace").unwrap().id;
    let user = json!({"email": "grace@example.org", "username": "grace", "id": id.to_string()});
    assert_eq!(response.json(), user);
    let login = json!({"username": "grace", "password": NEW_PASSWORD});
    is_ok(&test_app.send(post(LOGIN, &login)).await, 200);
}

#[actix_web::test]
async fn every_wrong_field_is_named() {
    let test_app = service().await;
    let taken = "A user with that username already exists.";
    for (body, field, text) in [
        (with("username", "ada"), "username", taken),
        (with("username", "ADA"), "username", taken),
        (with("email", "ada@example.org"), "email", "user with this email already exists."),
        (with("email", "rubbish"), "email", "Enter a valid email address."),
        (with("username", ""), "username", "This field may not be blank."),
        (with("password", ""), "password", "This field may not be blank."),
        (
            with("username", "a b c"),
            "username",
            "Enter a valid username. This value may contain only letters, numbers, and ./-/_ \
             characters.",
        ),
        (with("username", "ab"), "username", "Ensure this field has 3 to 32 characters."),
        (
            with("password", "x7-r"),
            "password",
            "This password is too short. It must contain at least 8 characters.",
        ),
        (with("password", "password123"), "password", "This password is too common."),
        (
            with("password", "grace@example.org"),
            "password",
            "The password is too similar to the username or email address.",
        ),
    ] {
        is_error(&test_app.send(post(USERS, &body)).await, 400, &json!({field: [text]}));
    }
    let required = ["This field is required."];
    let all = json!({"username": required, "email": required, "password": required});
    is_error(&test_app.send(post("/auth/users", &json!({}))).await, 400, &all);
    assert_eq!(test_app.store.users().len(), 1);
}

#[actix_web::test]
async fn a_pending_sign_up_has_no_id_and_does_not_reveal_an_account() {
    let test_app = service_with(Policy { confirmation_required: true, ..policy() }).await;
    for email in ["grace@example.org", "ada@example.org"] {
        let response = test_app.send(post(USERS, &with("email", email))).await;
        is_ok(&response, 201);
        assert_eq!(response.json(), json!({"email": email, "username": "grace", "id": null}));
    }
}

#[actix_web::test]
async fn a_sign_up_may_be_disabled() {
    let test_app = service_with(Policy { signup_enabled: false, ..policy() }).await;
    let text = "Sign-up is disabled. Ask an administrator to invite you.";
    is_error(&test_app.send(post(USERS, &grace())).await, 403, &json!({"detail": text}));
}
