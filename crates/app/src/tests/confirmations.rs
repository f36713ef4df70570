//! Confirming an address: two proofs, once, in time.

use std::sync::atomic::Ordering;

use gateward_domain::Origin;
use gateward_domain::link::LinkCode;
use gateward_domain::mail::{Letter, LetterText};

use super::fakes::{World, password, policy, signup};
use super::mailbox::{
    address, by_code, by_password, by_token, by_wrong_code, confirm, open_world, required, reset,
    saying, texts,
};
use crate::{
    AccountProof, ConfirmEmail, ConfirmEmailError, LetterProof, ResetPasswordError, Signup,
};

/// A sign-up that waits: its secret and its letter.
async fn waiting(world: &World, name: &str) -> (AccountProof, Letter) {
    let secret = world.pending(signup(name)).await;
    let letter = saying(&world.post().await, LetterText::ConfirmSignup);
    (AccountProof::SignupSecret(secret), letter)
}

async fn refuses(world: &World, answer: ConfirmEmail) {
    let refused = world.app.confirm_email(answer).await;
    assert!(matches!(refused, Err(ConfirmEmailError::InvalidLink)), "{refused:?}");
}

#[tokio::test]
async fn link_and_code_confirm_a_signup_with_its_secret_or_its_password() {
    for by in [by_token, by_code] {
        for with_password in [false, true] {
            let (world, memory) = open_world(required()).await;
            let (secret, letter) = waiting(&world, "ada").await;
            let proof = if with_password { by_password() } else { secret };
            world.app.confirm_email(confirm(by(&letter), proof)).await.unwrap();
            let user = memory.users().remove(0);
            assert!(user.email_verified);
            let mut told = world.told(user.id).await;
            told.sort_unstable();
            assert_eq!(told, ["account_created", "email_confirmed"]);
        }
    }
}

#[tokio::test]
async fn link_and_code_confirm_an_account_for_whoever_is_logged_in_or_knows_its_password() {
    for by in [by_token, by_code] {
        for with_password in [false, true] {
            let (world, _) = open_world(policy()).await;
            let user = world.user("ada").await;
            let letter = saying(&world.post().await, LetterText::ConfirmEmail);
            let proof = if with_password { by_password() } else { AccountProof::LoggedIn(user.id) };
            world.app.confirm_email(confirm(by(&letter), proof)).await.unwrap();
            assert!(world.find(user.id).await.unwrap().email_verified);
            assert!(world.told(user.id).await.contains(&"email_confirmed"));
        }
    }
}

/// Row A9: the mailbox alone proves nothing, nor does somebody else's account; and a wrong proof
/// takes nothing from the right one.
#[tokio::test]
async fn a9_a_missing_or_wrong_second_proof_uses_nothing_up() {
    let (world, memory) = open_world(required()).await;
    let eve = world.owner("eve", |_| ()).await;
    let (other_secret, _) = waiting(&world, "bob").await;
    let (secret, letter) = waiting(&world, "ada").await;
    let wrong = [
        AccountProof::Missing,
        AccountProof::SignupSecret("0".repeat(64)),
        other_secret,
        AccountProof::Password(password("wrong horse")),
        AccountProof::LoggedIn(eve.id),
    ];
    for proof in wrong {
        refuses(&world, confirm(by_token(&letter), proof)).await;
    }
    assert_eq!(memory.users().len(), 1);
    world.app.confirm_email(confirm(by_token(&letter), secret)).await.unwrap();
}

#[tokio::test]
async fn a9_the_link_of_one_account_does_nothing_in_the_session_of_another() {
    let (world, _) = open_world(policy()).await;
    let (ada, eve) = (world.user("ada").await, world.user("eve").await);
    let letters = world.post().await;
    let of_ada = letters.iter().find(|letter| letter.to == ada.email).unwrap();
    refuses(&world, confirm(by_token(of_ada), AccountProof::LoggedIn(eve.id))).await;
    for _ in 0..5 {
        refuses(&world, confirm(by_code(of_ada), AccountProof::LoggedIn(eve.id))).await;
    }
    for user in [&ada, &eve] {
        assert!(!world.find(user.id).await.unwrap().email_verified);
    }
    let answer = confirm(by_code(of_ada), AccountProof::LoggedIn(ada.id));
    world.app.confirm_email(answer).await.unwrap();
}

