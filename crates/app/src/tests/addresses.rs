//! Changing one's address.

use gateward_domain::link::LinkPurpose;
use gateward_domain::mail::{Letter, LetterText};
use gateward_domain::{Origin, User};

use super::fakes::{PASSWORD, World, password, policy};
use super::mailbox::{
    address, by_code, by_password, by_token, confirm, open_world, reset, saying, texts,
};
use crate::{
    AccountProof, Caller, ChangeEmailError, ChangePassword, ConfirmEmailError, ReauthenticateError,
    ResetPasswordError,
};

/// Asks for another address with the right password.
pub(super) async fn ask(world: &World, caller: &Caller, new: &str) -> Result<(), ChangeEmailError> {
    let shown =
        world.app.verify_again(caller, &password(PASSWORD), &Origin::default()).await.unwrap();
    world.app.change_email(caller, shown, address(new), &Origin::default()).await
}

/// An owner whose address becomes another one; gives the letter that undoes it.
pub(super) async fn change(world: &World, caller: &Caller, new: &str) -> Letter {
    ask(world, caller, new).await.unwrap();
    let letters = world.post().await;
    let answer = confirm(
        by_token(&saying(&letters, LetterText::ConfirmChange)),
        AccountProof::LoggedIn(caller.user.id),
    );
    world.app.confirm_email(answer).await.unwrap();
    world.clock.advance_seconds(60);
    saying(&letters, LetterText::EmailChange)
}

async fn now(world: &World, user: &User) -> User {
    world.find(user.id).await.unwrap()
}

#[tokio::test]
async fn a8_nobody_changes_the_address_without_the_password() {
    let (world, memory) = open_world(policy()).await;
    world.owner("ada", |_| ()).await;
    let caller = world.caller("ada").await;
    let origin = Origin::default();
    let wrong = world.app.verify_again(&caller, &password("wrong horse"), &origin).await;
    assert!(matches!(wrong, Err(ReauthenticateError::WrongPassword)));

    let shown = world.app.verify_again(&caller, &password(PASSWORD), &origin).await.unwrap();
    let change = ChangePassword {
        current: password(PASSWORD),
        new: password("another horse"),
        origin: Origin::default(),
    };
    world.app.change_password(&caller, change).await.unwrap();
    let late = world.app.change_email(&caller, shown, address("new"), &Origin::default()).await;
    assert!(matches!(late, Err(ChangeEmailError::WrongPassword)), "it was changed meanwhile");
    assert!(memory.links().is_empty());
    assert_eq!(texts(&world.post().await), ["password_changed"]);
}

#[tokio::test]
async fn the_address_that_one_has_is_no_change() {
    let (world, memory) = open_world(policy()).await;
    world.owner("ada", |_| ()).await;
    let caller = world.caller("ada").await;
    assert!(matches!(ask(&world, &caller, "ADA").await, Err(ChangeEmailError::Unchanged)));
    assert!(memory.links().is_empty() && memory.letters().is_empty());
}

/// Row A7: the new address counts once it is confirmed there, and the old one is told twice.
#[tokio::test]
async fn a7_the_new_address_is_confirmed_and_the_old_one_told_how_to_undo_it() {
    for by in [by_token, by_code] {
        let (world, memory) = open_world(policy()).await;
        let user = world.owner("ada", |_| ()).await;
        let caller = world.caller("ada").await;
        ask(&world, &caller, "new").await.unwrap();
        assert_eq!(now(&world, &user).await, user, "nothing is changed yet");
        world.forgotten("ada").await;
        let letters = world.pigeons.sent();
        let (asking, telling) = (
            saying(&letters, LetterText::ConfirmChange),
            saying(&letters, LetterText::EmailChange),
        );
        assert_eq!((letters.len(), &asking.to, &telling.to), (3, &address("new"), &user.email));
        assert!(telling.link.as_ref().unwrap().contains("/undo-email-change#token="));
        assert_eq!(telling.code, None, "a code could be guessed in seven days");

        let proof = AccountProof::LoggedIn(user.id);
        world.app.confirm_email(confirm(by(&asking), proof)).await.unwrap();
        let changed = now(&world, &user).await;
        assert_eq!((changed.email, changed.email_verified), (address("new"), true));
        assert_eq!(saying(&world.post().await, LetterText::EmailChanged).to, user.email);
        let told = world.told(user.id).await;
        assert!(told.contains(&"email_change_requested") && told.contains(&"email_changed"));
        let left: Vec<_> = memory.links().iter().map(|link| link.purpose).collect();
        assert_eq!(left, [LinkPurpose::UndoEmail], "nothing else that went to the old address");
        assert!(world.login("new@example.org", PASSWORD).await.is_ok());
        assert!(world.login("ada@example.org", PASSWORD).await.is_err());
    }
}

