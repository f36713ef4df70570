//! Forgetting a password and choosing a new one.

use gateward_domain::link::LinkPurpose;
use gateward_domain::mail::{LetterText, QueuedLetter};
use gateward_domain::ports::Access;
use gateward_domain::{EndReason, Origin, PasswordError};

use super::fakes::{PASSWORD, World, password, policy};
use super::mailbox::{
    address, by_code, by_password, by_token, by_wrong_code, confirm, open_world, reset, saying,
    texts, token,
};
use crate::{
    AuthenticateError, ConfirmEmailError, LoginError, Policy, ResetPassword, ResetPasswordError,
    UndoEmailError,
};

const NEW: &str = "another horse";

async fn refuses(world: &World, answer: ResetPassword) {
    let refused = world.app.reset_password(answer).await;
    assert!(matches!(refused, Err(ResetPasswordError::InvalidLink)), "{refused:?}");
}

/// Row E3: what is written is the same; only who has an account gets a letter.
#[tokio::test]
async fn e3_who_has_no_account_forgets_in_the_same_row_and_gets_no_letter() {
    let (world, memory) = open_world(policy()).await;
    world.owner("known", |_| ()).await;
    world.owner("disabled", |user| user.disabled = true).await;
    for name in ["known", "unknown", "disabled"] {
        world.app.forgot_password(&address(name), &Origin::default()).await.unwrap();
    }
    let alike = |letter: &QueuedLetter| QueuedLetter {
        id: memory.letters()[0].id,
        recipient: address("known"),
        slot: letter.slot.as_ref().map(|slot| slot.replace(letter.recipient.as_str(), "")),
        ..letter.clone()
    };
    let rows: Vec<_> = memory.letters().iter().map(alike).collect();
    assert_eq!(rows.len(), 3);
    assert!(rows.iter().all(|row| *row == rows[0]), "{rows:?}");
    assert!(memory.links().is_empty() && memory.events().is_empty());

    let letters = world.post().await;
    assert_eq!(letters.len(), 1);
    assert_eq!((letters[0].text, &letters[0].to), (LetterText::ResetPassword, &address("known")));
    let link = letters[0].link.as_ref().unwrap();
    assert!(link.starts_with("https://auth.example.org/reset-password#token="), "{link}");
    assert!(memory.events().is_empty(), "nobody waits for the others");
}

#[tokio::test]
async fn v10_a_hundred_requests_make_one_letter_in_a_span() {
    for (span, letters) in [(Some(60), [1, 1, 2]), (None, [100, 200, 300])] {
        let policy = Policy { letters_per_address_seconds: span, ..policy() };
        let (world, memory) = open_world(policy).await;
        world.owner("ada", |_| ()).await;
        for (seconds, count) in [0, 59, 1].into_iter().zip(letters) {
            world.clock.advance_seconds(seconds);
            for _ in 0..100 {
                world.app.forgot_password(&address("ada"), &Origin::default()).await.unwrap();
            }
            assert_eq!(memory.letters().len(), count, "{span:?}");
        }
    }
}

#[tokio::test]
async fn what_a_letter_says_is_decided_when_it_is_sent() {
    let (world, _) = open_world(policy()).await;
    let (unknown, known) = (address("later"), address("ada"));
    for email in [&unknown, &known] {
        world.app.forgot_password(email, &Origin::default()).await.unwrap();
    }
    world.owner("later", |_| ()).await;
    world.clock.advance_seconds(7200);
    let letter = saying(&world.post().await, LetterText::ResetPassword);
    assert_eq!(letter.to, unknown);
    assert!(letter.good_until.unwrap() > world.app.now(), "its link is new");
    world.app.reset_password(reset(by_token(&letter), NEW)).await.unwrap();
}

