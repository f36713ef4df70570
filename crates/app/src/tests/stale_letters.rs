//! Letters that waited so long that what they were to say is no longer so.

use gateward_domain::Origin;
use gateward_domain::mail::{LetterState, LetterText};

use super::addresses::ask;
use super::fakes::{policy, signup};
use super::mailbox::{
    address, by_token, confirm, open_world, required, reset, saying, texts, unreachable,
};
use crate::AccountProof;

/// Row F20: an outage longer than the life of a link sends no stale one.
#[tokio::test]
async fn f20_a_link_that_ran_out_while_no_relay_was_there_is_made_anew() {
    let (world, memory) = open_world(policy()).await;
    world.owner("ada", |_| ()).await;
    world.app.forgot_password(&address("ada"), &Origin::default()).await.unwrap();
    world.pigeons.fail(Some(unreachable()));
    world.post_for(120).await;
    let tried = world.pigeons.tried();
    let first = &tried[0];
    let while_good = tried.iter().filter(|letter| letter.good_until == first.good_until);
    assert!(while_good.clone().count() > 5 && while_good.clone().all(|letter| letter == first));
    world.pigeons.fail(None);
    let letter = saying(&world.post_for(1).await, LetterText::ResetPassword);
    assert_eq!(letter.id, first.id);
    assert_ne!(letter.link, first.link);
    assert!(letter.good_until.unwrap().seconds_since(world.app.now()) >= 300, "time to read it");
    assert_eq!(memory.links().len(), 1, "the old one is gone");
    world.app.reset_password(reset(by_token(&letter), "another horse")).await.unwrap();
}

#[tokio::test]
async fn f20_a_link_leaves_two_minutes_to_read_the_letter_or_is_made_anew() {
    for (seconds, same) in [(121, true), (120, false)] {
        let (world, _) = open_world(policy()).await;
        world.owner("ada", |_| ()).await;
        world.app.forgot_password(&address("ada"), &Origin::default()).await.unwrap();
        world.pigeons.fail(Some(unreachable()));
        world.post().await;
        let first = world.pigeons.tried().remove(0);
        world.pigeons.fail(None);
        world.clock.set(first.good_until.unwrap().minus_seconds(seconds));
        let letter = saying(&world.post().await, LetterText::ResetPassword);
        assert_eq!(letter == first, same);
    }
}

#[tokio::test]
async fn f20_a_letter_whose_signup_is_over_is_dropped_and_that_is_written_down() {
    for tried_before in [false, true] {
        let (world, memory) = open_world(required()).await;
        world.pending(signup("ada")).await;
        if tried_before {
            world.pigeons.fail(Some(unreachable()));
            world.post().await;
            world.pigeons.fail(None);
        }
        world.clock.advance_seconds(4 * 24 * 3600 - 120);
        assert_eq!(texts(&world.post().await), [""; 0], "{tried_before}");
        assert_eq!(memory.letters()[0].state, LetterState::Dropped);
        let told: Vec<_> = memory.events().iter().map(|event| event.kind.as_str()).collect();
        assert_eq!(told.iter().filter(|kind| **kind == "letter_dropped").count(), 1);
    }
}

#[tokio::test]
async fn f20_a_link_promises_no_more_time_than_its_signup_has() {
    let (world, _) = open_world(required()).await;
    let secret = world.pending(signup("ada")).await;
    world.post().await;
    world.clock.advance_seconds(4 * 24 * 3600 - 600);
    let email = address("ada");
    world.app.resend_confirmation(&email, Some(&secret), &Origin::default()).await.unwrap();
    let letter = saying(&world.post().await, LetterText::ConfirmSignup);
    assert_eq!(letter.good_until.unwrap().seconds_since(world.app.now()), 600);
    let answer = confirm(by_token(&letter), AccountProof::SignupSecret(secret));
    world.app.confirm_email(answer).await.unwrap();
}

#[tokio::test]
async fn f20_a_change_of_address_that_nobody_could_confirm_in_time_is_written_down() {
    let (world, memory) = open_world(policy()).await;
    world.owner("ada", |_| ()).await;
    let caller = world.caller("ada").await;
    ask(&world, &caller, "new").await.unwrap();
    world.clock.advance_seconds(24 * 3600);
    assert_eq!(texts(&world.post().await), ["email_change"], "undoing is good for longer");
    let told: Vec<_> = memory.events().iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(told.iter().filter(|kind| **kind == "letter_dropped").count(), 1);
}

#[tokio::test]
async fn a_letter_whose_link_was_replaced_is_dropped_silently() {
    let (world, memory) = open_world(policy()).await;
    world.owner("ada", |_| ()).await;
    world.pigeons.fail(Some(unreachable()));
    for _ in 0..2 {
        world.app.forgot_password(&address("ada"), &Origin::default()).await.unwrap();
        world.post().await;
        world.clock.advance_seconds(60);
    }
    world.pigeons.fail(None);
    let letter = saying(&world.post().await, LetterText::ResetPassword);
    let states: Vec<_> = memory.letters().iter().map(|letter| letter.state).collect();
    assert_eq!(states, [LetterState::Dropped, LetterState::Sent]);
    assert_eq!(memory.letters()[1].id, letter.id);
    assert!(memory.events().is_empty());
}
