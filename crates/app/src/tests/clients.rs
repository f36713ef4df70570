//! Clients that are known, and those that are not; and logins that were somebody else's.

use std::net::IpAddr;

use gateward_domain::client::KnownClient;
use gateward_domain::mail::{Letter, LetterText};
use gateward_domain::{EndReason, Identifier, Origin, TokenText};
use gateward_testkit::MemoryStore;

use super::fakes::{PASSWORD, World, password, policy};
use super::mailbox::{address, by_token, confirm, open_world, reset, saying, token};
use crate::{
    AccountProof, AuthenticateError, ConfirmEmailError, LoggedIn, Login, LoginError, NotMeError,
};

const DAY: i64 = 24 * 3600;

fn at(ip: &str) -> Origin {
    let ip: IpAddr = ip.parse().unwrap();
    Origin { ip: Some(ip), user_agent: Some("Browser/1".to_owned()) }
}

/// A world in which ada's account is old and her address proved.
async fn settled() -> (World, MemoryStore) {
    let (world, memory) = open_world(policy()).await;
    world.owner("ada", |_| ()).await;
    world.clock.advance_seconds(2 * DAY);
    (world, memory)
}

async fn log_in(world: &World, device: Option<&TokenText>, origin: Origin) -> LoggedIn {
    let login = Login {
        identifier: Identifier::parse("ada"),
        password: password(PASSWORD),
        client_name: None,
        device_token: device.cloned(),
        origin,
    };
    world.app.login(login).await.unwrap()
}

/// The letters about new clients that go out now.
async fn told(world: &World) -> Vec<Letter> {
    let mut letters = world.post().await;
    letters.retain(|letter| letter.text == LetterText::NewClient);
    letters
}

#[tokio::test]
async fn a_client_that_was_never_seen_is_told_and_then_known_by_its_token() {
    let (world, memory) = settled().await;
    let first = log_in(&world, None, at("192.0.2.1")).await;
    assert_eq!(told(&world).await.len(), 1);
    let again = log_in(&world, Some(&first.device_token), at("198.51.100.7")).await;
    assert_eq!(again.device_token.expose(), first.device_token.expose());
    assert!(told(&world).await.is_empty(), "wherever it is");
    assert_eq!(memory.clients().len(), 1);
}

#[tokio::test]
async fn the_first_login_of_a_new_account_is_expected() {
    let (world, _) = open_world(policy()).await;
    world.owner("ada", |_| ()).await;
    world.post().await;
    log_in(&world, None, at("192.0.2.1")).await;
    assert!(told(&world).await.is_empty());
    log_in(&world, None, at("192.0.2.2")).await;
    assert_eq!(told(&world).await.len(), 1, "the second one is not");
}

#[tokio::test]
async fn a_place_and_program_that_logged_in_before_need_no_letter() {
    let (world, memory) = settled().await;
    log_in(&world, None, at("192.0.2.1")).await;
    told(&world).await;
    log_in(&world, None, at("192.0.2.1")).await;
    assert!(told(&world).await.is_empty());
    assert_eq!(memory.clients().len(), 2, "yet each is a client of its own");
}

#[tokio::test]
async fn a_token_of_somebody_else_or_too_old_is_none() {
    let (world, _) = settled().await;
    let first = log_in(&world, None, at("192.0.2.1")).await;
    told(&world).await;
    let made_up = TokenText::new("0".repeat(64));
    let stranger = log_in(&world, Some(&made_up), at("192.0.2.2")).await;
    assert_ne!(stranger.device_token.expose(), made_up.expose());
    assert_eq!(told(&world).await.len(), 1);
    world.clock.advance_seconds(KnownClient::KNOWN_SECONDS);
    let late = log_in(&world, Some(&first.device_token), at("192.0.2.1")).await;
    assert_ne!(late.device_token.expose(), first.device_token.expose());
    assert_eq!(told(&world).await.len(), 1);
}

#[tokio::test]
async fn an_account_has_so_many_clients_and_those_that_come_back_stay() {
    let (world, memory) = settled().await;
    let faithful = log_in(&world, None, at("192.0.2.1")).await;
    world.clock.advance_seconds(1);
    log_in(&world, Some(&faithful.device_token), at("192.0.2.1")).await;
    for _ in 0..KnownClient::PER_USER_MAX + 5 {
        world.clock.advance_seconds(1);
        log_in(&world, None, at("192.0.2.9")).await;
    }
    assert_eq!(memory.clients().len(), KnownClient::PER_USER_MAX as usize);
    let again = log_in(&world, Some(&faithful.device_token), at("192.0.2.1")).await;
    assert_eq!(again.device_token.expose(), faithful.device_token.expose());
}

