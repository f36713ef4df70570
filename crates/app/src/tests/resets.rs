//! Password resets.

use gateward_domain::email::{EmailTemplate, OutboxEmail};
use gateward_domain::link::LinkPurpose;
use gateward_domain::ports::Access;
use gateward_domain::{EndReason, PasswordError, RequestInfo};

use super::mailbox::{
    address, by_code, by_password, by_token, by_wrong_code, confirm, open_test_app, reset, saying,
    texts, token,
};
use super::test_app::{PASSWORD, TestApp, password, policy};
use crate::{
    AuthenticateError, ConfirmEmailError, LoginError, Policy, ResetPassword, ResetPasswordError,
    UndoEmailError,
};

const NEW: &str = "another horse";

async fn refuses(test_app: &TestApp, response: ResetPassword) {
    let refused = test_app.app.reset_password(response).await;
    assert!(matches!(refused, Err(ResetPasswordError::InvalidLink)), "{refused:?}");
}

/// Row E3: the writes are the same; only the owner of an account receives an email.
#[tokio::test]
async fn e3_who_has_no_account_forgets_in_the_same_row_and_gets_no_email() {
    let (test_app, memory) = open_test_app(policy()).await;
    test_app.owner("known", |_| ()).await;
    test_app.owner("disabled", |user| user.disabled = true).await;
    for name in ["known", "unknown", "disabled"] {
        test_app.app.forgot_password(&address(name), &RequestInfo::default()).await.unwrap();
    }
    let alike = |message: &OutboxEmail| OutboxEmail {
        id: memory.outbox_emails()[0].id,
        recipient: address("known"),
        slot: message.slot.as_ref().map(|slot| slot.replace(message.recipient.as_str(), "")),
        ..message.clone()
    };
    let rows: Vec<_> = memory.outbox_emails().iter().map(alike).collect();
    assert_eq!(rows.len(), 3);
    assert!(rows.iter().all(|row| *row == rows[0]), "{rows:?}");
    assert!(memory.links().is_empty() && memory.events().is_empty());

    let emails = test_app.post().await;
    assert_eq!(emails.len(), 1);
    assert_eq!((emails[0].text, &emails[0].to), (EmailTemplate::ResetPassword, &address("known")));
    let link = emails[0].link.as_ref().unwrap();
    assert!(link.starts_with("https://auth.example.org/reset-password#token="), "{link}");
    assert!(memory.events().is_empty(), "no request waits for the others");
}

#[tokio::test]
async fn v10_a_hundred_requests_make_one_email_in_a_span() {
    for (span, emails) in [(Some(60), [1, 1, 2]), (None, [100, 200, 300])] {
        let policy = Policy { email_interval_seconds: span, ..policy() };
        let (test_app, memory) = open_test_app(policy).await;
        test_app.owner("ada", |_| ()).await;
        for (seconds, count) in [0, 59, 1].into_iter().zip(emails) {
            test_app.clock.advance_seconds(seconds);
            for _ in 0..100 {
                test_app
                    .app
                    .forgot_password(&address("ada"), &RequestInfo::default())
                    .await
                    .unwrap();
            }
            assert_eq!(memory.outbox_emails().len(), count, "{span:?}");
        }
    }
}

#[tokio::test]
async fn what_an_email_says_is_decided_when_it_is_sent() {
    let (test_app, _) = open_test_app(policy()).await;
    let (unknown, known) = (address("later"), address("ada"));
    for email in [&unknown, &known] {
        test_app.app.forgot_password(email, &RequestInfo::default()).await.unwrap();
    }
    test_app.owner("later", |_| ()).await;
    test_app.clock.advance_seconds(7200);
    let message = saying(&test_app.post().await, EmailTemplate::ResetPassword);
    assert_eq!(message.to, unknown);
    assert!(message.expires_at.unwrap() > test_app.app.now(), "its link is new");
    test_app.app.reset_password(reset(by_token(&message), NEW)).await.unwrap();
}

