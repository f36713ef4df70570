//! Changes of the email address.

use gateward_domain::email::EmailTemplate;
use gateward_domain::link::LinkPurpose;
use gateward_domain::{RequestInfo, User};

use super::mailbox::{
    address, by_code, by_password, by_token, confirm, open_test_app, reset, saying, texts,
};
use super::test_app::{PASSWORD, TestApp, password, policy};
use crate::{
    AccountProof, ChangeEmailError, ChangePassword, ConfirmEmailError, ReauthenticateError,
    ResetPasswordError,
};

async fn now(test_app: &TestApp, user: &User) -> User {
    test_app.find(user.id).await.unwrap()
}

#[tokio::test]
async fn a8_nobody_changes_the_address_without_the_password() {
    let (test_app, memory) = open_test_app(policy()).await;
    test_app.owner("ada", |_| ()).await;
    let caller = test_app.caller("ada").await;
    let request_info = RequestInfo::default();
    let wrong = test_app.app.verify_again(&caller, &password("wrong horse"), &request_info).await;
    assert!(matches!(wrong, Err(ReauthenticateError::WrongPassword)));

    let presented =
        test_app.app.verify_again(&caller, &password(PASSWORD), &request_info).await.unwrap();
    let change = ChangePassword {
        current: password(PASSWORD),
        new: password("another horse"),
        request_info: RequestInfo::default(),
    };
    test_app.app.change_password(&caller, change).await.unwrap();
    let late = test_app
        .app
        .change_email(&caller, presented, address("new"), &RequestInfo::default())
        .await;
    assert!(matches!(late, Err(ChangeEmailError::WrongPassword)), "it was changed meanwhile");
    assert!(memory.links().is_empty());
    assert_eq!(texts(&test_app.post().await), ["password_changed"]);
}

#[tokio::test]
async fn the_address_that_one_has_is_no_change() {
    let (test_app, memory) = open_test_app(policy()).await;
    test_app.owner("ada", |_| ()).await;
    let caller = test_app.caller("ada").await;
    assert!(matches!(
        test_app.request_email_change(&caller, "ADA").await,
        Err(ChangeEmailError::Unchanged)
    ));
    assert!(memory.links().is_empty() && memory.outbox_emails().is_empty());
}

/// Row A7: the new email address counts once it is confirmed there, and the old one receives two
/// emails.
#[tokio::test]
async fn a7_the_new_address_is_confirmed_and_the_old_one_told_how_to_undo_it() {
    for by in [by_token, by_code] {
        let (test_app, memory) = open_test_app(policy()).await;
        let user = test_app.owner("ada", |_| ()).await;
        let caller = test_app.caller("ada").await;
        test_app.request_email_change(&caller, "new").await.unwrap();
        assert_eq!(now(&test_app, &user).await, user, "nothing is changed yet");
        test_app.forgotten("ada").await;
        let emails = test_app.recording_mailer.sent();
        let (asking, telling) = (
            saying(&emails, EmailTemplate::ConfirmChange),
            saying(&emails, EmailTemplate::EmailChange),
        );
        assert_eq!((emails.len(), &asking.to, &telling.to), (3, &address("new"), &user.email));
        assert!(telling.link.as_ref().unwrap().contains("/undo-email-change#token="));
        assert_eq!(telling.code, None, "a code could be guessed in seven days");

        let proof = AccountProof::LoggedIn(user.id);
        test_app.app.confirm_email(confirm(by(&asking), proof)).await.unwrap();
        let changed = now(&test_app, &user).await;
        assert_eq!((changed.email, changed.email_verified), (address("new"), true));
        assert_eq!(saying(&test_app.post().await, EmailTemplate::EmailChanged).to, user.email);
        let told = test_app.told(user.id).await;
        assert!(told.contains(&"email_change_requested") && told.contains(&"email_changed"));
        let left: Vec<_> = memory.links().iter().map(|link| link.purpose).collect();
        assert_eq!(left, [LinkPurpose::UndoEmail], "nothing else that went to the old address");
        assert!(test_app.login("new@example.org", PASSWORD).await.is_ok());
        assert!(test_app.login("ada@example.org", PASSWORD).await.is_err());
    }
}

