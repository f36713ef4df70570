//! Notices to the owner about changes to the account: one each.

use gateward_domain::email::EmailTemplate;
use gateward_domain::{EmailAddress, RequestInfo, Username};

use super::mailbox::{by_token, open_test_app, reset, texts};
use super::test_app::{PASSWORD, TestApp, password, policy};
use crate::{ChangePassword, RefreshError};

fn somewhere() -> RequestInfo {
    RequestInfo { ip: Some([192, 0, 2, 7].into()), user_agent: None }
}

/// Asserts that the next delivery is one email with this template to this email address, with the
/// time and the IP address of the event.
async fn told_once(test_app: &TestApp, text: EmailTemplate, to: &EmailAddress) {
    let happened = test_app.app.now();
    test_app.clock.advance_seconds(3);
    let emails = test_app.post_for(20).await;
    assert_eq!(texts(&emails), [text.as_str()]);
    assert_eq!((&emails[0].to, emails[0].ip), (to, somewhere().ip));
    assert_eq!((emails[0].created_at, &emails[0].link), (happened, &None));
}

#[tokio::test]
async fn a_changed_password_is_told_once() {
    let (test_app, _) = open_test_app(policy()).await;
    let user = test_app.owner("ada", |_| ()).await;
    let caller = test_app.caller("ada").await;
    let change = |current: &str| ChangePassword {
        current: password(current),
        new: password("another horse"),
        request_info: somewhere(),
    };
    assert!(test_app.app.change_password(&caller, change("wrong horse")).await.is_err());
    assert_eq!(texts(&test_app.post().await), [""; 0], "nothing has happened");
    test_app.app.change_password(&caller, change(PASSWORD)).await.unwrap();
    told_once(&test_app, EmailTemplate::PasswordChanged, &user.email).await;
}

#[tokio::test]
async fn a_changed_password_ends_the_emails_that_would_reset_it() {
    let (test_app, memory) = open_test_app(policy()).await;
    test_app.owner("ada", |_| ()).await;
    let caller = test_app.caller("ada").await;
    let message = test_app.forgotten("ada").await;
    let change = ChangePassword {
        current: password(PASSWORD),
        new: password("another horse"),
        request_info: somewhere(),
    };
    test_app.app.change_password(&caller, change).await.unwrap();
    assert!(memory.links().is_empty());
    assert!(test_app.app.reset_password(reset(by_token(&message), "third horse")).await.is_err());
}

#[tokio::test]
async fn a_changed_name_is_told_once() {
    let (test_app, _) = open_test_app(policy()).await;
    let user = test_app.owner("ada", |_| ()).await;
    test_app.owner("eve", |_| ()).await;
    let caller = test_app.caller("ada").await;
    let name = |name| Username::parse(name).unwrap();
    assert!(test_app.app.change_username(&caller, name("eve"), &somewhere()).await.is_err());
    assert_eq!(texts(&test_app.post().await), [""; 0], "nothing has happened");
    test_app.app.change_username(&caller, name("countess"), &somewhere()).await.unwrap();
    told_once(&test_app, EmailTemplate::UsernameChanged, &user.email).await;
}

#[tokio::test]
async fn each_of_several_changes_of_name_is_told_in_a_span_of_its_own() {
    let (test_app, _) = open_test_app(policy()).await;
    test_app.owner("ada", |_| ()).await;
    let caller = test_app.caller("ada").await;
    for number in 0..30 {
        let name = Username::parse(&format!("countess{number}")).unwrap();
        test_app.app.change_username(&caller, name, &somewhere()).await.unwrap();
    }
    assert_eq!(test_app.post().await.len(), 1);
    assert_eq!(test_app.post_for(1).await.len(), 1);
    assert_eq!(test_app.post_for(60).await.len(), 8, "ten in all, whatever is done");
}

#[tokio::test]
async fn a_replay_is_told_once_however_often_the_token_is_shown() {
    let (test_app, _) = open_test_app(policy()).await;
    let user = test_app.owner("ada", |_| ()).await;
    let first = test_app.login("ada", PASSWORD).await.unwrap().pair;
    let second = test_app.app.refresh(test_app.refresh(&first.refresh, None)).await.unwrap().pair;
    test_app.app.refresh(test_app.refresh(&second.refresh, None)).await.unwrap();
    let replay = || {
        let mut replay = test_app.refresh(&first.refresh, None);
        replay.request_info = somewhere();
        replay
    };
    assert!(matches!(test_app.app.refresh(replay()).await, Err(RefreshError::Reused)));
    for _ in 0..3 {
        let over = test_app.app.refresh(replay()).await;
        assert!(matches!(over, Err(RefreshError::SessionEnded(_))));
    }
    told_once(&test_app, EmailTemplate::TokenReused, &user.email).await;
}

#[tokio::test]
async fn a_reset_is_told_once() {
    let (test_app, _) = open_test_app(policy()).await;
    let user = test_app.owner("ada", |_| ()).await;
    let message = test_app.forgotten("ada").await;
    let mut response = reset(by_token(&message), "another horse");
    response.request_info = somewhere();
    test_app.app.reset_password(response).await.unwrap();
    told_once(&test_app, EmailTemplate::PasswordReset, &user.email).await;
}

#[tokio::test]
async fn whoever_changes_nothing_tells_nobody() {
    let (test_app, memory) = open_test_app(policy()).await;
    test_app.owner("ada", |_| ()).await;
    let pair = test_app.login("ada", PASSWORD).await.unwrap().pair;
    test_app.app.refresh(test_app.refresh(&pair.refresh, None)).await.unwrap();
    assert!(test_app.login("ada", "wrong horse").await.is_err());
    test_app.app.logout_by_access(pair.access.text.expose(), &somewhere()).await.unwrap();
    assert!(memory.outbox_emails().is_empty());
}
