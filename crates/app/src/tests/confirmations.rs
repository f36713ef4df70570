//! Confirmation of an email address: two proofs, once, before it expires.

use gateward_domain::email::{EmailMessage, EmailTemplate};
use gateward_domain::link::LinkCode;
use gateward_domain::{EventKind, RequestInfo};

use super::attempts::from;
use super::mailbox::{
    address, by_code, by_password, by_token, by_wrong_code, confirm, open_test_app, required,
    reset, saying, texts,
};
use super::test_app::{TestApp, password, policy, signup};
use crate::{AccountProof, ConfirmEmail, ConfirmEmailError, LinkProof, ResetPasswordError, Signup};

/// A pending sign-up: its secret and its email.
async fn waiting(test_app: &TestApp, name: &str) -> (AccountProof, EmailMessage) {
    let secret = test_app.pending(signup(name)).await;
    let message = saying(&test_app.post().await, EmailTemplate::ConfirmSignup);
    (AccountProof::SignupSecret(secret), message)
}

async fn refuses(test_app: &TestApp, response: ConfirmEmail) {
    let refused = test_app.app.confirm_email(response).await;
    assert!(matches!(refused, Err(ConfirmEmailError::InvalidLink)), "{refused:?}");
}

#[tokio::test]
async fn link_and_code_confirm_a_signup_with_its_secret_or_its_password() {
    for by in [by_token, by_code] {
        for with_password in [false, true] {
            let (test_app, memory) = open_test_app(required()).await;
            let (secret, message) = waiting(&test_app, "ada").await;
            let proof = if with_password { by_password() } else { secret };
            test_app.app.confirm_email(confirm(by(&message), proof)).await.unwrap();
            let user = memory.users().remove(0);
            assert!(user.email_verified);
            let mut told = test_app.told(user.id).await;
            told.sort_unstable();
            assert_eq!(told, ["account_created", "email_confirmed"]);
        }
    }
}

#[tokio::test]
async fn link_and_code_confirm_an_account_for_whoever_is_logged_in_or_knows_its_password() {
    for by in [by_token, by_code] {
        for with_password in [false, true] {
            let (test_app, memory) = open_test_app(policy()).await;
            let user = test_app.user("ada").await;
            let message = saying(&test_app.post().await, EmailTemplate::ConfirmEmail);
            let proof = if with_password { by_password() } else { AccountProof::LoggedIn(user.id) };
            let response = confirm(by(&message), proof);
            let response = ConfirmEmail { request_info: from(7), ..response };
            test_app.app.confirm_email(response).await.unwrap();
            assert!(test_app.find(user.id).await.unwrap().email_verified);
            let events = memory.events();
            let told = events.iter().find(|event| event.kind == EventKind::EmailConfirmed).unwrap();
            assert_eq!((told.user_id, told.ip), (Some(user.id), from(7).ip));
        }
    }
}

/// Row A9: the mailbox alone proves nothing, and neither does another user's account. A wrong proof
/// does not invalidate the right one.
#[tokio::test]
async fn a9_a_missing_or_wrong_second_proof_uses_nothing_up() {
    let (test_app, memory) = open_test_app(required()).await;
    let eve = test_app.owner("eve", |_| ()).await;
    let (other_secret, _) = waiting(&test_app, "bob").await;
    let (secret, message) = waiting(&test_app, "ada").await;
    let wrong = [
        AccountProof::Missing,
        AccountProof::SignupSecret("0".repeat(64)),
        other_secret,
        AccountProof::Password(password("wrong horse")),
        AccountProof::LoggedIn(eve.id),
    ];
    for proof in wrong {
        refuses(&test_app, confirm(by_token(&message), proof)).await;
    }
    assert_eq!(memory.users().len(), 1);
    test_app.app.confirm_email(confirm(by_token(&message), secret)).await.unwrap();
}

#[tokio::test]
async fn a9_the_link_of_one_account_does_nothing_in_the_session_of_another() {
    let (test_app, _) = open_test_app(policy()).await;
    let (ada, eve) = (test_app.user("ada").await, test_app.user("eve").await);
    let emails = test_app.post().await;
    let of_ada = emails.iter().find(|message| message.to == ada.email).unwrap();
    refuses(&test_app, confirm(by_token(of_ada), AccountProof::LoggedIn(eve.id))).await;
    for _ in 0..5 {
        refuses(&test_app, confirm(by_code(of_ada), AccountProof::LoggedIn(eve.id))).await;
    }
    for user in [&ada, &eve] {
        assert!(!test_app.find(user.id).await.unwrap().email_verified);
    }
    let response = confirm(by_code(of_ada), AccountProof::LoggedIn(ada.id));
    test_app.app.confirm_email(response).await.unwrap();
}