#[tokio::test]
async fn a_link_confirms_once_also_for_fifty_who_show_it_at_the_same_time() {
    let (world, memory) = open_world(required()).await;
    let (_, letter) = waiting(&world, "ada").await;
    let mut prepared = Vec::new();
    for _ in 0..50 {
        let answer = confirm(by_token(&letter), by_password());
        prepared.push(world.app.prepare_confirmation(answer).await.unwrap());
    }
    let mut done = 0;
    for prepared in prepared {
        match world.app.complete_confirmation(prepared).await {
            Ok(()) => done += 1,
            Err(ConfirmEmailError::InvalidLink) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((done, memory.users().len()), (1, 1));
    for by in [by_token, by_code] {
        refuses(&world, confirm(by(&letter), by_password())).await;
    }
}

#[tokio::test]
async fn v5_a_link_that_confirms_is_good_until_its_last_second() {
    for required_first in [true, false] {
        for (seconds, good) in [(-1, true), (0, false)] {
            let policy = if required_first { required() } else { policy() };
            let (world, _) = open_world(policy).await;
            world.app.signup(signup("ada")).await.unwrap();
            let letter = world.post().await.remove(0);
            world.clock.set(letter.good_until.unwrap().plus_seconds(seconds));
            if !good {
                refuses(&world, confirm(by_code(&letter), by_password())).await;
            }
            let done = world.app.confirm_email(confirm(by_token(&letter), by_password())).await;
            assert_eq!(done.is_ok(), good, "{done:?}");
        }
    }
}

#[tokio::test]
async fn a_code_is_tried_five_times_and_then_only_the_link_is_good() {
    let (world, _) = open_world(required()).await;
    let (_, letter) = waiting(&world, "ada").await;
    for more in 1..=4 {
        refuses(&world, confirm(by_wrong_code(&letter, more), by_password())).await;
    }
    let answer = confirm(by_code(&letter), by_password());
    assert!(world.app.prepare_confirmation(answer).await.is_ok(), "the fifth try may be right");
    refuses(&world, confirm(by_code(&letter), by_password())).await;
    world.app.confirm_email(confirm(by_token(&letter), by_password())).await.unwrap();
}

#[tokio::test]
async fn a_code_is_tried_on_nobody_elses_letter() {
    let (world, _) = open_world(required()).await;
    let mine = world.pending(Signup { email: address("ada"), ..signup("eve") }).await;
    world.pending(signup("ada")).await;
    let letters = world.post_for(1).await;
    let (first, second) = (&letters[0], &letters[1]);
    for _ in 0..5 {
        let proof = AccountProof::SignupSecret(mine.clone());
        refuses(&world, confirm(by_code(second), proof)).await;
    }
    refuses(&world, confirm(by_code(first), AccountProof::SignupSecret(mine))).await;
    world.app.confirm_email(confirm(by_code(second), by_password())).await.unwrap();
}

#[tokio::test]
async fn v1_guesses_are_refused_and_cost_the_owner_nothing() {
    let (world, memory) = open_world(required()).await;
    let (_, letter) = waiting(&world, "ada").await;
    for guess in 0..1000_u32 {
        let guess = || LetterProof::Token(format!("token-{guess:064x}"));
        refuses(&world, confirm(guess(), by_password())).await;
        let refused = world.app.reset_password(reset(guess(), "another horse")).await;
        assert!(matches!(refused, Err(ResetPasswordError::InvalidLink)));
    }
    assert_eq!(memory.links()[0].code_tries, 0);
    world.app.confirm_email(confirm(by_token(&letter), by_password())).await.unwrap();
}

#[tokio::test]
async fn a_newer_letter_takes_the_place_of_its_own_signups_alone() {
    let (world, _) = open_world(required()).await;
    let mine = world.pending(signup("ada")).await;
    world.pending(Signup { email: address("ada"), ..signup("other") }).await;
    let letters = world.post_for(2).await;
    let origin = Origin::default();
    world.app.resend_confirmation(&address("ada"), Some(&mine), &origin).await.unwrap();
    let newer = saying(&world.post().await, LetterText::ConfirmSignup);
    let proof = || AccountProof::SignupSecret(mine.clone());
    for by in [by_token, by_code] {
        refuses(&world, confirm(by(&letters[0]), proof())).await;
    }
    let others = confirm(by_token(&letters[1]), by_password());
    assert!(world.app.prepare_confirmation(others).await.is_ok(), "the other's is good still");
    world.app.confirm_email(confirm(by_token(&newer), proof())).await.unwrap();
}

/// Row E3: asked for once more, an address gets what it waits for, and nothing if it waits for none.
#[tokio::test]
async fn e3_a_letter_that_confirms_is_sent_again_where_something_waits_for_it() {
    let (world, memory) = open_world(required()).await;
    world.owner("confirmed", |_| ()).await;
    world.owner("disabled", |user| (user.disabled, user.email_verified) = (true, false)).await;
    world.owner("unconfirmed", |user| user.email_verified = false).await;
    world.pending(signup("pending")).await;
    world.post_for(1).await;
    for name in ["confirmed", "disabled", "unconfirmed", "pending", "unknown"] {
        for _ in 0..3 {
            let origin = Origin::default();
            world.app.resend_confirmation(&address(name), None, &origin).await.unwrap();
        }
    }
    assert_eq!(memory.letters().len(), 1 + 5, "one row each, whoever it is");
    let letters = world.post().await;
    assert_eq!(texts(&letters), ["confirm_email", "confirm_signup"]);
    assert_eq!(saying(&letters, LetterText::ConfirmEmail).to, address("unconfirmed"));
    assert_eq!(saying(&letters, LetterText::ConfirmSignup).to, address("pending"));
}

/// The time does not tell whether something waits for an address.
#[tokio::test]
async fn a_password_is_checked_whether_or_not_the_letter_is_known() {
    let (world, _) = open_world(required()).await;
    let (_, letter) = waiting(&world, "ada").await;
    let unknown = || LetterProof::Code {
        email: address("nobody"),
        code: LinkCode::parse("00000000").unwrap(),
    };
    for mailbox in [unknown(), LetterProof::Token("none".to_owned()), by_token(&letter)] {
        let before = world.hasher.verified.load(Ordering::Relaxed);
        refuses(&world, confirm(mailbox, AccountProof::Password(password("wrong horse")))).await;
        assert_eq!(world.hasher.verified.load(Ordering::Relaxed), before + 1);
    }
}
