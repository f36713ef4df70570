//! Emails that waited until their content was outdated.

use gateward_domain::RequestInfo;
use gateward_domain::email::{EmailState, EmailTemplate};

use super::mailbox::{
    address, by_token, confirm, open_test_app, required, reset, saying, texts, unreachable,
};
use super::test_app::{policy, signup};
use crate::AccountProof;

/// Row F20: an outage longer than the lifetime of a link sends no expired one.
#[tokio::test]
async fn f20_a_link_that_ran_out_while_no_smtp_server_was_there_is_made_anew() {
    let (test_app, memory) = open_test_app(policy()).await;
    test_app.owner("ada", |_| ()).await;
    test_app.app.forgot_password(&address("ada"), &RequestInfo::default()).await.unwrap();
    test_app.recording_mailer.fail(Some(unreachable()));
    test_app.post_for(120).await;
    let tried = test_app.recording_mailer.tried();
    let first = &tried[0];
    let while_good = tried.iter().filter(|message| message.expires_at == first.expires_at);
    assert!(while_good.clone().count() > 5 && while_good.clone().all(|message| message == first));
    test_app.recording_mailer.fail(None);
    let message = saying(&test_app.post_for(1).await, EmailTemplate::ResetPassword);
    assert_eq!(message.id, first.id);
    assert_ne!(message.link, first.link);
    assert!(
        message.expires_at.unwrap().seconds_since(test_app.app.now()) >= 300,
        "time to read it"
    );
    assert_eq!(memory.links().len(), 1, "the old one is gone");
    test_app.app.reset_password(reset(by_token(&message), "another horse")).await.unwrap();
}

#[tokio::test]
async fn f20_a_link_leaves_two_minutes_to_read_the_email_or_is_made_anew() {
    for (seconds, same) in [(121, true), (120, false)] {
        let (test_app, _) = open_test_app(policy()).await;
        test_app.owner("ada", |_| ()).await;
        test_app.app.forgot_password(&address("ada"), &RequestInfo::default()).await.unwrap();
        test_app.recording_mailer.fail(Some(unreachable()));
        test_app.post().await;
        let first = test_app.recording_mailer.tried().remove(0);
        test_app.recording_mailer.fail(None);
        test_app.clock.set(first.expires_at.unwrap().minus_seconds(seconds));
        let message = saying(&test_app.post().await, EmailTemplate::ResetPassword);
        assert_eq!(message == first, same);
    }
}

#[tokio::test]
async fn f20_an_email_whose_signup_is_over_is_dropped_and_that_is_written_down() {
    for tried_before in [false, true] {
        let (test_app, memory) = open_test_app(required()).await;
        test_app.pending(signup("ada")).await;
        if tried_before {
            test_app.recording_mailer.fail(Some(unreachable()));
            test_app.post().await;
            test_app.recording_mailer.fail(None);
        }
        test_app.clock.advance_seconds(4 * 24 * 3600 - 120);
        assert_eq!(texts(&test_app.post().await), [""; 0], "{tried_before}");
        assert_eq!(memory.outbox_emails()[0].state, EmailState::Discarded);
        let told: Vec<_> = memory.events().iter().map(|event| event.kind.as_str()).collect();
        assert_eq!(told.iter().filter(|kind| **kind == "email_discarded").count(), 1);
    }
}

#[tokio::test]
async fn f20_a_link_promises_no_more_time_than_its_signup_has() {
    let (test_app, _) = open_test_app(required()).await;
    let secret = test_app.pending(signup("ada")).await;
    test_app.post().await;
    test_app.clock.advance_seconds(4 * 24 * 3600 - 600);
    let email = address("ada");
    test_app.app.resend_confirmation(&email, Some(&secret), &RequestInfo::default()).await.unwrap();
    let message = saying(&test_app.post().await, EmailTemplate::ConfirmSignup);
    assert_eq!(message.expires_at.unwrap().seconds_since(test_app.app.now()), 600);
    let response = confirm(by_token(&message), AccountProof::SignupSecret(secret));
    test_app.app.confirm_email(response).await.unwrap();
}

#[tokio::test]
async fn f20_a_change_of_address_that_nobody_could_confirm_in_time_is_written_down() {
    let (test_app, memory) = open_test_app(policy()).await;
    test_app.owner("ada", |_| ()).await;
    let caller = test_app.caller("ada").await;
    test_app.request_email_change(&caller, "new").await.unwrap();
    test_app.clock.advance_seconds(24 * 3600);
    assert_eq!(texts(&test_app.post().await), ["email_change"], "undoing is good for longer");
    let events = memory.events();
    let told = events.iter().filter(|event| event.kind.as_str() == "email_discarded");
    assert_eq!(told.map(|event| event.user_id).collect::<Vec<_>>(), [Some(caller.user.id)]);
}

#[tokio::test]
async fn an_email_whose_link_was_replaced_is_dropped_silently() {
    let (test_app, memory) = open_test_app(policy()).await;
    test_app.owner("ada", |_| ()).await;
    test_app.recording_mailer.fail(Some(unreachable()));
    for _ in 0..2 {
        test_app.app.forgot_password(&address("ada"), &RequestInfo::default()).await.unwrap();
        test_app.post().await;
        test_app.clock.advance_seconds(60);
    }
    test_app.recording_mailer.fail(None);
    let message = saying(&test_app.post().await, EmailTemplate::ResetPassword);
    let states: Vec<_> = memory.outbox_emails().iter().map(|message| message.state).collect();
    assert_eq!(states, [EmailState::Discarded, EmailState::Sent]);
    assert_eq!(memory.outbox_emails()[1].id, message.id);
    assert!(memory.events().is_empty());
}