#[tokio::test]
async fn e5_a_taken_address_gets_the_same_answer_and_its_owner_is_told() {
    let (world, memory) = open_world(policy()).await;
    let user = world.owner("ada", |_| ()).await;
    let bob = world.owner("bob", |_| ()).await;
    let caller = world.caller("ada").await;
    ask(&world, &caller, "free").await.unwrap();
    let free = (memory.links().len(), memory.letters().len(), memory.events().len());
    world.post().await;
    world.clock.advance_seconds(60);
    ask(&world, &caller, "bob").await.unwrap();
    let taken = (memory.links().len() - 1, memory.letters().len(), memory.events().len());
    assert_eq!(taken, (free.0, 2 * free.1, free.2 + 1), "the same rows, and one link replaced");

    let letters = world.post().await;
    assert_eq!(texts(&letters), ["address_in_use", "email_change"]);
    let told = saying(&letters, LetterText::AddressInUse);
    assert_eq!((&told.to, &told.link, &told.code), (&bob.email, &None, &None));
    assert_eq!(now(&world, &user).await.email, user.email);
    assert_eq!(now(&world, &bob).await, bob);
}

#[tokio::test]
async fn an_address_that_was_taken_meanwhile_is_not_given_twice() {
    let (world, _) = open_world(policy()).await;
    let user = world.owner("ada", |_| ()).await;
    let caller = world.caller("ada").await;
    ask(&world, &caller, "new").await.unwrap();
    let letter = saying(&world.post().await, LetterText::ConfirmChange);
    let other = world.owner("new", |_| ()).await;
    let answer = confirm(by_token(&letter), AccountProof::LoggedIn(user.id));
    let refused = world.app.confirm_email(answer).await;
    assert!(matches!(refused, Err(ConfirmEmailError::InvalidLink)));
    assert_eq!(now(&world, &user).await, user);
    assert_eq!(now(&world, &other).await, other);
}

#[tokio::test]
async fn v5_a_link_to_a_new_address_is_good_until_its_last_second() {
    for (seconds, good) in [(-1, true), (0, false)] {
        let (world, _) = open_world(policy()).await;
        world.owner("ada", |_| ()).await;
        ask(&world, &world.caller("ada").await, "new").await.unwrap();
        let letters = world.post().await;
        let letter = saying(&letters, LetterText::ConfirmChange);
        world.clock.set(letter.good_until.unwrap().plus_seconds(seconds));
        let done = world.app.confirm_email(confirm(by_token(&letter), by_password())).await;
        assert_eq!(done.is_ok(), good, "{done:?}");
    }
}

#[tokio::test]
async fn a9_a_letter_to_the_old_address_resets_nothing_any_more() {
    let (world, _) = open_world(policy()).await;
    world.owner("ada", |_| ()).await;
    let caller = world.caller("ada").await;
    let letter = world.forgotten("ada").await;
    let answer = reset(by_token(&letter), "another horse");
    let prepared = world.app.prepare_reset(answer).await.unwrap();
    change(&world, &caller, "new").await;
    let refused = world.app.complete_reset(prepared).await;
    assert!(matches!(refused, Err(ResetPasswordError::InvalidLink)), "{refused:?}");
    let refused = world.app.reset_password(reset(by_token(&letter), "another horse")).await;
    assert!(matches!(refused, Err(ResetPasswordError::InvalidLink)), "{refused:?}");
    assert!(world.login("ada", PASSWORD).await.is_ok());
}

#[tokio::test]
async fn the_address_is_changed_twenty_times_a_week_at_most() {
    let (world, memory) = open_world(policy()).await;
    world.owner("ada", |_| ()).await;
    let caller = world.caller("ada").await;
    for number in 0..20 {
        ask(&world, &caller, &format!("new{number}")).await.unwrap();
    }
    assert!(matches!(ask(&world, &caller, "more").await, Err(ChangeEmailError::TooOften)));
    assert_eq!(memory.links().len(), 20 + 1);
}