/// Row V8: a reset proves only access to the mailbox, so it ends everything started without it.
#[tokio::test]
async fn v8_a_reset_ends_sessions_and_all_links_but_the_one_that_undoes() {
    let (test_app, memory) = open_test_app(policy()).await;
    let user = test_app.user("ada").await;
    let sessions =
        [test_app.caller("ada").await, test_app.caller("ada").await, test_app.caller("ada").await];
    let presented = test_app
        .app
        .verify_again(&sessions[0], &password(PASSWORD), &RequestInfo::default())
        .await
        .unwrap();
    let request_info = RequestInfo::default();
    test_app
        .app
        .change_email(&sessions[0], presented, address("new"), &request_info)
        .await
        .unwrap();
    let before = test_app.post().await;
    assert_eq!(texts(&before), ["confirm_change", "confirm_email", "email_change"]);
    let older = test_app.forgotten("ada").await;
    test_app.clock.advance_seconds(60);
    let message = test_app.forgotten("ada").await;
    assert_eq!(memory.links().len(), 4);

    refuses(&test_app, reset(by_token(&older), NEW)).await;
    test_app.app.reset_password(reset(by_token(&message), NEW)).await.unwrap();
    for session in sessions {
        let mut tx = test_app.store.begin(Access::Read).await.unwrap();
        let (session, _) = tx.find_session(session.session_id).await.unwrap().unwrap();
        assert_eq!(session.ended.unwrap().reason, EndReason::PasswordReset);
    }
    let left: Vec<_> = memory.links().iter().map(|link| link.purpose).collect();
    assert_eq!(left, [LinkPurpose::UndoEmail]);
    for dead in [EmailTemplate::ConfirmEmail, EmailTemplate::ConfirmChange] {
        let response = confirm(by_token(&saying(&before, dead)), by_password());
        let refused = test_app.app.confirm_email(response).await;
        assert!(matches!(refused, Err(ConfirmEmailError::InvalidLink)), "{dead}");
    }
    refuses(&test_app, reset(by_token(&message), "third horse")).await;

    assert!(matches!(test_app.login("ada", PASSWORD).await, Err(LoginError::InvalidCredentials)));
    assert!(test_app.login("ada", NEW).await.is_ok());
    assert!(test_app.find(user.id).await.unwrap().email_verified, "the mailbox was proved");
    let told = test_app.told(user.id).await;
    for kind in ["password_reset", "sessions_ended", "email_confirmed"] {
        assert_eq!(told.iter().filter(|told| **told == kind).count(), 1, "{kind}");
    }
    assert_eq!(saying(&test_app.post().await, EmailTemplate::PasswordReset).to, user.email);
}

#[tokio::test]
async fn the_access_token_of_a_session_is_dead_after_a_reset() {
    let (test_app, _) = open_test_app(policy()).await;
    let pair = test_app.logged_in("ada").await.pair;
    let message = test_app.forgotten("ada").await;
    test_app.app.reset_password(reset(by_code(&message), NEW)).await.unwrap();
    let dead = test_app.app.authenticate(pair.access.text.expose()).await;
    assert!(matches!(dead, Err(AuthenticateError::SessionEnded(EndReason::PasswordReset))));
}

#[tokio::test]
async fn a_weak_password_uses_nothing_up() {
    let (test_app, _) = open_test_app(policy()).await;
    test_app.owner("ada", |_| ()).await;
    let message = test_app.forgotten("ada").await;
    let refused = test_app.app.reset_password(reset(by_token(&message), "password")).await;
    let common = PasswordError::Common;
    assert!(matches!(refused, Err(ResetPasswordError::Password(told)) if told == common));
    test_app.app.reset_password(reset(by_token(&message), NEW)).await.unwrap();
}

#[tokio::test]
async fn v5_a_link_that_resets_is_good_until_its_last_second() {
    for (seconds, good) in [(-1, true), (0, false)] {
        let (test_app, _) = open_test_app(policy()).await;
        test_app.owner("ada", |_| ()).await;
        let message = test_app.forgotten("ada").await;
        test_app.clock.set(message.expires_at.unwrap().plus_seconds(seconds));
        if !good {
            refuses(&test_app, reset(by_code(&message), NEW)).await;
            let early = test_app.app.prepare_reset(reset(by_token(&message), NEW)).await;
            assert!(matches!(early, Err(ResetPasswordError::InvalidLink)), "nothing is hashed");
        }
        let done = test_app.app.reset_password(reset(by_token(&message), NEW)).await;
        assert_eq!(done.is_ok(), good, "{done:?}");
    }
}

#[tokio::test]
async fn v5_a_link_that_ran_out_while_the_password_was_hashed_resets_nothing() {
    let (test_app, _) = open_test_app(policy()).await;
    test_app.owner("ada", |_| ()).await;
    let message = test_app.forgotten("ada").await;
    let prepared = test_app.app.prepare_reset(reset(by_token(&message), NEW)).await.unwrap();
    test_app.clock.set(message.expires_at.unwrap());
    let refused = test_app.app.complete_reset(prepared).await;
    assert!(matches!(refused, Err(ResetPasswordError::InvalidLink)));
    assert!(test_app.login("ada", PASSWORD).await.is_ok());
}

