//! Squatting: somebody signs up with an address that is not theirs, and waits for its owner.
//!
//! The ways of A. Sudhodanan and A. Paverd, "Pre-hijacked accounts" (USENIX Security 2022), where
//! confirming is optional, so that there is an account to squat in.

use gateward_domain::mail::LetterText;
use gateward_domain::{Email, Origin};

use super::addresses::ask;
use super::fakes::{PASSWORD, World, password, policy, signup};
use super::mailbox::{
    address, by_code, by_password, by_token, confirm, open_world, required, reset, saying, token,
};
use crate::{
    AccountProof, AuthenticateError, Caller, ConfirmEmailError, LoginError, SignedUp, Signup,
};

const OWN: &str = "the owner's horse";

/// Eve signs up with the address of Ada, and logs in.
async fn squatted() -> (World, Caller) {
    let (world, _) = open_world(policy()).await;
    let squat = Signup { email: address("ada"), ..signup("eve") };
    assert!(matches!(world.app.signup(squat).await, Ok(SignedUp::Account(_))));
    let caller = world.caller("eve").await;
    (world, caller)
}

/// Ada resets the password of what has her address.
async fn recover(world: &World) {
    let letter = world.forgotten("ada").await;
    world.app.reset_password(reset(by_token(&letter), OWN)).await.unwrap();
}

async fn owner(world: &World, squatter: &Caller) -> (Email, bool) {
    let user = world.find(squatter.user.id).await.unwrap();
    (user.email, user.email_verified)
}

#[tokio::test]
async fn a3_the_squatters_password_is_dead_once_the_owner_has_proved_the_address() {
    let (world, squatter) = squatted().await;
    recover(&world).await;
    assert!(matches!(world.login("eve", PASSWORD).await, Err(LoginError::BadCredentials)));
    assert!(world.login("ada@example.org", OWN).await.is_ok());
    assert_eq!(owner(&world, &squatter).await, (address("ada"), true));
}

/// Whoever undoes a change from an address that was never proved gets the account, not its maker.
#[tokio::test]
async fn a4_undoing_a_squatters_change_leaves_the_squatter_nothing() {
    let (world, squatter) = squatted().await;
    ask(&world, &squatter, "eve").await.unwrap();
    let letter = saying(&world.post().await, LetterText::EmailChange);
    world.app.undo_email_change(&token(&letter), &Origin::default()).await.unwrap();
    assert!(matches!(world.login("eve", PASSWORD).await, Err(LoginError::BadCredentials)));
    let reset_letter = saying(&world.post().await, LetterText::ResetPassword);
    assert_eq!(reset_letter.to, address("ada"));
    world.app.reset_password(reset(by_token(&reset_letter), OWN)).await.unwrap();
    assert!(world.login("ada@example.org", OWN).await.is_ok());
}

/// Row V10: whatever a squatter does, a stranger's mailbox gets one notice in a span.
#[tokio::test]
async fn v10_an_address_that_was_never_proved_gets_few_notices() {
    let (world, squatter) = squatted().await;
    world.post().await;
    world.clock.advance_seconds(60);
    for number in 0..5 {
        ask(&world, &squatter, &format!("eve{number}")).await.unwrap();
    }
    let letters = world.post().await;
    assert_eq!(letters.iter().filter(|letter| letter.to == address("ada")).count(), 1);
}

#[tokio::test]
async fn a3_the_owner_who_clicks_confirms_nothing_for_the_squatter() {
    let (world, squatter) = squatted().await;
    let letter = saying(&world.post().await, LetterText::ConfirmEmail);
    for by in [by_token, by_code] {
        for proof in [AccountProof::Missing, AccountProof::Password(password(OWN))] {
            let refused = world.app.confirm_email(confirm(by(&letter), proof)).await;
            assert!(matches!(refused, Err(ConfirmEmailError::InvalidLink)));
        }
    }
    assert_eq!(owner(&world, &squatter).await, (address("ada"), false));
}

