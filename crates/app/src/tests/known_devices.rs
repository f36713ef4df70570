//! Known and unknown devices, and reported logins.

use std::net::IpAddr;

use gateward_domain::email::{EmailMessage, EmailTemplate};
use gateward_domain::known_device::KnownDevice;
use gateward_domain::{EndReason, EventKind, Identifier, RequestInfo, TokenText};
use gateward_testkit::MemoryStore;

use super::mailbox::{address, by_token, confirm, open_test_app, reset, saying, token};
use super::test_app::{PASSWORD, TestApp, password, policy};
use crate::{
    AccountProof, AuthenticateError, ConfirmEmailError, LoggedIn, Login, LoginError, NotMeError,
};

const DAY: i64 = 24 * 3600;

fn at(ip: &str) -> RequestInfo {
    let ip: IpAddr = ip.parse().unwrap();
    RequestInfo { ip: Some(ip), user_agent: Some("Browser/1".to_owned()) }
}

/// A fixture in which ada's account is old and her email address is confirmed.
async fn settled() -> (TestApp, MemoryStore) {
    let (test_app, memory) = open_test_app(policy()).await;
    test_app.owner("ada", |_| ()).await;
    test_app.clock.advance_seconds(2 * DAY);
    (test_app, memory)
}

async fn log_in(
    test_app: &TestApp,
    device: Option<&TokenText>,
    request_info: RequestInfo,
) -> LoggedIn {
    let login = Login {
        identifier: Identifier::parse("ada"),
        password: password(PASSWORD),
        client_name: None,
        known_device_token: device.cloned(),
        request_info,
    };
    test_app.app.login(login).await.unwrap()
}

/// Sends the due emails, and returns those about new devices.
async fn told(test_app: &TestApp) -> Vec<EmailMessage> {
    let mut emails = test_app.post().await;
    emails.retain(|message| message.text == EmailTemplate::NewDevice);
    emails
}

#[tokio::test]
async fn a_device_that_was_never_seen_is_told_and_then_known_by_its_token() {
    let (test_app, memory) = settled().await;
    let first = log_in(&test_app, None, at("192.0.2.1")).await;
    assert_eq!(told(&test_app).await.len(), 1);
    let events = memory.events();
    let event = events.iter().find(|event| event.kind == EventKind::NewDevice).unwrap();
    let session = &memory.sessions()[0];
    assert_eq!((event.user_id, event.ip), (Some(session.user_id), at("192.0.2.1").ip));
    assert_eq!(event.session_id, Some(session.id));
    let again = log_in(&test_app, Some(&first.known_device_token), at("198.51.100.7")).await;
    assert_eq!(again.known_device_token.expose(), first.known_device_token.expose());
    assert!(told(&test_app).await.is_empty(), "wherever it is");
    assert_eq!(memory.known_devices().len(), 1);
}

#[tokio::test]
async fn the_first_login_of_a_new_account_is_expected() {
    let (test_app, _) = open_test_app(policy()).await;
    test_app.owner("ada", |_| ()).await;
    test_app.post().await;
    log_in(&test_app, None, at("192.0.2.1")).await;
    assert!(told(&test_app).await.is_empty());
    log_in(&test_app, None, at("192.0.2.2")).await;
    assert_eq!(told(&test_app).await.len(), 1, "the second one is not");
}

#[tokio::test]
async fn a_place_and_program_that_logged_in_before_need_no_email() {
    let (test_app, memory) = settled().await;
    log_in(&test_app, None, at("192.0.2.1")).await;
    told(&test_app).await;
    log_in(&test_app, None, at("192.0.2.1")).await;
    assert!(told(&test_app).await.is_empty());
    assert_eq!(memory.known_devices().len(), 2, "yet each is a client of its own");
}

#[tokio::test]
async fn a_token_of_somebody_else_or_too_old_is_none() {
    let (test_app, _) = settled().await;
    let first = log_in(&test_app, None, at("192.0.2.1")).await;
    told(&test_app).await;
    let made_up = TokenText::new("0".repeat(64));
    let stranger = log_in(&test_app, Some(&made_up), at("192.0.2.2")).await;
    assert_ne!(stranger.known_device_token.expose(), made_up.expose());
    assert_eq!(told(&test_app).await.len(), 1);
    test_app.clock.advance_seconds(KnownDevice::KNOWN_SECONDS);
    let late = log_in(&test_app, Some(&first.known_device_token), at("192.0.2.1")).await;
    assert_ne!(late.known_device_token.expose(), first.known_device_token.expose());
    assert_eq!(told(&test_app).await.len(), 1);
}

#[tokio::test]
async fn an_account_has_so_many_devices_and_those_that_come_back_stay() {
    let (test_app, memory) = settled().await;
    let faithful = log_in(&test_app, None, at("192.0.2.1")).await;
    test_app.clock.advance_seconds(1);
    log_in(&test_app, Some(&faithful.known_device_token), at("192.0.2.1")).await;
    for _ in 0..KnownDevice::PER_USER_MAX + 5 {
        test_app.clock.advance_seconds(1);
        log_in(&test_app, None, at("192.0.2.9")).await;
    }
    assert_eq!(memory.known_devices().len(), KnownDevice::PER_USER_MAX as usize);
    let again = log_in(&test_app, Some(&faithful.known_device_token), at("192.0.2.1")).await;
    assert_eq!(again.known_device_token.expose(), faithful.known_device_token.expose());
}