#[tokio::test]
async fn a_link_confirms_once_also_for_fifty_who_show_it_at_the_same_time() {
    let (test_app, memory) = open_test_app(required()).await;
    let (_, message) = waiting(&test_app, "ada").await;
    let mut prepared = Vec::new();
    for _ in 0..50 {
        let response = confirm(by_token(&message), by_password());
        prepared.push(test_app.app.prepare_confirmation(response).await.unwrap());
    }
    let mut done = 0;
    for prepared in prepared {
        match test_app.app.complete_confirmation(prepared).await {
            Ok(()) => done += 1,
            Err(ConfirmEmailError::InvalidLink) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((done, memory.users().len()), (1, 1));
    for by in [by_token, by_code] {
        refuses(&test_app, confirm(by(&message), by_password())).await;
    }
}

#[tokio::test]
async fn v5_a_link_that_confirms_is_good_until_its_last_second() {
    for required_first in [true, false] {
        for (seconds, good) in [(-1, true), (0, false)] {
            let policy = if required_first { required() } else { policy() };
            let (test_app, _) = open_test_app(policy).await;
            test_app.app.signup(signup("ada")).await.unwrap();
            let message = test_app.post().await.remove(0);
            test_app.clock.set(message.expires_at.unwrap().plus_seconds(seconds));
            if !good {
                refuses(&test_app, confirm(by_code(&message), by_password())).await;
            }
            let done = test_app.app.confirm_email(confirm(by_token(&message), by_password())).await;
            assert_eq!(done.is_ok(), good, "{done:?}");
        }
    }
}

#[tokio::test]
async fn a_code_is_tried_five_times_and_then_only_the_link_is_good() {
    let (test_app, _) = open_test_app(required()).await;
    let (_, message) = waiting(&test_app, "ada").await;
    for more in 1..=4 {
        refuses(&test_app, confirm(by_wrong_code(&message, more), by_password())).await;
    }
    let response = confirm(by_code(&message), by_password());
    assert!(
        test_app.app.prepare_confirmation(response).await.is_ok(),
        "the fifth try may be right"
    );
    refuses(&test_app, confirm(by_code(&message), by_password())).await;
    test_app.app.confirm_email(confirm(by_token(&message), by_password())).await.unwrap();
}

#[tokio::test]
async fn a_code_is_tried_on_nobody_elses_email() {
    let (test_app, _) = open_test_app(required()).await;
    let mine = test_app.pending(Signup { email: address("ada"), ..signup("eve") }).await;
    test_app.pending(signup("ada")).await;
    let emails = test_app.post_for(1).await;
    let (first, second) = (&emails[0], &emails[1]);
    for _ in 0..5 {
        let proof = AccountProof::SignupSecret(mine.clone());
        refuses(&test_app, confirm(by_code(second), proof)).await;
    }
    refuses(&test_app, confirm(by_code(first), AccountProof::SignupSecret(mine))).await;
    test_app.app.confirm_email(confirm(by_code(second), by_password())).await.unwrap();
}

#[tokio::test]
async fn v1_guesses_are_refused_and_cost_the_owner_nothing() {
    let (test_app, memory) = open_test_app(required()).await;
    let (_, message) = waiting(&test_app, "ada").await;
    for guess in 0..1000_u32 {
        let guess = || LinkProof::Token(format!("token-{guess:064x}"));
        refuses(&test_app, confirm(guess(), by_password())).await;
        let refused = test_app.app.reset_password(reset(guess(), "another horse")).await;
        assert!(matches!(refused, Err(ResetPasswordError::InvalidLink)));
    }
    assert_eq!(memory.links()[0].code_attempts, 0);
    test_app.app.confirm_email(confirm(by_token(&message), by_password())).await.unwrap();
}

#[tokio::test]
async fn a_newer_email_takes_the_place_of_its_own_signups_alone() {
    let (test_app, _) = open_test_app(required()).await;
    let mine = test_app.pending(signup("ada")).await;
    test_app.pending(Signup { email: address("ada"), ..signup("other") }).await;
    let emails = test_app.post_for(2).await;
    let request_info = RequestInfo::default();
    test_app.app.resend_confirmation(&address("ada"), Some(&mine), &request_info).await.unwrap();
    let newer = saying(&test_app.post().await, EmailTemplate::ConfirmSignup);
    let proof = || AccountProof::SignupSecret(mine.clone());
    for by in [by_token, by_code] {
        refuses(&test_app, confirm(by(&emails[0]), proof())).await;
    }
    let others = confirm(by_token(&emails[1]), by_password());
    assert!(test_app.app.prepare_confirmation(others).await.is_ok(), "the other's is good still");
    test_app.app.confirm_email(confirm(by_token(&newer), proof())).await.unwrap();
}

/// Row E3: a repeated request sends the email that the address waits for, and nothing if it waits
/// for none.
#[tokio::test]
async fn e3_an_email_that_confirms_is_sent_again_where_something_waits_for_it() {
    let (test_app, memory) = open_test_app(required()).await;
    test_app.owner("confirmed", |_| ()).await;
    test_app.owner("disabled", |user| (user.disabled, user.email_verified) = (true, false)).await;
    test_app.owner("unconfirmed", |user| user.email_verified = false).await;
    test_app.pending(signup("pending")).await;
    test_app.post_for(1).await;
    for name in ["confirmed", "disabled", "unconfirmed", "pending", "unknown"] {
        for _ in 0..3 {
            let request_info = RequestInfo::default();
            test_app.app.resend_confirmation(&address(name), None, &request_info).await.unwrap();
        }
    }
    assert_eq!(memory.outbox_emails().len(), 1 + 5, "one row each, with or without an account");
    let emails = test_app.post().await;
    assert_eq!(texts(&emails), ["confirm_email", "confirm_signup"]);
    assert_eq!(saying(&emails, EmailTemplate::ConfirmEmail).to, address("unconfirmed"));
    assert_eq!(saying(&emails, EmailTemplate::ConfirmSignup).to, address("pending"));
}

/// The response time does not reveal whether an email address has a pending confirmation.
#[tokio::test]
async fn a_password_is_checked_whether_or_not_the_email_is_known() {
    let (test_app, _) = open_test_app(required()).await;
    let (_, message) = waiting(&test_app, "ada").await;
    let unknown =
        || LinkProof::Code { email: address("nobody"), code: LinkCode::parse("00000000").unwrap() };
    for mailbox in [unknown(), LinkProof::Token("none".to_owned()), by_token(&message)] {
        let before = test_app.hasher.verified();
        refuses(&test_app, confirm(mailbox, AccountProof::Password(password("wrong horse")))).await;
        assert_eq!(test_app.hasher.verified(), before + 1);
    }
}
