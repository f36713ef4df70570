//! Signing up, with and without an address that must be confirmed first.

use gateward_domain::User;
use gateward_domain::Username;
use gateward_domain::mail::{LetterState, LetterText, QueuedLetter};
use gateward_domain::ports::{StoreError, Taken};

use super::fakes::{PASSWORD, password, policy, signup};
use super::mailbox::{address, by_token, confirm, open_world, required, saying, texts, token};
use crate::{AccountProof, ConfirmEmailError, LoginError, SignedUp, Signup, SignupError};

/// A sign-up of this name with somebody's address.
fn signup_at(name: &str, owner: &str) -> Signup {
    Signup { email: address(owner), ..signup(name) }
}

#[tokio::test]
async fn where_confirming_is_optional_there_is_an_account_at_once_and_a_letter() {
    let (world, memory) = open_world(policy()).await;
    let user = world.user("ada").await;
    assert_eq!(memory.users(), std::slice::from_ref(&user));
    world.clock.advance_seconds(1);
    assert!(world.login("ada", PASSWORD).await.is_ok());
    let letters = world.post().await;
    assert_eq!(texts(&letters), ["confirm_email"]);
    assert_eq!(letters[0].to, user.email);
    assert_eq!(world.told(user.id).await.first(), Some(&"account_created"));
}

#[tokio::test]
async fn where_confirming_is_required_there_is_a_letter_and_no_account() {
    let (world, memory) = open_world(required()).await;
    let secret = world.pending(signup("ada")).await;
    assert!(memory.users().is_empty() && memory.links().is_empty());
    assert!(matches!(world.login("ada", PASSWORD).await, Err(LoginError::BadCredentials)));
    let letter = saying(&world.post().await, LetterText::ConfirmSignup);
    let link = letter.link.clone().unwrap();
    assert!(link.starts_with("https://auth.example.org/confirm-email#token="), "{link}");
    assert!(letter.code.is_some() && letter.good_until.is_some());
    assert!(matches!(world.login("ada", PASSWORD).await, Err(LoginError::BadCredentials)));

    let proof = AccountProof::SignupSecret(secret);
    world.app.confirm_email(confirm(by_token(&letter), proof)).await.unwrap();
    let user = world.login("ada", PASSWORD).await.unwrap().user;
    assert!(user.email_verified);
    assert!(memory.signups().is_empty(), "it waits no more");
}

/// Row E1: what is written is the same, and the owner is told, without anything to click on.
#[tokio::test]
async fn e1_a_known_address_gets_the_answer_of_an_unknown_one_and_its_owner_is_told() {
    let (world, memory) = open_world(required()).await;
    world.owner("verified", |_| ()).await;
    world.owner("unverified", |user| user.email_verified = false).await;
    world.owner("disabled", |user| user.disabled = true).await;
    let owners = ["unknown", "verified", "unverified", "disabled"];
    for (name, owner) in ["eve1", "eve2", "eve3", "eve4"].into_iter().zip(owners) {
        assert_eq!(world.pending(signup_at(name, owner)).await.len(), 64);
    }
    let alike = |letter: &QueuedLetter| QueuedLetter {
        id: memory.letters()[0].id,
        recipient: address("unknown"),
        signup_id: memory.letters()[0].signup_id,
        slot: letter.slot.as_ref().map(|slot| slot.replace(letter.recipient.as_str(), "")),
        ..letter.clone()
    };
    let rows: Vec<_> = memory.letters().iter().map(alike).collect();
    assert!(rows.iter().all(|row| *row == rows[0]), "{rows:?}");
    assert_eq!((memory.signups().len(), memory.events().len()), (4, 0));

    let letters = world.post().await;
    let exists = LetterText::AccountExists;
    for owner in &owners[1..] {
        let told = letters.iter().find(|letter| letter.to == address(owner)).unwrap();
        assert_eq!((told.text, &told.link, &told.code), (exists, &None, &None), "{owner}");
    }
    assert_eq!(saying(&letters, LetterText::ConfirmSignup).to, address("unknown"));
}

/// Row A1: whichever is confirmed, it is one account with the password of that sign-up.
#[tokio::test]
async fn a1_of_fifty_signups_of_one_address_one_becomes_the_account() {
    for chosen in [0, 4, 9] {
        let (world, memory) = open_world(required()).await;
        let mut secrets = Vec::new();
        for number in 0..50 {
            let chosen_password = password(&format!("correct horse {number}"));
            let wanted = signup_at(&format!("ada{number}"), "ada");
            secrets.push(world.pending(Signup { password: chosen_password, ..wanted }).await);
        }
        let letters = world.post_for(60).await;
        assert_eq!(letters.len(), 10, "and no more letters than people want");
        let proof = |number: usize| AccountProof::SignupSecret(secrets[number].clone());
        let answer = |number: usize| confirm(by_token(&letters[number]), proof(number));
        world.app.confirm_email(answer(chosen)).await.unwrap();
        for other in 0..10 {
            let refused = world.app.confirm_email(answer(other)).await;
            assert!(matches!(refused, Err(ConfirmEmailError::InvalidLink)), "{other}");
        }
        let names: Vec<User> = memory.users();
        assert_eq!(names.len(), 1);
        for number in 0..50 {
            let login = world.login("ada@example.org", &format!("correct horse {number}")).await;
            assert_eq!(login.is_ok(), number == chosen, "{number}");
        }
        assert!(memory.signups().is_empty());
    }
}

