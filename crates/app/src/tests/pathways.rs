//! Other ways to give a secret, or to cost others something: each has its limit.

use gateward_domain::mail::LetterText;
use gateward_domain::{EventKind, Origin};

use super::fakes::{PASSWORD, World, password, policy, signup};
use super::mailbox::{address, by_token, confirm, open_world, required, reset, saying, token};
use super::throttles::{WRONG, at, from, with_ada};
use crate::{
    AccountProof, Caller, ChangePassword, ChangePasswordError, ConfirmEmailError, LetterProof,
    NotMeError, RateLimited, ReauthenticateError, ResetPasswordError, Signup, SignupError,
    ThrottleError, UndoEmailError,
};

async fn again(world: &World, caller: &Caller, text: &str, origin: &Origin) -> &'static str {
    match world.app.verify_again(caller, &password(text), origin).await {
        Ok(_) => "right",
        Err(ReauthenticateError::WrongPassword) => "wrong",
        Err(ReauthenticateError::RateLimited(_)) => "wait",
        Err(error) => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn strangers_keep_nobody_from_giving_the_password_again() {
    let (world, _) = with_ada().await;
    let caller = world.caller("ada").await;
    world.strike_name("ada", 10).await;
    assert_eq!(world.try_at("ada", PASSWORD, from(99)).await, "30");
    assert_eq!(again(&world, &caller, PASSWORD, &from(99)).await, "right");
}

#[tokio::test]
async fn l1_ten_wrong_passwords_within_a_session_use_it_up_and_keep_nobody_from_logging_in() {
    let (world, memory) = with_ada().await;
    let caller = world.caller("ada").await;
    for number in 0..10 {
        assert_eq!(again(&world, &caller, WRONG, &from(number)).await, "wrong");
    }
    assert_eq!(again(&world, &caller, PASSWORD, &from(99)).await, "wait");
    let refused = |event: &&gateward_domain::Event| event.kind == EventKind::PasswordRefused;
    let refused: Vec<_> = memory.events().into_iter().filter(|event| refused(&event)).collect();
    assert_eq!(refused.len(), 10);
    assert!(refused.iter().all(|event| event.actor_session_id == Some(caller.session_id)));
    assert_eq!(world.try_at("ada", PASSWORD, from(98)).await, "in");
    world.clock.advance_seconds(30);
    assert_eq!(again(&world, &caller, PASSWORD, &from(99)).await, "right");
    assert_eq!(again(&world, &caller, WRONG, &from(99)).await, "wrong");
    assert_eq!(again(&world, &caller, PASSWORD, &from(99)).await, "right", "it begins anew");
}

/// Row P8 in part: the current password at a change of it counts like any other.
#[tokio::test]
async fn l7_p8_wrong_current_passwords_at_a_change_are_counted_with_those_given_again() {
    let (world, _) = with_ada().await;
    let caller = world.caller("ada").await;
    for _ in 0..9 {
        assert_eq!(again(&world, &caller, WRONG, &from(1)).await, "wrong");
    }
    let change = |current| ChangePassword {
        current: password(current),
        new: password("another horse"),
        origin: from(2),
    };
    world.app.change_password(&caller, change(WRONG)).await.unwrap_err();
    let waits = world.app.change_password(&caller, change(PASSWORD)).await.unwrap_err();
    let ChangePasswordError::Reauthenticate(ReauthenticateError::RateLimited(limit)) = waits else {
        panic!("{waits:?}");
    };
    assert_eq!(limit, RateLimited { retry_after_seconds: 30 });
}

#[tokio::test]
async fn l7_a_client_signs_up_thirty_times_in_a_window() {
    for policy in [policy(), required()] {
        let (world, _) = open_world(policy).await;
        let once = async |number: u32, origin: Origin| {
            // Half of them are about one address that is another's or waits already.
            let name = format!("name-{number}");
            let email = if number.is_multiple_of(2) { address("ada") } else { address(&name) };
            world.app.signup(Signup { email, origin, ..signup(&name) }).await
        };
        for number in 0..30 {
            let refused = once(number, from(1)).await;
            assert!(!matches!(refused, Err(SignupError::RateLimited(_))), "{number}");
        }
        let refused = once(31, from(1)).await;
        let Err(SignupError::RateLimited(limit)) = refused else { panic!("{refused:?}") };
        assert_eq!(limit.retry_after_seconds, 900);
        once(33, from(2)).await.unwrap();
        world.clock.advance_seconds(900);
        once(35, from(1)).await.unwrap();
    }
}

#[tokio::test]
async fn a_password_that_nobody_may_choose_is_no_sign_up() {
    let (world, _) = open_world(policy()).await;
    for _ in 0..40 {
        let weak = Signup { password: password("password"), origin: from(1), ..signup("ada") };
        assert!(matches!(world.app.signup(weak).await, Err(SignupError::Password(_))));
    }
    world.app.signup(Signup { origin: from(1), ..signup("ada") }).await.unwrap();
}

/// Shows a link that there is not, in one of the five ways; gives whether it was looked at.
async fn guess(world: &World, number: u32, origin: Origin) -> bool {
    let app = &world.app;
    let text = format!("guess {number}");
    let proof = LetterProof::Token(text.clone());
    match number % 5 {
        0 => {
            let reset = crate::ResetPassword { origin, ..reset(proof, "another horse") };
            let refused = app.prepare_reset(reset).await.unwrap_err();
            !matches!(refused, ResetPasswordError::RateLimited(_))
        }
        1 => {
            let account = AccountProof::Password(password(PASSWORD));
            let confirm = crate::ConfirmEmail { origin, ..confirm(proof, account) };
            let refused = app.confirm_email(confirm).await.unwrap_err();
            !matches!(refused, ConfirmEmailError::RateLimited(_))
        }
        2 => {
            let refused = app.undo_email_change(&text, &origin).await.unwrap_err();
            !matches!(refused, UndoEmailError::RateLimited(_))
        }
        3 => {
            let refused = app.disown_login(&text, &origin).await.unwrap_err();
            !matches!(refused, NotMeError::RateLimited(_))
        }
        _ => {
            let accepted = app.prepare_acceptance(text, password(PASSWORD), origin).await;
            !matches!(accepted.unwrap_err(), crate::AcceptInvitationError::RateLimited(_))
        }
    }
}

#[tokio::test]
async fn l7_a_hundred_links_that_are_none_use_a_client_up_whatever_they_are_for() {
    let (world, _) = with_ada().await;
    let letter = world.forgotten("ada").await;
    for number in 0..100 {
        assert!(guess(&world, number, from(1)).await, "{number}");
    }
    for number in 0..5 {
        assert!(!guess(&world, number, from(1)).await, "{number}");
    }
    let good =
        |origin| crate::ResetPassword { origin, ..reset(by_token(&letter), "another horse") };
    let waits = world.app.reset_password(good(from(1))).await;
    assert!(matches!(waits, Err(ResetPasswordError::RateLimited(_))));
    world.app.reset_password(good(from(2))).await.unwrap();
}

#[tokio::test]
async fn a_link_that_is_good_counts_for_nothing() {
    let (world, _) = with_ada().await;
    let letter = world.forgotten("ada").await;
    let good =
        crate::ResetPassword { origin: from(1), ..reset(by_token(&letter), "another horse") };
    world.app.reset_password(good).await.unwrap();
    assert_eq!(world.counts().await, 0);
}

#[tokio::test]
async fn a_client_asks_for_a_hundred_letters_in_a_window_whether_any_comes_or_not() {
    let (world, _) = with_ada().await;
    let ask = async |name: &str, number: u32| {
        let (email, origin) = (address(name), from(1));
        if number.is_multiple_of(2) {
            world.app.forgot_password(&email, &origin).await
        } else {
            world.app.resend_confirmation(&email, None, &origin).await
        }
    };
    for number in 0..100 {
        ask(if number < 50 { "ada" } else { "nobody" }, number).await.unwrap();
    }
    for (name, number) in [("ada", 0), ("nobody", 1)] {
        assert!(matches!(ask(name, number).await, Err(ThrottleError::RateLimited(_))));
    }
}

#[tokio::test]
async fn a_reset_opens_an_account_that_strangers_keep_busy() {
    let (world, _) = with_ada().await;
    world.strike_name("ada", 10).await;
    world.strike_name("ada@example.org", 10).await;
    let letter = world.forgotten("ada").await;
    world.app.reset_password(reset(by_token(&letter), "another horse")).await.unwrap();
    assert_eq!(world.try_at("ada", "another horse", from(99)).await, "in");
    assert_eq!(world.try_at("ada@example.org", "another horse", from(99)).await, "in");
}

#[tokio::test]
async fn who_has_used_up_the_name_from_here_gets_in_from_here_after_a_reset() {
    let (world, _) = with_ada().await;
    for _ in 0..5 {
        assert_eq!(world.try_at("ada", WRONG, from(1)).await, "wrong");
    }
    let letter = world.forgotten("ada").await;
    let reset =
        crate::ResetPassword { origin: from(1), ..reset(by_token(&letter), "another horse") };
    world.app.reset_password(reset).await.unwrap();
    assert_eq!(world.try_at("ada", "another horse", from(1)).await, "in");
}

#[tokio::test]
async fn l7_secrets_of_configured_clients_are_counted_by_where_they_come_from() {
    let (world, memory) = with_ada().await;
    for _ in 0..100 {
        world.app.wrong_client_secret(&from(1)).await.unwrap();
    }
    let waits = world.app.wrong_client_secret(&from(1)).await;
    assert!(matches!(waits, Err(ThrottleError::RateLimited(_))));
    world.app.wrong_client_secret(&from(2)).await.unwrap();
    let throttled = memory.events().into_iter().find(|event| event.kind == EventKind::Throttled);
    let throttled = throttled.unwrap();
    assert_eq!((throttled.detail.as_deref(), throttled.ip), (Some("client"), from(1).ip));
}

#[tokio::test]
async fn whoever_has_stolen_one_session_keeps_nobody_from_giving_the_password_in_another() {
    let (world, _) = with_ada().await;
    let (thief, owner) = (world.caller("ada").await, world.caller("ada").await);
    for number in 0..10 {
        assert_eq!(again(&world, &thief, WRONG, &from(number)).await, "wrong");
    }
    assert_eq!(again(&world, &thief, PASSWORD, &from(99)).await, "wait");
    assert_eq!(again(&world, &owner, PASSWORD, &from(99)).await, "right");
}

#[tokio::test]
async fn a_reset_does_not_open_the_account_to_a_client_that_used_itself_up() {
    let (world, _) = with_ada().await;
    for _ in 0..5 {
        assert_eq!(world.try_at("ada", WRONG, at("192.0.2.66")).await, "wrong");
    }
    let letter = world.forgotten("ada").await;
    world.app.reset_password(reset(by_token(&letter), "another horse")).await.unwrap();
    assert_eq!(world.try_at("ada", WRONG, at("192.0.2.66")).await, "30");
}

#[tokio::test]
async fn an_allowance_of_a_known_client_dies_with_a_not_me() {
    let (world, _) = with_ada().await;
    world.clock.advance_seconds(2 * 24 * 3600);
    world.try_at("ada", PASSWORD, from(1)).await;
    world.post().await;
    let thief = world.app.login(super::throttles::attempt("ada", PASSWORD, from(2))).await.unwrap();
    let letter = saying(&world.post().await, LetterText::NewClient);
    world.app.disown_login(&token(&letter), &Origin::default()).await.unwrap();
    world.strike_name("ada", 10).await;
    let device_token = Some(thief.device_token);
    let login =
        crate::Login { device_token, ..super::throttles::attempt("ada", PASSWORD, from(2)) };
    assert_eq!(super::throttles::said(world.app.login(login).await), "30");
}