/// Row V8: a reset proves the mailbox alone, so it ends whatever was begun without it.
#[tokio::test]
async fn v8_a_reset_ends_sessions_and_all_links_but_the_one_that_undoes() {
    let (world, memory) = open_world(policy()).await;
    let user = world.user("ada").await;
    let sessions =
        [world.caller("ada").await, world.caller("ada").await, world.caller("ada").await];
    let shown = world
        .app
        .verify_again(&sessions[0], &password(PASSWORD), &Origin::default())
        .await
        .unwrap();
    let origin = Origin::default();
    world.app.change_email(&sessions[0], shown, address("new"), &origin).await.unwrap();
    let before = world.post().await;
    assert_eq!(texts(&before), ["confirm_change", "confirm_email", "email_change"]);
    let older = world.forgotten("ada").await;
    world.clock.advance_seconds(60);
    let letter = world.forgotten("ada").await;
    assert_eq!(memory.links().len(), 4);

    refuses(&world, reset(by_token(&older), NEW)).await;
    world.app.reset_password(reset(by_token(&letter), NEW)).await.unwrap();
    for session in sessions {
        let mut tx = world.store.begin(Access::Read).await.unwrap();
        let (session, _) = tx.find_session(session.session_id).await.unwrap().unwrap();
        assert_eq!(session.ended.unwrap().reason, EndReason::PasswordReset);
    }
    let left: Vec<_> = memory.links().iter().map(|link| link.purpose).collect();
    assert_eq!(left, [LinkPurpose::UndoEmail]);
    for dead in [LetterText::ConfirmEmail, LetterText::ConfirmChange] {
        let answer = confirm(by_token(&saying(&before, dead)), by_password());
        let refused = world.app.confirm_email(answer).await;
        assert!(matches!(refused, Err(ConfirmEmailError::InvalidLink)), "{dead}");
    }
    refuses(&world, reset(by_token(&letter), "third horse")).await;

    assert!(matches!(world.login("ada", PASSWORD).await, Err(LoginError::BadCredentials)));
    assert!(world.login("ada", NEW).await.is_ok());
    assert!(world.find(user.id).await.unwrap().email_verified, "the mailbox was proved");
    let told = world.told(user.id).await;
    for kind in ["password_reset", "sessions_ended", "email_confirmed"] {
        assert_eq!(told.iter().filter(|told| **told == kind).count(), 1, "{kind}");
    }
    assert_eq!(saying(&world.post().await, LetterText::PasswordReset).to, user.email);
}

#[tokio::test]
async fn the_access_token_of_a_session_is_dead_after_a_reset() {
    let (world, _) = open_world(policy()).await;
    let pair = world.logged_in("ada").await.pair;
    let letter = world.forgotten("ada").await;
    world.app.reset_password(reset(by_code(&letter), NEW)).await.unwrap();
    let dead = world.app.authenticate(pair.access.text.expose()).await;
    assert!(matches!(dead, Err(AuthenticateError::SessionEnded(EndReason::PasswordReset))));
}

#[tokio::test]
async fn a_weak_password_uses_nothing_up() {
    let (world, _) = open_world(policy()).await;
    world.owner("ada", |_| ()).await;
    let letter = world.forgotten("ada").await;
    let refused = world.app.reset_password(reset(by_token(&letter), "password")).await;
    let common = PasswordError::Common;
    assert!(matches!(refused, Err(ResetPasswordError::Password(told)) if told == common));
    world.app.reset_password(reset(by_token(&letter), NEW)).await.unwrap();
}

#[tokio::test]
async fn v5_a_link_that_resets_is_good_until_its_last_second() {
    for (seconds, good) in [(-1, true), (0, false)] {
        let (world, _) = open_world(policy()).await;
        world.owner("ada", |_| ()).await;
        let letter = world.forgotten("ada").await;
        world.clock.set(letter.good_until.unwrap().plus_seconds(seconds));
        if !good {
            refuses(&world, reset(by_code(&letter), NEW)).await;
            let early = world.app.prepare_reset(reset(by_token(&letter), NEW)).await;
            assert!(matches!(early, Err(ResetPasswordError::InvalidLink)), "nothing is hashed");
        }
        let done = world.app.reset_password(reset(by_token(&letter), NEW)).await;
        assert_eq!(done.is_ok(), good, "{done:?}");
    }
}

#[tokio::test]
async fn v5_a_link_that_ran_out_while_the_password_was_hashed_resets_nothing() {
    let (world, _) = open_world(policy()).await;
    world.owner("ada", |_| ()).await;
    let letter = world.forgotten("ada").await;
    let prepared = world.app.prepare_reset(reset(by_token(&letter), NEW)).await.unwrap();
    world.clock.set(letter.good_until.unwrap());
    let refused = world.app.complete_reset(prepared).await;
    assert!(matches!(refused, Err(ResetPasswordError::InvalidLink)));
    assert!(world.login("ada", PASSWORD).await.is_ok());
}