#[tokio::test]
async fn a3_a_squatter_has_no_account_where_confirming_is_required() {
    let (world, memory) = open_world(required()).await;
    world.pending(Signup { email: address("ada"), ..signup("eve") }).await;
    let own = Signup { password: password(OWN), ..signup("ada") };
    let secret = world.pending(own).await;
    let letters = world.post_for(1).await;
    // The owner shows the squatter's link with the proof of their own sign-up, then their own link.
    for (letter, good) in letters.iter().zip([false, true]) {
        let proof = AccountProof::SignupSecret(secret.clone());
        let done = world.app.confirm_email(confirm(by_token(letter), proof)).await;
        assert_eq!(done.is_ok(), good);
    }
    assert_eq!(memory.users().len(), 1);
    assert!(world.login("ada@example.org", OWN).await.is_ok());
    assert!(world.login("eve", PASSWORD).await.is_err());
    let late = confirm(by_token(&letters[0]), by_password());
    assert!(matches!(world.app.confirm_email(late).await, Err(ConfirmEmailError::InvalidLink)));
}

#[tokio::test]
async fn a4_the_squatters_session_ends_when_the_owner_resets() {
    let (world, _) = squatted().await;
    let pair = world.login("eve", PASSWORD).await.unwrap().pair;
    recover(&world).await;
    let dead = world.app.authenticate(pair.access.text.expose()).await;
    assert!(matches!(dead, Err(AuthenticateError::SessionEnded(_))));
    assert!(world.app.refresh(world.refresh(&pair.refresh, None)).await.is_err());
}

#[tokio::test]
async fn a4_a_change_to_the_squatters_address_dies_when_the_owner_resets() {
    let (world, squatter) = squatted().await;
    ask(&world, &squatter, "evil").await.unwrap();
    let letters = world.post().await;
    let letter = saying(&letters, LetterText::ConfirmChange);
    let before = confirm(by_code(&letter), AccountProof::LoggedIn(squatter.user.id));
    let prepared = world.app.prepare_confirmation(before).await.unwrap();
    recover(&world).await;
    let refused = world.app.complete_confirmation(prepared).await;
    assert!(matches!(refused, Err(ConfirmEmailError::InvalidLink)));
    for proof in [by_password(), AccountProof::LoggedIn(squatter.user.id)] {
        let refused = world.app.confirm_email(confirm(by_token(&letter), proof)).await;
        assert!(matches!(refused, Err(ConfirmEmailError::InvalidLink)));
    }
    let shown =
        world.app.verify_again(&squatter, &password(PASSWORD), &Origin::default()).await.unwrap();
    let late = world.app.change_email(&squatter, shown, address("evil"), &Origin::default()).await;
    assert!(late.is_err(), "what the squatter proved before counts no more");
    assert_eq!(owner(&world, &squatter).await, (address("ada"), true));
}

#[tokio::test]
async fn a4_a_change_to_the_owners_address_is_not_confirmed_by_the_owners_click() {
    let (world, _) = open_world(policy()).await;
    world.owner("eve", |_| ()).await;
    let squatter = world.caller("eve").await;
    ask(&world, &squatter, "ada").await.unwrap();
    let letter = saying(&world.post().await, LetterText::ConfirmChange);
    let click = confirm(by_token(&letter), AccountProof::Missing);
    assert!(matches!(world.app.confirm_email(click).await, Err(ConfirmEmailError::InvalidLink)));
    let ada = world.user("ada").await;
    let late = confirm(by_token(&letter), AccountProof::LoggedIn(squatter.user.id));
    assert!(matches!(world.app.confirm_email(late).await, Err(ConfirmEmailError::InvalidLink)));
    assert_eq!(owner(&world, &squatter).await.0, address("eve"));
    assert_eq!(world.find(ada.id).await.unwrap().email, address("ada"));
}

#[tokio::test]
async fn a4_a_squatter_who_took_the_account_elsewhere_keeps_nothing_from_the_owner() {
    let (world, squatter) = squatted().await;
    super::addresses::change(&world, &squatter, "evil").await;
    let undo = saying(&world.pigeons.sent(), LetterText::EmailChange);
    assert_eq!(undo.to, address("ada"));
    let own = Signup { password: password(OWN), ..signup("ada") };
    assert!(matches!(world.app.signup(own).await, Ok(SignedUp::Account(_))));
    assert!(world.login("ada@example.org", OWN).await.is_ok());
    assert_eq!(owner(&world, &squatter).await, (address("evil"), true));
}
