//! Other actions that take a secret or burden others: each has its limit.

use gateward_domain::email::EmailTemplate;
use gateward_domain::{EventKind, RequestInfo};

use super::attempts::{WRONG, at, attempt, from, said, with_ada};
use super::mailbox::{address, by_token, confirm, open_test_app, required, reset, saying, token};
use super::test_app::{PASSWORD, TestApp, password, policy, signup};
use crate::{
    AccountProof, Caller, ChangePassword, ChangePasswordError, ConfirmEmailError, LinkProof,
    NotMeError, RateLimitError, RateLimited, ReauthenticateError, ResetPasswordError, Signup,
    SignupError, UndoEmailError,
};

async fn again(
    test_app: &TestApp,
    caller: &Caller,
    text: &str,
    request_info: &RequestInfo,
) -> &'static str {
    match test_app.app.verify_again(caller, &password(text), request_info).await {
        Ok(_) => "right",
        Err(ReauthenticateError::WrongPassword) => "wrong",
        Err(ReauthenticateError::RateLimited(_)) => "wait",
        Err(error) => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn strangers_keep_nobody_from_giving_the_password_again() {
    let (test_app, _) = with_ada().await;
    let caller = test_app.caller("ada").await;
    test_app.attempt_on_name("ada", 10).await;
    assert_eq!(test_app.try_at("ada", PASSWORD, from(99)).await, "30");
    assert_eq!(again(&test_app, &caller, PASSWORD, &from(99)).await, "right");
}

#[tokio::test]
async fn l1_ten_wrong_passwords_within_a_session_use_it_up_and_keep_nobody_from_logging_in() {
    let (test_app, memory) = with_ada().await;
    let caller = test_app.caller("ada").await;
    for number in 0..10 {
        assert_eq!(again(&test_app, &caller, WRONG, &from(number)).await, "wrong");
    }
    assert_eq!(again(&test_app, &caller, PASSWORD, &from(99)).await, "wait");
    let refused = |event: &&gateward_domain::Event| event.kind == EventKind::PasswordRefused;
    let refused: Vec<_> = memory.events().into_iter().filter(|event| refused(&event)).collect();
    assert_eq!(refused.len(), 10);
    assert!(refused.iter().all(|event| event.actor_session_id == Some(caller.session_id)));
    assert_eq!(test_app.try_at("ada", PASSWORD, from(98)).await, "in");
    test_app.clock.advance_seconds(30);
    assert_eq!(again(&test_app, &caller, PASSWORD, &from(99)).await, "right");
    assert_eq!(again(&test_app, &caller, WRONG, &from(99)).await, "wrong");
    assert_eq!(
        again(&test_app, &caller, PASSWORD, &from(99)).await,
        "right",
        "it starts again from zero"
    );
}

/// Row P8 in part: the current password in a password change counts like any other.
#[tokio::test]
async fn l7_p8_wrong_current_passwords_at_a_change_are_counted_with_those_given_again() {
    let (test_app, _) = with_ada().await;
    let caller = test_app.caller("ada").await;
    for _ in 0..9 {
        assert_eq!(again(&test_app, &caller, WRONG, &from(1)).await, "wrong");
    }
    let change = |current| ChangePassword {
        current: password(current),
        new: password("another horse"),
        request_info: from(2),
    };
    test_app.app.change_password(&caller, change(WRONG)).await.unwrap_err();
    let waits = test_app.app.change_password(&caller, change(PASSWORD)).await.unwrap_err();
    let ChangePasswordError::Reauthenticate(ReauthenticateError::RateLimited(limit)) = waits else {
        panic!("{waits:?}");
    };
    assert_eq!(limit, RateLimited { retry_after_seconds: 30 });
}

#[tokio::test]
async fn l7_a_client_signs_up_thirty_times_in_a_window() {
    for policy in [policy(), required()] {
        let (test_app, _) = open_test_app(policy).await;
        let once = async |number: u32, request_info: RequestInfo| {
            // Half of them use an email address that is already taken or pending.
            let name = format!("name-{number}");
            let email = if number.is_multiple_of(2) { address("ada") } else { address(&name) };
            test_app.app.signup(Signup { email, request_info, ..signup(&name) }).await
        };
        for number in 0..30 {
            let refused = once(number, from(1)).await;
            assert!(!matches!(refused, Err(SignupError::RateLimited(_))), "{number}");
        }
        let refused = once(31, from(1)).await;
        let Err(SignupError::RateLimited(limit)) = refused else { panic!("{refused:?}") };
        assert_eq!(limit.retry_after_seconds, 900);
        once(33, from(2)).await.unwrap();
        test_app.clock.advance_seconds(900);
        once(35, from(1)).await.unwrap();
    }
}

#[tokio::test]
async fn a_password_that_nobody_may_choose_is_no_sign_up() {
    let (test_app, _) = open_test_app(policy()).await;
    for _ in 0..40 {
        let weak =
            Signup { password: password("password"), request_info: from(1), ..signup("ada") };
        assert!(matches!(test_app.app.signup(weak).await, Err(SignupError::Password(_))));
    }
    test_app.app.signup(Signup { request_info: from(1), ..signup("ada") }).await.unwrap();
}

/// Presents an unknown link in one of the five ways. Returns whether it was processed.
async fn guess(test_app: &TestApp, number: u32, request_info: RequestInfo) -> bool {
    let app = &test_app.app;
    let text = format!("guess {number}");
    let proof = LinkProof::Token(text.clone());
    match number % 5 {
        0 => {
            let reset = crate::ResetPassword { request_info, ..reset(proof, "another horse") };
            let refused = app.prepare_reset(reset).await.unwrap_err();
            !matches!(refused, ResetPasswordError::RateLimited(_))
        }
        1 => {
            let account = AccountProof::Password(password(PASSWORD));
            let confirm = crate::ConfirmEmail { request_info, ..confirm(proof, account) };
            let refused = app.confirm_email(confirm).await.unwrap_err();
            !matches!(refused, ConfirmEmailError::RateLimited(_))
        }
        2 => {
            let refused = app.undo_email_change(&text, &request_info).await.unwrap_err();
            !matches!(refused, UndoEmailError::RateLimited(_))
        }
        3 => {
            let refused = app.report_login(&text, &request_info).await.unwrap_err();
            !matches!(refused, NotMeError::RateLimited(_))
        }
        _ => {
            let accepted = app.prepare_acceptance(text, password(PASSWORD), request_info).await;
            !matches!(accepted.unwrap_err(), crate::AcceptInvitationError::RateLimited(_))
        }
    }
}

#[tokio::test]
async fn l7_a_hundred_links_that_are_none_use_a_client_up_whatever_they_are_for() {
    let (test_app, _) = with_ada().await;
    let message = test_app.forgotten("ada").await;
    for number in 0..100 {
        assert!(guess(&test_app, number, from(1)).await, "{number}");
    }
    for number in 0..5 {
        assert!(!guess(&test_app, number, from(1)).await, "{number}");
    }
    let good = |request_info| crate::ResetPassword {
        request_info,
        ..reset(by_token(&message), "another horse")
    };
    let waits = test_app.app.reset_password(good(from(1))).await;
    assert!(matches!(waits, Err(ResetPasswordError::RateLimited(_))));
    test_app.app.reset_password(good(from(2))).await.unwrap();
}

#[tokio::test]
async fn a_link_that_is_good_counts_for_nothing() {
    let (test_app, _) = with_ada().await;
    let message = test_app.forgotten("ada").await;
    let good = crate::ResetPassword {
        request_info: from(1),
        ..reset(by_token(&message), "another horse")
    };
    test_app.app.reset_password(good).await.unwrap();
    assert_eq!(test_app.counts().await, 0);
}

#[tokio::test]
async fn a_client_asks_for_a_hundred_emails_in_a_window_whether_any_comes_or_not() {
    let (test_app, _) = with_ada().await;
    let ask = async |name: &str, number: u32| {
        let (email, request_info) = (address(name), from(1));
        if number.is_multiple_of(2) {
            test_app.app.forgot_password(&email, &request_info).await
        } else {
            test_app.app.resend_confirmation(&email, None, &request_info).await
        }
    };
    for number in 0..100 {
        ask(if number < 50 { "ada" } else { "nobody" }, number).await.unwrap();
    }
    for (name, number) in [("ada", 0), ("nobody", 1)] {
        assert!(matches!(ask(name, number).await, Err(RateLimitError::RateLimited(_))));
    }
}

#[tokio::test]
async fn a_reset_opens_an_account_that_strangers_keep_busy() {
    let (test_app, _) = with_ada().await;
    test_app.attempt_on_name("ada", 10).await;
    test_app.attempt_on_name("ada@example.org", 10).await;
    let message = test_app.forgotten("ada").await;
    test_app.app.reset_password(reset(by_token(&message), "another horse")).await.unwrap();
    assert_eq!(test_app.try_at("ada", "another horse", from(99)).await, "in");
    assert_eq!(test_app.try_at("ada@example.org", "another horse", from(99)).await, "in");
}

#[tokio::test]
async fn who_has_used_up_the_name_from_here_gets_in_from_here_after_a_reset() {
    let (test_app, _) = with_ada().await;
    for _ in 0..5 {
        assert_eq!(test_app.try_at("ada", WRONG, from(1)).await, "wrong");
    }
    let message = test_app.forgotten("ada").await;
    let reset = crate::ResetPassword {
        request_info: from(1),
        ..reset(by_token(&message), "another horse")
    };
    test_app.app.reset_password(reset).await.unwrap();
    assert_eq!(test_app.try_at("ada", "another horse", from(1)).await, "in");
}

#[tokio::test]
async fn l7_secrets_of_configured_clients_are_counted_by_where_they_come_from() {
    let (test_app, memory) = with_ada().await;
    for _ in 0..100 {
        test_app.app.record_wrong_client_secret(&from(1)).await.unwrap();
    }
    let waits = test_app.app.record_wrong_client_secret(&from(1)).await;
    assert!(matches!(waits, Err(RateLimitError::RateLimited(_))));
    test_app.app.record_wrong_client_secret(&from(2)).await.unwrap();
    let rate_limited =
        memory.events().into_iter().find(|event| event.kind == EventKind::RateLimited);
    let rate_limited = rate_limited.unwrap();
    assert_eq!((rate_limited.detail.as_deref(), rate_limited.ip), (Some("client"), from(1).ip));
}

#[tokio::test]
async fn whoever_has_stolen_one_session_keeps_nobody_from_giving_the_password_in_another() {
    let (test_app, _) = with_ada().await;
    let (thief, owner) = (test_app.caller("ada").await, test_app.caller("ada").await);
    for number in 0..10 {
        assert_eq!(again(&test_app, &thief, WRONG, &from(number)).await, "wrong");
    }
    assert_eq!(again(&test_app, &thief, PASSWORD, &from(99)).await, "wait");
    assert_eq!(again(&test_app, &owner, PASSWORD, &from(99)).await, "right");
}

#[tokio::test]
async fn a_reset_does_not_open_the_account_to_a_client_that_used_itself_up() {
    let (test_app, _) = with_ada().await;
    for _ in 0..5 {
        assert_eq!(test_app.try_at("ada", WRONG, at("192.0.2.66")).await, "wrong");
    }
    let message = test_app.forgotten("ada").await;
    test_app.app.reset_password(reset(by_token(&message), "another horse")).await.unwrap();
    assert_eq!(test_app.try_at("ada", WRONG, at("192.0.2.66")).await, "30");
}

#[tokio::test]
async fn an_allowance_of_a_known_device_dies_with_a_not_me() {
    let (test_app, _) = with_ada().await;
    test_app.clock.advance_seconds(2 * 24 * 3600);
    test_app.try_at("ada", PASSWORD, from(1)).await;
    test_app.post().await;
    let thief = test_app.app.login(attempt("ada", PASSWORD, from(2))).await.unwrap();
    let message = saying(&test_app.post().await, EmailTemplate::NewDevice);
    test_app.app.report_login(&token(&message), &RequestInfo::default()).await.unwrap();
    test_app.attempt_on_name("ada", 10).await;
    let known_device_token = Some(thief.known_device_token);
    let login = crate::Login { known_device_token, ..attempt("ada", PASSWORD, from(2)) };
    assert_eq!(said(test_app.app.login(login).await), "30");
}
