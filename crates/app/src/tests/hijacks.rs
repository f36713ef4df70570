//! Account pre-hijacking: an attacker signs up with another person's email address, and waits for
//! its owner.
//!
//! The attacks of A. Sudhodanan and A. Paverd, "Pre-hijacked accounts" (USENIX Security 2022), with
//! optional confirmation, so that the attacker has an account.

use gateward_domain::email::EmailTemplate;
use gateward_domain::{EmailAddress, RequestInfo};

use super::mailbox::{
    address, by_code, by_password, by_token, confirm, open_test_app, required, reset, saying, token,
};
use super::test_app::{PASSWORD, TestApp, password, policy, signup};
use crate::{
    AccountProof, AuthenticateError, Caller, ConfirmEmailError, LoginError, SignedUp, Signup,
};

const OWN: &str = "the owner's horse";

/// Eve signs up with Ada's email address, and logs in.
async fn squatted() -> (TestApp, Caller) {
    let (test_app, _) = open_test_app(policy()).await;
    let squat = Signup { email: address("ada"), ..signup("eve") };
    assert!(matches!(test_app.app.signup(squat).await, Ok(SignedUp::Account(_))));
    let caller = test_app.caller("eve").await;
    (test_app, caller)
}

/// Ada resets the password of the account with her email address.
async fn recover(test_app: &TestApp) {
    let message = test_app.forgotten("ada").await;
    test_app.app.reset_password(reset(by_token(&message), OWN)).await.unwrap();
}

async fn owner(test_app: &TestApp, squatter: &Caller) -> (EmailAddress, bool) {
    let user = test_app.find(squatter.user.id).await.unwrap();
    (user.email, user.email_verified)
}

#[tokio::test]
async fn a3_the_squatters_password_is_dead_once_the_owner_has_proved_the_address() {
    let (test_app, squatter) = squatted().await;
    recover(&test_app).await;
    assert!(matches!(test_app.login("eve", PASSWORD).await, Err(LoginError::InvalidCredentials)));
    assert!(test_app.login("ada@example.org", OWN).await.is_ok());
    assert_eq!(owner(&test_app, &squatter).await, (address("ada"), true));
}

/// An undo from an unconfirmed email address hands the account to that address, not to its creator.
#[tokio::test]
async fn a4_undoing_a_squatters_change_leaves_the_squatter_nothing() {
    let (test_app, squatter) = squatted().await;
    test_app.request_email_change(&squatter, "eve").await.unwrap();
    let message = saying(&test_app.post().await, EmailTemplate::EmailChange);
    test_app.app.undo_email_change(&token(&message), &RequestInfo::default()).await.unwrap();
    assert!(matches!(test_app.login("eve", PASSWORD).await, Err(LoginError::InvalidCredentials)));
    let reset_email = saying(&test_app.post().await, EmailTemplate::ResetPassword);
    assert_eq!(reset_email.to, address("ada"));
    test_app.app.reset_password(reset(by_token(&reset_email), OWN)).await.unwrap();
    assert!(test_app.login("ada@example.org", OWN).await.is_ok());
}

/// Row V10: whatever an attacker does, an unconfirmed email address receives one notice per
/// interval.
#[tokio::test]
async fn v10_an_address_that_was_never_proved_gets_few_notices() {
    let (test_app, squatter) = squatted().await;
    test_app.post().await;
    test_app.clock.advance_seconds(60);
    for number in 0..5 {
        test_app.request_email_change(&squatter, &format!("eve{number}")).await.unwrap();
    }
    let emails = test_app.post().await;
    assert_eq!(emails.iter().filter(|message| message.to == address("ada")).count(), 1);
}

#[tokio::test]
async fn a3_the_owner_who_clicks_confirms_nothing_for_the_squatter() {
    let (test_app, squatter) = squatted().await;
    let message = saying(&test_app.post().await, EmailTemplate::ConfirmEmail);
    for by in [by_token, by_code] {
        for proof in [AccountProof::Missing, AccountProof::Password(password(OWN))] {
            let refused = test_app.app.confirm_email(confirm(by(&message), proof)).await;
            assert!(matches!(refused, Err(ConfirmEmailError::InvalidLink)));
        }
    }
    assert_eq!(owner(&test_app, &squatter).await, (address("ada"), false));
}