/// Row V4: all have seen the link before any of them used it.
#[tokio::test]
async fn v4_of_fifty_resets_with_one_link_exactly_one_counts() {
    let (world, _) = open_world(policy()).await;
    let user = world.owner("ada", |_| ()).await;
    let letter = world.forgotten("ada").await;
    let mut prepared = Vec::new();
    for number in 0..50 {
        let answer = reset(by_token(&letter), &format!("{NEW} {number}"));
        prepared.push((number, world.app.prepare_reset(answer).await.unwrap()));
    }
    let mut winners = Vec::new();
    for (number, prepared) in prepared {
        match world.app.complete_reset(prepared).await {
            Ok(()) => winners.push(number),
            Err(ResetPasswordError::InvalidLink) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(winners.len(), 1);
    for number in 0..50 {
        let login = world.login("ada", &format!("{NEW} {number}")).await;
        assert_eq!(login.is_ok(), winners.contains(&number), "{number}");
    }
    let told = world.told(user.id).await;
    assert_eq!(told.iter().filter(|told| **told == "password_reset").count(), 1);
    assert_eq!(texts(&world.post().await), ["password_reset"]);
}

/// Row A9: each link does what it is for.
#[tokio::test]
async fn a9_a_link_does_nothing_where_another_is_wanted() {
    let (world, _) = open_world(policy()).await;
    let user = world.user("ada").await;
    let reset_letter = world.forgotten("ada").await;
    let confirm_letter = saying(&world.pigeons.sent(), LetterText::ConfirmEmail);
    for by in [by_token, by_code] {
        refuses(&world, reset(by(&confirm_letter), NEW)).await;
        let refused = world.app.confirm_email(confirm(by(&reset_letter), by_password())).await;
        assert!(matches!(refused, Err(ConfirmEmailError::InvalidLink)));
    }
    for letter in [&confirm_letter, &reset_letter] {
        let refused = world.app.undo_email_change(&token(letter), &Origin::default()).await;
        assert!(matches!(refused, Err(UndoEmailError::InvalidLink)));
    }
    world.app.confirm_email(confirm(by_token(&confirm_letter), by_password())).await.unwrap();
    assert!(world.find(user.id).await.unwrap().email_verified);
    world.app.reset_password(reset(by_token(&reset_letter), NEW)).await.unwrap();
}

/// Row V1: who asks for letter after letter has no more tries.
#[tokio::test]
async fn v1_a_new_letter_brings_no_new_tries_of_its_code() {
    let (world, _) = open_world(policy()).await;
    world.owner("ada", |_| ()).await;
    let first = world.forgotten("ada").await;
    for more in 1..=5 {
        refuses(&world, reset(by_wrong_code(&first, more), NEW)).await;
    }
    world.clock.advance_seconds(60);
    let second = world.forgotten("ada").await;
    refuses(&world, reset(by_code(&second), NEW)).await;
    // When the first link would have been over, the next code is as good as ever.
    world.clock.set(first.good_until.unwrap());
    world.clock.advance_seconds(600);
    let third = world.forgotten("ada").await;
    world.app.reset_password(reset(by_code(&third), NEW)).await.unwrap();
}

#[tokio::test]
async fn a_code_that_resets_is_tried_five_times_and_then_only_the_link_is_good() {
    let (world, _) = open_world(policy()).await;
    world.owner("ada", |_| ()).await;
    let letter = world.forgotten("ada").await;
    for more in 1..=5 {
        refuses(&world, reset(by_wrong_code(&letter, more), NEW)).await;
    }
    refuses(&world, reset(by_code(&letter), NEW)).await;
    world.app.reset_password(reset(by_token(&letter), NEW)).await.unwrap();
}

#[tokio::test]
async fn a_disabled_account_is_not_reset_by_a_letter_from_before() {
    let (world, _) = open_world(policy()).await;
    world.owner("ada", |_| ()).await;
    let letter = world.forgotten("ada").await;
    let prepared = world.app.prepare_reset(reset(by_token(&letter), NEW)).await.unwrap();
    world.set_disabled("ada", true).await;
    let refused = world.app.complete_reset(prepared).await;
    assert!(matches!(refused, Err(ResetPasswordError::InvalidLink)));
    world.set_disabled("ada", false).await;
    refuses(&world, reset(by_token(&letter), NEW)).await;
    assert!(world.login("ada", PASSWORD).await.is_ok());
}

/// Whatever took the link away or forgot to: the account is looked at again when it is used.
#[tokio::test]
async fn a9_a_link_resets_only_the_account_and_address_that_it_was_made_for() {
    for disable in [true, false] {
        let (world, memory) = open_world(policy()).await;
        let user = world.owner("ada", |_| ()).await;
        let letter = world.forgotten("ada").await;
        let mut tx = world.store.begin(Access::Write).await.unwrap();
        if disable {
            tx.set_user_disabled(user.id, true, world.app.now()).await.unwrap();
        } else {
            tx.set_email(user.id, &address("new"), true, world.app.now()).await.unwrap();
        }
        tx.commit().await.unwrap();
        refuses(&world, reset(by_token(&letter), NEW)).await;
        assert_eq!(memory.users()[0].password_hash, user.password_hash);
    }
}