/// Row V4: all have read the link before any of them used it.
#[tokio::test]
async fn v4_of_fifty_resets_with_one_link_exactly_one_counts() {
    let (test_app, _) = open_test_app(policy()).await;
    let user = test_app.owner("ada", |_| ()).await;
    let message = test_app.forgotten("ada").await;
    let mut prepared = Vec::new();
    for number in 0..50 {
        let response = reset(by_token(&message), &format!("{NEW} {number}"));
        prepared.push((number, test_app.app.prepare_reset(response).await.unwrap()));
    }
    let mut winners = Vec::new();
    for (number, prepared) in prepared {
        match test_app.app.complete_reset(prepared).await {
            Ok(()) => winners.push(number),
            Err(ResetPasswordError::InvalidLink) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(winners.len(), 1);
    for number in 0..50 {
        let login = test_app.login("ada", &format!("{NEW} {number}")).await;
        assert_eq!(login.is_ok(), winners.contains(&number), "{number}");
    }
    let told = test_app.told(user.id).await;
    assert_eq!(told.iter().filter(|told| **told == "password_reset").count(), 1);
    assert_eq!(texts(&test_app.post().await), ["password_reset"]);
}

/// Row A9: each link is valid for its own purpose only.
#[tokio::test]
async fn a9_a_link_does_nothing_where_another_is_wanted() {
    let (test_app, _) = open_test_app(policy()).await;
    let user = test_app.user("ada").await;
    let reset_email = test_app.forgotten("ada").await;
    let confirm_email = saying(&test_app.recording_mailer.sent(), EmailTemplate::ConfirmEmail);
    for by in [by_token, by_code] {
        refuses(&test_app, reset(by(&confirm_email), NEW)).await;
        let refused = test_app.app.confirm_email(confirm(by(&reset_email), by_password())).await;
        assert!(matches!(refused, Err(ConfirmEmailError::InvalidLink)));
    }
    for message in [&confirm_email, &reset_email] {
        let refused =
            test_app.app.undo_email_change(&token(message), &RequestInfo::default()).await;
        assert!(matches!(refused, Err(UndoEmailError::InvalidLink)));
    }
    test_app.app.confirm_email(confirm(by_token(&confirm_email), by_password())).await.unwrap();
    assert!(test_app.find(user.id).await.unwrap().email_verified);
    test_app.app.reset_password(reset(by_token(&reset_email), NEW)).await.unwrap();
}

/// Row V1: requesting further emails grants no further attempts.
#[tokio::test]
async fn v1_a_new_email_brings_no_new_tries_of_its_code() {
    let (test_app, _) = open_test_app(policy()).await;
    test_app.owner("ada", |_| ()).await;
    let first = test_app.forgotten("ada").await;
    for more in 1..=5 {
        refuses(&test_app, reset(by_wrong_code(&first, more), NEW)).await;
    }
    test_app.clock.advance_seconds(60);
    let second = test_app.forgotten("ada").await;
    refuses(&test_app, reset(by_code(&second), NEW)).await;
    // At the expiry of the first link, the next code is still valid.
    test_app.clock.set(first.expires_at.unwrap());
    test_app.clock.advance_seconds(600);
    let third = test_app.forgotten("ada").await;
    test_app.app.reset_password(reset(by_code(&third), NEW)).await.unwrap();
}

#[tokio::test]
async fn a_code_that_resets_is_tried_five_times_and_then_only_the_link_is_good() {
    let (test_app, _) = open_test_app(policy()).await;
    test_app.owner("ada", |_| ()).await;
    let message = test_app.forgotten("ada").await;
    for more in 1..=5 {
        refuses(&test_app, reset(by_wrong_code(&message, more), NEW)).await;
    }
    refuses(&test_app, reset(by_code(&message), NEW)).await;
    test_app.app.reset_password(reset(by_token(&message), NEW)).await.unwrap();
}

#[tokio::test]
async fn a_disabled_account_is_not_reset_by_an_email_from_before() {
    let (test_app, _) = open_test_app(policy()).await;
    test_app.owner("ada", |_| ()).await;
    let message = test_app.forgotten("ada").await;
    let prepared = test_app.app.prepare_reset(reset(by_token(&message), NEW)).await.unwrap();
    test_app.set_disabled("ada", true).await;
    let refused = test_app.app.complete_reset(prepared).await;
    assert!(matches!(refused, Err(ResetPasswordError::InvalidLink)));
    test_app.set_disabled("ada", false).await;
    refuses(&test_app, reset(by_token(&message), NEW)).await;
    assert!(test_app.login("ada", PASSWORD).await.is_ok());
}

/// Whether or not the link was deleted, the account is checked again when the link is used.
#[tokio::test]
async fn a9_a_link_resets_only_the_account_and_address_that_it_was_made_for() {
    for disable in [true, false] {
        let (test_app, memory) = open_test_app(policy()).await;
        let user = test_app.owner("ada", |_| ()).await;
        let message = test_app.forgotten("ada").await;
        let mut tx = test_app.store.begin(Access::Write).await.unwrap();
        if disable {
            tx.set_user_disabled(user.id, true, test_app.app.now()).await.unwrap();
        } else {
            tx.set_email(user.id, &address("new"), true, test_app.app.now()).await.unwrap();
        }
        tx.commit().await.unwrap();
        refuses(&test_app, reset(by_token(&message), NEW)).await;
        assert_eq!(memory.users()[0].password_hash, user.password_hash);
    }
}