#[tokio::test]
async fn e5_a_taken_address_gets_the_same_response_and_its_owner_is_told() {
    let (test_app, memory) = open_test_app(policy()).await;
    let user = test_app.owner("ada", |_| ()).await;
    let bob = test_app.owner("bob", |_| ()).await;
    let caller = test_app.caller("ada").await;
    test_app.request_email_change(&caller, "free").await.unwrap();
    let free = (memory.links().len(), memory.outbox_emails().len(), memory.events().len());
    test_app.post().await;
    test_app.clock.advance_seconds(60);
    test_app.request_email_change(&caller, "bob").await.unwrap();
    let taken = (memory.links().len() - 1, memory.outbox_emails().len(), memory.events().len());
    assert_eq!(taken, (free.0, 2 * free.1, free.2 + 1), "the same rows, and one link replaced");

    let emails = test_app.post().await;
    assert_eq!(texts(&emails), ["address_in_use", "email_change"]);
    let told = saying(&emails, EmailTemplate::AddressInUse);
    assert_eq!((&told.to, &told.link, &told.code), (&bob.email, &None, &None));
    assert_eq!(now(&test_app, &user).await.email, user.email);
    assert_eq!(now(&test_app, &bob).await, bob);
}

#[tokio::test]
async fn an_address_that_was_taken_meanwhile_is_not_given_twice() {
    let (test_app, _) = open_test_app(policy()).await;
    let user = test_app.owner("ada", |_| ()).await;
    let caller = test_app.caller("ada").await;
    test_app.request_email_change(&caller, "new").await.unwrap();
    let message = saying(&test_app.post().await, EmailTemplate::ConfirmChange);
    let other = test_app.owner("new", |_| ()).await;
    let response = confirm(by_token(&message), AccountProof::LoggedIn(user.id));
    let refused = test_app.app.confirm_email(response).await;
    assert!(matches!(refused, Err(ConfirmEmailError::InvalidLink)));
    assert_eq!(now(&test_app, &user).await, user);
    assert_eq!(now(&test_app, &other).await, other);
}

#[tokio::test]
async fn v5_a_link_to_a_new_address_is_good_until_its_last_second() {
    for (seconds, good) in [(-1, true), (0, false)] {
        let (test_app, _) = open_test_app(policy()).await;
        test_app.owner("ada", |_| ()).await;
        test_app.request_email_change(&test_app.caller("ada").await, "new").await.unwrap();
        let emails = test_app.post().await;
        let message = saying(&emails, EmailTemplate::ConfirmChange);
        test_app.clock.set(message.expires_at.unwrap().plus_seconds(seconds));
        let done = test_app.app.confirm_email(confirm(by_token(&message), by_password())).await;
        assert_eq!(done.is_ok(), good, "{done:?}");
    }
}

#[tokio::test]
async fn a9_an_email_to_the_old_address_resets_nothing_any_more() {
    let (test_app, _) = open_test_app(policy()).await;
    test_app.owner("ada", |_| ()).await;
    let caller = test_app.caller("ada").await;
    let message = test_app.forgotten("ada").await;
    let response = reset(by_token(&message), "another horse");
    let prepared = test_app.app.prepare_reset(response).await.unwrap();
    test_app.change_email(&caller, "new").await;
    let refused = test_app.app.complete_reset(prepared).await;
    assert!(matches!(refused, Err(ResetPasswordError::InvalidLink)), "{refused:?}");
    let refused = test_app.app.reset_password(reset(by_token(&message), "another horse")).await;
    assert!(matches!(refused, Err(ResetPasswordError::InvalidLink)), "{refused:?}");
    assert!(test_app.login("ada", PASSWORD).await.is_ok());
}

#[tokio::test]
async fn the_address_is_changed_twenty_times_a_week_at_most() {
    let (test_app, memory) = open_test_app(policy()).await;
    test_app.owner("ada", |_| ()).await;
    let caller = test_app.caller("ada").await;
    for number in 0..20 {
        test_app.request_email_change(&caller, &format!("new{number}")).await.unwrap();
    }
    assert!(matches!(
        test_app.request_email_change(&caller, "more").await,
        Err(ChangeEmailError::TooOften)
    ));
    assert_eq!(memory.links().len(), 20 + 1);
}