#[tokio::test]
async fn letters_of_signups_that_lost_the_race_are_not_sent() {
    let (world, memory) = open_world(required()).await;
    let secret = world.pending(signup_at("ada", "ada")).await;
    world.pending(signup_at("eve", "ada")).await;
    let letter = saying(&world.post().await, LetterText::ConfirmSignup);
    let proof = AccountProof::SignupSecret(secret);
    world.app.confirm_email(confirm(by_token(&letter), proof)).await.unwrap();
    assert_eq!(texts(&world.post_for(2).await), [""; 0]);
    assert_eq!(memory.letters()[1].state, LetterState::Dropped);
    let told: Vec<_> = memory.events().iter().map(|event| event.kind.as_str()).collect();
    assert!(!told.contains(&"letter_dropped"), "nobody waits in vain: there is an account");
}

#[tokio::test]
async fn a1_where_confirming_is_optional_one_of_fifty_signups_is_an_account() {
    let (world, memory) = open_world(policy()).await;
    let mut prepared = Vec::new();
    for number in 0..50 {
        let wanted = signup_at(&format!("ada{number}"), "ada");
        prepared.push(world.app.prepare_signup(wanted).await.unwrap());
    }
    let mut made = 0;
    for prepared in prepared {
        match world.app.complete_signup(prepared).await {
            Ok(SignedUp::Account(_)) => made += 1,
            Err(SignupError::Store(StoreError::Taken(Taken::Email))) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((made, memory.users().len(), memory.letters().len()), (1, 1, 1));
}

#[tokio::test]
async fn a_taken_name_is_told_before_anybody_looks_at_the_address() {
    for policy in [policy(), required()] {
        let (world, memory) = open_world(policy).await;
        world.owner("ada", |_| ()).await;
        for owner in ["ada", "nobody"] {
            let refused = world.app.signup(signup_at("Ada", owner)).await;
            assert!(
                matches!(refused, Err(SignupError::Store(StoreError::Taken(Taken::Username)))),
                "{owner}"
            );
        }
        assert!(memory.letters().is_empty() && memory.signups().is_empty());
    }
}

#[tokio::test]
async fn a_name_that_went_meanwhile_uses_nothing_up_and_another_one_works() {
    let (world, _) = open_world(required()).await;
    let secret = world.pending(signup_at("ada", "first")).await;
    let letter = saying(&world.post().await, LetterText::ConfirmSignup);
    let other = world.owner("ada", |_| ()).await;
    let answer = |name: Option<&str>| {
        let mut answer = confirm(by_token(&letter), AccountProof::SignupSecret(secret.clone()));
        answer.username = name.map(|name| Username::parse(name).unwrap());
        answer
    };
    for name in [None, Some("ADA"), None] {
        let refused = world.app.confirm_email(answer(name)).await;
        assert!(matches!(refused, Err(ConfirmEmailError::UsernameTaken)), "{name:?}");
    }
    world.app.confirm_email(answer(Some("countess"))).await.unwrap();
    let user = world.login("countess", PASSWORD).await.unwrap().user;
    assert_eq!(user.email, address("first"));
    assert_eq!(world.find(other.id).await.unwrap().email, address("ada"));
}

/// Row E2: that an address must be confirmed is not told to whoever guesses.
#[tokio::test]
async fn e2_an_unconfirmed_account_gets_the_answer_of_a_wrong_password() {
    let (world, _) = open_world(required()).await;
    world.owner("ada", |user| user.email_verified = false).await;
    for text in [PASSWORD, "wrong horse"] {
        let refused = world.login("ada", text).await;
        assert!(matches!(refused, Err(LoginError::BadCredentials)), "{text}");
    }
    world.owner("eve", |_| ()).await;
    assert!(world.login("eve", PASSWORD).await.is_ok());
}

/// Row V3 in part: nothing that opens anything is in the store, sent or not.
#[tokio::test]
async fn v3_neither_token_nor_code_nor_secret_is_kept() {
    let (world, memory) = open_world(required()).await;
    let secret = world.pending(signup("ada")).await;
    world.owner("eve", |_| ()).await;
    let reset = world.forgotten("eve").await;
    let sent = world.pigeons.sent();
    let confirming = saying(&sent, LetterText::ConfirmSignup);
    let (signups, links) = (memory.signups(), memory.links());
    let kept = format!("{signups:?} {links:?} {:?} {:?}", memory.letters(), memory.events());
    assert!(kept.contains("ada@example.org") && links.len() == 2);
    for letter in [&reset, &confirming] {
        let code = letter.code.as_ref().unwrap().expose().to_owned();
        for hidden in [token(letter), code] {
            assert!(!kept.contains(&hidden), "{hidden}");
        }
    }
    assert!(!kept.contains(&secret) && !kept.contains("#token="));
}
