//! Telling the owner what happened to the account, once.

use gateward_domain::mail::LetterText;
use gateward_domain::{Email, Origin, Username};

use super::fakes::{PASSWORD, World, password, policy};
use super::mailbox::{by_token, open_world, reset, texts};
use crate::{ChangePassword, RefreshError};

fn somewhere() -> Origin {
    Origin { ip: Some([192, 0, 2, 7].into()), user_agent: None }
}

/// What goes out next is one letter that says this to this address, from when and where it happened.
async fn told_once(world: &World, text: LetterText, to: &Email) {
    let happened = world.app.now();
    world.clock.advance_seconds(3);
    let letters = world.post_for(20).await;
    assert_eq!(texts(&letters), [text.as_str()]);
    assert_eq!((&letters[0].to, letters[0].ip), (to, somewhere().ip));
    assert_eq!((letters[0].caused_at, &letters[0].link), (happened, &None));
}

#[tokio::test]
async fn a_changed_password_is_told_once() {
    let (world, _) = open_world(policy()).await;
    let user = world.owner("ada", |_| ()).await;
    let caller = world.caller("ada").await;
    let change = |current: &str| ChangePassword {
        current: password(current),
        new: password("another horse"),
        origin: somewhere(),
    };
    assert!(world.app.change_password(&caller, change("wrong horse")).await.is_err());
    assert_eq!(texts(&world.post().await), [""; 0], "nothing has happened");
    world.app.change_password(&caller, change(PASSWORD)).await.unwrap();
    told_once(&world, LetterText::PasswordChanged, &user.email).await;
}

#[tokio::test]
async fn a_changed_password_ends_the_letters_that_would_reset_it() {
    let (world, memory) = open_world(policy()).await;
    world.owner("ada", |_| ()).await;
    let caller = world.caller("ada").await;
    let letter = world.forgotten("ada").await;
    let change = ChangePassword {
        current: password(PASSWORD),
        new: password("another horse"),
        origin: somewhere(),
    };
    world.app.change_password(&caller, change).await.unwrap();
    assert!(memory.links().is_empty());
    assert!(world.app.reset_password(reset(by_token(&letter), "third horse")).await.is_err());
}

#[tokio::test]
async fn a_changed_name_is_told_once() {
    let (world, _) = open_world(policy()).await;
    let user = world.owner("ada", |_| ()).await;
    world.owner("eve", |_| ()).await;
    let caller = world.caller("ada").await;
    let name = |name| Username::parse(name).unwrap();
    assert!(world.app.change_username(&caller, name("eve"), &somewhere()).await.is_err());
    assert_eq!(texts(&world.post().await), [""; 0], "nothing has happened");
    world.app.change_username(&caller, name("countess"), &somewhere()).await.unwrap();
    told_once(&world, LetterText::UsernameChanged, &user.email).await;
}

#[tokio::test]
async fn each_of_several_changes_of_name_is_told_in_a_span_of_its_own() {
    let (world, _) = open_world(policy()).await;
    world.owner("ada", |_| ()).await;
    let caller = world.caller("ada").await;
    for number in 0..30 {
        let name = Username::parse(&format!("countess{number}")).unwrap();
        world.app.change_username(&caller, name, &somewhere()).await.unwrap();
    }
    assert_eq!(world.post().await.len(), 1);
    assert_eq!(world.post_for(1).await.len(), 1);
    assert_eq!(world.post_for(60).await.len(), 8, "ten in all, whatever is done");
}

#[tokio::test]
async fn a_replay_is_told_once_however_often_the_token_is_shown() {
    let (world, _) = open_world(policy()).await;
    let user = world.owner("ada", |_| ()).await;
    let first = world.login("ada", PASSWORD).await.unwrap().pair;
    let second = world.app.refresh(world.refresh(&first.refresh, None)).await.unwrap().pair;
    world.app.refresh(world.refresh(&second.refresh, None)).await.unwrap();
    let replay = || {
        let mut replay = world.refresh(&first.refresh, None);
        replay.origin = somewhere();
        replay
    };
    assert!(matches!(world.app.refresh(replay()).await, Err(RefreshError::Reused)));
    for _ in 0..3 {
        let over = world.app.refresh(replay()).await;
        assert!(matches!(over, Err(RefreshError::SessionEnded(_))));
    }
    told_once(&world, LetterText::TokenReused, &user.email).await;
}

#[tokio::test]
async fn a_reset_is_told_once() {
    let (world, _) = open_world(policy()).await;
    let user = world.owner("ada", |_| ()).await;
    let letter = world.forgotten("ada").await;
    let mut answer = reset(by_token(&letter), "another horse");
    answer.origin = somewhere();
    world.app.reset_password(answer).await.unwrap();
    told_once(&world, LetterText::PasswordReset, &user.email).await;
}

#[tokio::test]
async fn whoever_changes_nothing_tells_nobody() {
    let (world, memory) = open_world(policy()).await;
    world.owner("ada", |_| ()).await;
    let pair = world.login("ada", PASSWORD).await.unwrap().pair;
    world.app.refresh(world.refresh(&pair.refresh, None)).await.unwrap();
    assert!(world.login("ada", "wrong horse").await.is_err());
    world.app.logout_by_access(pair.access.text.expose(), &somewhere()).await.unwrap();
    assert!(memory.letters().is_empty());
}