/// Row V10 in part: an attacker who knows the password cannot flood the mailbox.
#[tokio::test]
async fn v10_many_new_devices_in_an_hour_are_a_few_emails() {
    let (test_app, _) = settled().await;
    for number in 0..20 {
        log_in(&test_app, None, at(&format!("192.0.2.{number}"))).await;
    }
    assert_eq!(told(&test_app).await.len(), 5);
    test_app.clock.advance_seconds(3600);
    log_in(&test_app, None, at("203.0.113.1")).await;
    assert_eq!(told(&test_app).await.len(), 1);
}

#[tokio::test]
async fn the_link_of_the_email_ends_that_session_and_begins_a_reset() {
    let (test_app, memory) = settled().await;
    let owner = log_in(&test_app, None, at("192.0.2.1")).await;
    told(&test_app).await;
    let thief = log_in(&test_app, None, at("203.0.113.66")).await;
    let message = told(&test_app).await.pop().unwrap();
    let request_info = RequestInfo::default();
    test_app.app.report_login(&token(&message), &request_info).await.unwrap();

    let out = test_app.app.authenticate(thief.pair.access.text.expose()).await;
    assert!(matches!(out, Err(AuthenticateError::SessionEnded(EndReason::NotMe))));
    let everybody = test_app.app.authenticate(owner.pair.access.text.expose()).await;
    assert!(matches!(everybody, Err(AuthenticateError::SessionEnded(EndReason::NotMe))));
    let again = test_app.login("ada", PASSWORD).await;
    assert!(
        matches!(again, Err(LoginError::InvalidCredentials)),
        "the password is known to a stranger"
    );
    let texts: Vec<_> = test_app.post().await.iter().map(|message| message.text).collect();
    assert_eq!(texts, [EmailTemplate::ResetPassword]);
    assert!(memory.known_devices().is_empty(), "no client is known any more");
    let timeline = test_app.timeline(thief.pair.session_id).await;
    assert!(timeline.contains(&"sessions_ended not_me".to_owned()), "{timeline:?}");
    let twice = test_app.app.report_login(&token(&message), &request_info).await;
    assert!(matches!(twice, Err(NotMeError::InvalidLink)));
}

#[tokio::test]
async fn a_link_that_says_not_me_does_nothing_else_and_no_other_link_does_it() {
    let (test_app, _) = settled().await;
    log_in(&test_app, None, at("192.0.2.1")).await;
    let message = told(&test_app).await.pop().unwrap();
    let undone = test_app.app.undo_email_change(&token(&message), &RequestInfo::default()).await;
    assert!(undone.is_err());
    let reset = test_app.forgotten("ada").await;
    let refused = test_app.app.report_login(&token(&reset), &RequestInfo::default()).await;
    assert!(matches!(refused, Err(NotMeError::InvalidLink)));
    test_app.clock.advance_seconds(7 * DAY);
    let late = test_app.app.report_login(&token(&message), &RequestInfo::default()).await;
    assert!(matches!(late, Err(NotMeError::InvalidLink)));
}

/// Row V8 in part: an owner who has reset the password by email since is not logged out by an old
/// email.
#[tokio::test]
async fn v8_an_email_about_a_login_from_before_a_reset_does_nothing() {
    let (test_app, _) = settled().await;
    log_in(&test_app, None, at("203.0.113.66")).await;
    let message = told(&test_app).await.pop().unwrap();
    test_app.clock.advance_seconds(60);
    let forgotten = test_app.forgotten("ada").await;
    test_app.app.reset_password(reset(by_token(&forgotten), "another horse")).await.unwrap();
    let refused = test_app.app.report_login(&token(&message), &RequestInfo::default()).await;
    assert!(matches!(refused, Err(NotMeError::InvalidLink)));
    assert!(test_app.login("ada", "another horse").await.is_ok());
}

/// Everything that the reported login started ends as well: another session, a change of email
/// address.
#[tokio::test]
async fn a_reported_login_takes_with_it_what_was_started_by_it() {
    let (test_app, _) = settled().await;
    log_in(&test_app, None, at("203.0.113.66")).await;
    let message = told(&test_app).await.pop().unwrap();
    let second = log_in(&test_app, None, at("203.0.113.66")).await.pair;
    let caller = test_app.app.authenticate(second.access.text.expose()).await.unwrap();
    let presented = test_app
        .app
        .verify_again(&caller, &password(PASSWORD), &RequestInfo::default())
        .await
        .unwrap();
    let request_info = RequestInfo::default();
    test_app.app.change_email(&caller, presented, address("thief"), &request_info).await.unwrap();
    let confirming = saying(&test_app.post().await, EmailTemplate::ConfirmChange);
    test_app.app.report_login(&token(&message), &request_info).await.unwrap();
    let out = test_app.app.authenticate(second.access.text.expose()).await;
    assert!(matches!(out, Err(AuthenticateError::SessionEnded(EndReason::NotMe))));
    let proof = AccountProof::LoggedIn(caller.user.id);
    let late = test_app.app.confirm_email(confirm(by_token(&confirming), proof)).await;
    assert!(matches!(late, Err(ConfirmEmailError::InvalidLink)));
}