#[tokio::test]
async fn a3_a_squatter_has_no_account_where_confirming_is_required() {
    let (test_app, memory) = open_test_app(required()).await;
    test_app.pending(Signup { email: address("ada"), ..signup("eve") }).await;
    let own = Signup { password: password(OWN), ..signup("ada") };
    let secret = test_app.pending(own).await;
    let emails = test_app.post_for(1).await;
    // The owner presents the attacker's link with the proof of their own sign-up, then their own
    // link.
    for (message, good) in emails.iter().zip([false, true]) {
        let proof = AccountProof::SignupSecret(secret.clone());
        let done = test_app.app.confirm_email(confirm(by_token(message), proof)).await;
        assert_eq!(done.is_ok(), good);
    }
    assert_eq!(memory.users().len(), 1);
    assert!(test_app.login("ada@example.org", OWN).await.is_ok());
    assert!(test_app.login("eve", PASSWORD).await.is_err());
    let late = confirm(by_token(&emails[0]), by_password());
    assert!(matches!(test_app.app.confirm_email(late).await, Err(ConfirmEmailError::InvalidLink)));
}

#[tokio::test]
async fn a4_the_squatters_session_ends_when_the_owner_resets() {
    let (test_app, _) = squatted().await;
    let pair = test_app.login("eve", PASSWORD).await.unwrap().pair;
    recover(&test_app).await;
    let dead = test_app.app.authenticate(pair.access.text.expose()).await;
    assert!(matches!(dead, Err(AuthenticateError::SessionEnded(_))));
    assert!(test_app.app.refresh(test_app.refresh(&pair.refresh, None)).await.is_err());
}

#[tokio::test]
async fn a4_a_change_to_the_squatters_address_dies_when_the_owner_resets() {
    let (test_app, squatter) = squatted().await;
    test_app.request_email_change(&squatter, "evil").await.unwrap();
    let emails = test_app.post().await;
    let message = saying(&emails, EmailTemplate::ConfirmChange);
    let before = confirm(by_code(&message), AccountProof::LoggedIn(squatter.user.id));
    let prepared = test_app.app.prepare_confirmation(before).await.unwrap();
    recover(&test_app).await;
    let refused = test_app.app.complete_confirmation(prepared).await;
    assert!(matches!(refused, Err(ConfirmEmailError::InvalidLink)));
    for proof in [by_password(), AccountProof::LoggedIn(squatter.user.id)] {
        let refused = test_app.app.confirm_email(confirm(by_token(&message), proof)).await;
        assert!(matches!(refused, Err(ConfirmEmailError::InvalidLink)));
    }
    let presented = test_app
        .app
        .verify_again(&squatter, &password(PASSWORD), &RequestInfo::default())
        .await
        .unwrap();
    let late = test_app
        .app
        .change_email(&squatter, presented, address("evil"), &RequestInfo::default())
        .await;
    assert!(late.is_err(), "what the squatter proved before counts no more");
    assert_eq!(owner(&test_app, &squatter).await, (address("ada"), true));
}

#[tokio::test]
async fn a4_a_change_to_the_owners_address_is_not_confirmed_by_the_owners_click() {
    let (test_app, _) = open_test_app(policy()).await;
    test_app.owner("eve", |_| ()).await;
    let squatter = test_app.caller("eve").await;
    test_app.request_email_change(&squatter, "ada").await.unwrap();
    let message = saying(&test_app.post().await, EmailTemplate::ConfirmChange);
    let click = confirm(by_token(&message), AccountProof::Missing);
    assert!(matches!(test_app.app.confirm_email(click).await, Err(ConfirmEmailError::InvalidLink)));
    let ada = test_app.user("ada").await;
    let late = confirm(by_token(&message), AccountProof::LoggedIn(squatter.user.id));
    assert!(matches!(test_app.app.confirm_email(late).await, Err(ConfirmEmailError::InvalidLink)));
    assert_eq!(owner(&test_app, &squatter).await.0, address("eve"));
    assert_eq!(test_app.find(ada.id).await.unwrap().email, address("ada"));
}

#[tokio::test]
async fn a4_a_squatter_who_took_the_account_elsewhere_keeps_nothing_from_the_owner() {
    let (test_app, squatter) = squatted().await;
    test_app.change_email(&squatter, "evil").await;
    let undo = saying(&test_app.recording_mailer.sent(), EmailTemplate::EmailChange);
    assert_eq!(undo.to, address("ada"));
    let own = Signup { password: password(OWN), ..signup("ada") };
    assert!(matches!(test_app.app.signup(own).await, Ok(SignedUp::Account(_))));
    assert!(test_app.login("ada@example.org", OWN).await.is_ok());
    assert_eq!(owner(&test_app, &squatter).await, (address("evil"), true));
}