/// Row V10 in part: whoever knows the password cannot fill the mailbox.
#[tokio::test]
async fn v10_many_new_clients_in_an_hour_are_a_few_letters() {
    let (world, _) = settled().await;
    for number in 0..20 {
        log_in(&world, None, at(&format!("192.0.2.{number}"))).await;
    }
    assert_eq!(told(&world).await.len(), 5);
    world.clock.advance_seconds(3600);
    log_in(&world, None, at("203.0.113.1")).await;
    assert_eq!(told(&world).await.len(), 1);
}

#[tokio::test]
async fn the_link_of_the_letter_ends_that_session_and_begins_a_reset() {
    let (world, memory) = settled().await;
    let owner = log_in(&world, None, at("192.0.2.1")).await;
    told(&world).await;
    let thief = log_in(&world, None, at("203.0.113.66")).await;
    let letter = told(&world).await.pop().unwrap();
    let origin = Origin::default();
    world.app.disown_login(&token(&letter), &origin).await.unwrap();

    let out = world.app.authenticate(thief.pair.access.text.expose()).await;
    assert!(matches!(out, Err(AuthenticateError::SessionEnded(EndReason::NotMe))));
    let everybody = world.app.authenticate(owner.pair.access.text.expose()).await;
    assert!(matches!(everybody, Err(AuthenticateError::SessionEnded(EndReason::NotMe))));
    let again = world.login("ada", PASSWORD).await;
    assert!(
        matches!(again, Err(LoginError::BadCredentials)),
        "the password is known to a stranger"
    );
    let texts: Vec<_> = world.post().await.iter().map(|letter| letter.text).collect();
    assert_eq!(texts, [LetterText::ResetPassword]);
    assert!(memory.clients().is_empty(), "no client is known any more");
    let story = world.story(thief.pair.session_id).await;
    assert!(story.contains(&"sessions_ended not_me".to_owned()), "{story:?}");
    let twice = world.app.disown_login(&token(&letter), &origin).await;
    assert!(matches!(twice, Err(NotMeError::InvalidLink)));
}

#[tokio::test]
async fn a_link_that_says_not_me_does_nothing_else_and_no_other_link_does_it() {
    let (world, _) = settled().await;
    log_in(&world, None, at("192.0.2.1")).await;
    let letter = told(&world).await.pop().unwrap();
    let undone = world.app.undo_email_change(&token(&letter), &Origin::default()).await;
    assert!(undone.is_err());
    let reset = world.forgotten("ada").await;
    let refused = world.app.disown_login(&token(&reset), &Origin::default()).await;
    assert!(matches!(refused, Err(NotMeError::InvalidLink)));
    world.clock.advance_seconds(7 * DAY);
    let late = world.app.disown_login(&token(&letter), &Origin::default()).await;
    assert!(matches!(late, Err(NotMeError::InvalidLink)));
}

/// Row V8 in part: whoever has chosen a password by the mailbox since is not thrown out by an old
/// letter.
#[tokio::test]
async fn v8_a_letter_about_a_login_from_before_a_reset_does_nothing() {
    let (world, _) = settled().await;
    log_in(&world, None, at("203.0.113.66")).await;
    let letter = told(&world).await.pop().unwrap();
    world.clock.advance_seconds(60);
    let forgotten = world.forgotten("ada").await;
    world.app.reset_password(reset(by_token(&forgotten), "another horse")).await.unwrap();
    let refused = world.app.disown_login(&token(&letter), &Origin::default()).await;
    assert!(matches!(refused, Err(NotMeError::InvalidLink)));
    assert!(world.login("ada", "another horse").await.is_ok());
}

/// What whoever logged in has begun ends as well: another session, a change of address.
#[tokio::test]
async fn a_disowned_login_takes_with_it_what_was_begun_by_it() {
    let (world, _) = settled().await;
    log_in(&world, None, at("203.0.113.66")).await;
    let letter = told(&world).await.pop().unwrap();
    let second = log_in(&world, None, at("203.0.113.66")).await.pair;
    let caller = world.app.authenticate(second.access.text.expose()).await.unwrap();
    let shown =
        world.app.verify_again(&caller, &password(PASSWORD), &Origin::default()).await.unwrap();
    let origin = Origin::default();
    world.app.change_email(&caller, shown, address("thief"), &origin).await.unwrap();
    let confirming = saying(&world.post().await, LetterText::ConfirmChange);
    world.app.disown_login(&token(&letter), &origin).await.unwrap();
    let out = world.app.authenticate(second.access.text.expose()).await;
    assert!(matches!(out, Err(AuthenticateError::SessionEnded(EndReason::NotMe))));
    let proof = AccountProof::LoggedIn(caller.user.id);
    let late = world.app.confirm_email(confirm(by_token(&confirming), proof)).await;
    assert!(matches!(late, Err(ConfirmEmailError::InvalidLink)));
}
