//! Undoing a change of email address.

use gateward_domain::email::{EmailMessage, EmailTemplate};
use gateward_domain::link::LinkPurpose;
use gateward_domain::ports::{StoreError, Taken};
use gateward_domain::{EndReason, RequestInfo, User};

use super::mailbox::{
    address, by_password, by_token, confirm, open_test_app, required, reset, saying, texts, token,
};
use super::test_app::{PASSWORD, TestApp, policy, signup};
use crate::{ConfirmEmailError, SignupError, UndoEmailError};

async fn undo(test_app: &TestApp, message: &EmailMessage) -> Result<(), UndoEmailError> {
    test_app.app.undo_email_change(&token(message), &RequestInfo::default()).await
}

async fn now(test_app: &TestApp, user: &User) -> User {
    test_app.find(user.id).await.unwrap()
}

#[tokio::test]
async fn undone_before_it_is_confirmed_a_change_is_cancelled() {
    let (test_app, memory) = open_test_app(policy()).await;
    let user = test_app.owner("ada", |_| ()).await;
    let caller = test_app.caller("ada").await;
    test_app.request_email_change(&caller, "new").await.unwrap();
    let emails = test_app.post().await;
    undo(&test_app, &saying(&emails, EmailTemplate::EmailChange)).await.unwrap();
    assert_eq!(memory.links(), []);
    assert!(!memory.sessions().iter().any(|session| session.ended.is_none()));
    assert_eq!(now(&test_app, &user).await.email, user.email);
    let response = confirm(by_token(&saying(&emails, EmailTemplate::ConfirmChange)), by_password());
    assert!(matches!(
        test_app.app.confirm_email(response).await,
        Err(ConfirmEmailError::InvalidLink)
    ));
    let emails = test_app.post().await;
    assert_eq!(texts(&emails), ["reset_password"], "the new address had nothing");
    assert_eq!(emails[0].to, user.email);
    assert!(test_app.told(user.id).await.contains(&"email_change_undone"));
    let subjects: Vec<_> = memory.outbox_emails().iter().map(|email| email.user_id).collect();
    assert_eq!(subjects, vec![Some(user.id); subjects.len()]);
}

#[tokio::test]
async fn undone_after_it_was_confirmed_a_change_is_reverted_and_whoever_made_it_is_out() {
    let (test_app, memory) = open_test_app(policy()).await;
    let user = test_app.owner("ada", |_| ()).await;
    let caller = test_app.caller("ada").await;
    let message = test_app.change_email(&caller, "new").await;
    test_app.post().await;
    test_app.clock.set(message.expires_at.unwrap().minus_seconds(1));
    undo(&test_app, &message).await.unwrap();
    let back = now(&test_app, &user).await;
    assert_eq!((back.email, back.email_verified), (user.email.clone(), true));
    let ends: Vec<_> = memory.sessions().iter().filter_map(|session| session.ended).collect();
    assert_eq!(ends.len(), 1);
    let emails = test_app.post().await;
    assert_eq!(saying(&emails, EmailTemplate::EmailUndone).to, address("new"));
    assert!(
        test_app.login("ada", PASSWORD).await.is_err(),
        "anyone who knew the password is logged out"
    );
    let reset_email = saying(&emails, EmailTemplate::ResetPassword);
    assert_eq!(reset_email.to, user.email);
    test_app.app.reset_password(reset(by_token(&reset_email), "another horse")).await.unwrap();
    assert!(matches!(undo(&test_app, &message).await, Err(UndoEmailError::InvalidLink)), "once");
}

#[tokio::test]
async fn undoing_ends_the_sessions_for_that_reason() {
    let (test_app, memory) = open_test_app(policy()).await;
    test_app.owner("ada", |_| ()).await;
    let caller = test_app.caller("ada").await;
    undo(&test_app, &test_app.change_email(&caller, "new").await).await.unwrap();
    let ended = memory.sessions().remove(0).ended.unwrap();
    assert_eq!(ended.reason, EndReason::EmailChanged);
}

#[tokio::test]
async fn v5_a_change_is_undone_within_seven_days_and_not_later() {
    for (seconds, good) in [(-1, true), (0, false)] {
        let (test_app, _) = open_test_app(policy()).await;
        let user = test_app.owner("ada", |_| ()).await;
        let message = test_app.change_email(&test_app.caller("ada").await, "new").await;
        test_app.clock.set(message.expires_at.unwrap().plus_seconds(seconds));
        assert_eq!(undo(&test_app, &message).await.is_ok(), good);
        assert_eq!(now(&test_app, &user).await.email == user.email, good);
    }
}

/// Changing the email address twice does not remove the owner's way back.
#[tokio::test]
async fn undoing_a_change_takes_the_later_undo_links_and_leaves_the_earlier_ones() {
    let (test_app, memory) = open_test_app(policy()).await;
    let user = test_app.owner("ada", |_| ()).await;
    let caller = test_app.caller("ada").await;
    let mut links = Vec::new();
    for name in ["second", "third", "fourth"] {
        links.push(test_app.change_email(&caller, name).await);
    }
    undo(&test_app, &links[1]).await.unwrap();
    assert_eq!(now(&test_app, &user).await.email, address("second"));
    assert!(matches!(undo(&test_app, &links[2]).await, Err(UndoEmailError::InvalidLink)));
    undo(&test_app, &links[0]).await.unwrap();
    assert_eq!(now(&test_app, &user).await.email, user.email);
    assert!(memory.links().iter().all(|link| link.purpose != LinkPurpose::UndoEmail));
}

#[tokio::test]
async fn an_address_that_can_come_back_is_kept_from_others_as_long() {
    let (test_app, _) = open_test_app(policy()).await;
    test_app.owner("ada", |_| ()).await;
    let message = test_app.change_email(&test_app.caller("ada").await, "new").await;
    let wanted = || crate::Signup { email: address("ada"), ..signup("eve") };
    test_app.clock.set(message.expires_at.unwrap().minus_seconds(1));
    let refused = test_app.app.signup(wanted()).await;
    assert!(matches!(refused, Err(SignupError::Store(StoreError::Taken(Taken::Email)))));
    test_app.clock.advance_seconds(1);
    assert!(test_app.app.signup(wanted()).await.is_ok());
}

#[tokio::test]
async fn who_signs_up_with_a_kept_address_learns_nothing_where_confirming_is_required() {
    let (test_app, memory) = open_test_app(required()).await;
    test_app.owner("ada", |_| ()).await;
    test_app.change_email(&test_app.caller("ada").await, "new").await;
    test_app.post().await;
    test_app.pending(crate::Signup { email: address("ada"), ..signup("eve") }).await;
    assert_eq!(texts(&test_app.post().await), ["account_exists"]);
    assert_eq!(memory.users().len(), 1);
}

#[tokio::test]
async fn an_address_that_was_never_proved_is_kept_from_nobody() {
    let (test_app, _) = open_test_app(policy()).await;
    let squatter = test_app.owner("eve", |user| {
        (user.email, user.email_verified) = (address("ada"), false);
    });
    let squatter = squatter.await;
    let message = test_app.change_email(&test_app.caller("eve").await, "eve").await;
    let ada = test_app.user("ada").await;
    assert_eq!(ada.email, address("ada"));
    assert!(matches!(undo(&test_app, &message).await, Err(UndoEmailError::InvalidLink)));
    assert_eq!(now(&test_app, &squatter).await.email, address("eve"));
}
