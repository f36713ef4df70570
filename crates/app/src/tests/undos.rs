//! Undoing a change of address.

use gateward_domain::link::LinkPurpose;
use gateward_domain::mail::{Letter, LetterText};
use gateward_domain::ports::{StoreError, Taken};
use gateward_domain::{EndReason, Origin, User};

use super::addresses::{ask, change};
use super::fakes::{PASSWORD, World, policy, signup};
use super::mailbox::{
    address, by_password, by_token, confirm, open_world, required, reset, saying, texts, token,
};
use crate::{ConfirmEmailError, SignupError, UndoEmailError};

async fn undo(world: &World, letter: &Letter) -> Result<(), UndoEmailError> {
    world.app.undo_email_change(&token(letter), &Origin::default()).await
}

async fn now(world: &World, user: &User) -> User {
    world.find(user.id).await.unwrap()
}

#[tokio::test]
async fn undone_before_it_is_confirmed_a_change_is_cancelled() {
    let (world, memory) = open_world(policy()).await;
    let user = world.owner("ada", |_| ()).await;
    let caller = world.caller("ada").await;
    ask(&world, &caller, "new").await.unwrap();
    let letters = world.post().await;
    undo(&world, &saying(&letters, LetterText::EmailChange)).await.unwrap();
    assert_eq!(memory.links(), []);
    assert!(!memory.sessions().iter().any(|session| session.ended.is_none()));
    assert_eq!(now(&world, &user).await.email, user.email);
    let answer = confirm(by_token(&saying(&letters, LetterText::ConfirmChange)), by_password());
    assert!(matches!(world.app.confirm_email(answer).await, Err(ConfirmEmailError::InvalidLink)));
    let letters = world.post().await;
    assert_eq!(texts(&letters), ["reset_password"], "the new address had nothing");
    assert_eq!(letters[0].to, user.email);
    assert!(world.told(user.id).await.contains(&"email_change_undone"));
}

#[tokio::test]
async fn undone_after_it_was_confirmed_a_change_is_reverted_and_whoever_made_it_is_out() {
    let (world, memory) = open_world(policy()).await;
    let user = world.owner("ada", |_| ()).await;
    let caller = world.caller("ada").await;
    let letter = change(&world, &caller, "new").await;
    world.post().await;
    world.clock.set(letter.good_until.unwrap().minus_seconds(1));
    undo(&world, &letter).await.unwrap();
    let back = now(&world, &user).await;
    assert_eq!((back.email, back.email_verified), (user.email.clone(), true));
    let ends: Vec<_> = memory.sessions().iter().filter_map(|session| session.ended).collect();
    assert_eq!(ends.len(), 1);
    let letters = world.post().await;
    assert_eq!(saying(&letters, LetterText::EmailUndone).to, address("new"));
    assert!(world.login("ada", PASSWORD).await.is_err(), "whoever knew the password is out");
    let reset_letter = saying(&letters, LetterText::ResetPassword);
    assert_eq!(reset_letter.to, user.email);
    world.app.reset_password(reset(by_token(&reset_letter), "another horse")).await.unwrap();
    assert!(matches!(undo(&world, &letter).await, Err(UndoEmailError::InvalidLink)), "once");
}

#[tokio::test]
async fn undoing_ends_the_sessions_for_that_reason() {
    let (world, memory) = open_world(policy()).await;
    world.owner("ada", |_| ()).await;
    let caller = world.caller("ada").await;
    undo(&world, &change(&world, &caller, "new").await).await.unwrap();
    let ended = memory.sessions().remove(0).ended.unwrap();
    assert_eq!(ended.reason, EndReason::EmailChanged);
}

#[tokio::test]
async fn v5_a_change_is_undone_within_seven_days_and_not_later() {
    for (seconds, good) in [(-1, true), (0, false)] {
        let (world, _) = open_world(policy()).await;
        let user = world.owner("ada", |_| ()).await;
        let letter = change(&world, &world.caller("ada").await, "new").await;
        world.clock.set(letter.good_until.unwrap().plus_seconds(seconds));
        assert_eq!(undo(&world, &letter).await.is_ok(), good);
        assert_eq!(now(&world, &user).await.email == user.email, good);
    }
}

/// Who changes the address twice does not so take the owner's way back.
#[tokio::test]
async fn undoing_a_change_takes_the_later_undo_links_and_leaves_the_earlier_ones() {
    let (world, memory) = open_world(policy()).await;
    let user = world.owner("ada", |_| ()).await;
    let caller = world.caller("ada").await;
    let mut links = Vec::new();
    for name in ["second", "third", "fourth"] {
        links.push(change(&world, &caller, name).await);
    }
    undo(&world, &links[1]).await.unwrap();
    assert_eq!(now(&world, &user).await.email, address("second"));
    assert!(matches!(undo(&world, &links[2]).await, Err(UndoEmailError::InvalidLink)));
    undo(&world, &links[0]).await.unwrap();
    assert_eq!(now(&world, &user).await.email, user.email);
    assert!(memory.links().iter().all(|link| link.purpose != LinkPurpose::UndoEmail));
}

#[tokio::test]
async fn an_address_that_can_come_back_is_kept_from_others_as_long() {
    let (world, _) = open_world(policy()).await;
    world.owner("ada", |_| ()).await;
    let letter = change(&world, &world.caller("ada").await, "new").await;
    let wanted = || crate::Signup { email: address("ada"), ..signup("eve") };
    world.clock.set(letter.good_until.unwrap().minus_seconds(1));
    let refused = world.app.signup(wanted()).await;
    assert!(matches!(refused, Err(SignupError::Store(StoreError::Taken(Taken::Email)))));
    world.clock.advance_seconds(1);
    assert!(world.app.signup(wanted()).await.is_ok());
}

#[tokio::test]
async fn who_signs_up_with_a_kept_address_learns_nothing_where_confirming_is_required() {
    let (world, memory) = open_world(required()).await;
    world.owner("ada", |_| ()).await;
    change(&world, &world.caller("ada").await, "new").await;
    world.post().await;
    world.pending(crate::Signup { email: address("ada"), ..signup("eve") }).await;
    assert_eq!(texts(&world.post().await), ["account_exists"]);
    assert_eq!(memory.users().len(), 1);
}

#[tokio::test]
async fn an_address_that_was_never_proved_is_kept_from_nobody() {
    let (world, _) = open_world(policy()).await;
    let squatter = world.owner("eve", |user| {
        (user.email, user.email_verified) = (address("ada"), false);
    });
    let squatter = squatter.await;
    let letter = change(&world, &world.caller("eve").await, "eve").await;
    let ada = world.user("ada").await;
    assert_eq!(ada.email, address("ada"));
    assert!(matches!(undo(&world, &letter).await, Err(UndoEmailError::InvalidLink)));
    assert_eq!(now(&world, &squatter).await.email, address("eve"));
}
