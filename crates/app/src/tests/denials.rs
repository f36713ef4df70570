//! Refusals of what a caller may not do, and passwords that were stolen somewhere.

use std::sync::Arc;

use gateward_domain::mail::LetterText;
use gateward_domain::mock::{MockBreachedPasswords, MockMeter};
use gateward_domain::ports::{BreachedUnavailable, Occurrence};
use gateward_domain::{Email, EventKind, Origin, PasswordError, Username};

use super::fakes::{PASSWORD, World, password, policy, signup};
use super::mailbox::{address, by_token, open_world, reset, saying, token};
use super::staff::{DESK, UsersRead};
use crate::{
    AcceptInvitationError, By, ChangePassword, ChangePasswordError, Forbidden, Invitation,
    NewAccount, OperatorError, Policy, ResetPasswordError, SignupError,
};

#[tokio::test]
async fn a_refusal_is_written_down_as_often_as_wrong_secrets_are_and_always_holds() {
    let (mut world, memory) = open_world(policy()).await;
    let eve = world.staff("eve", &[]).await;
    let mut meter = MockMeter::new();
    meter.expect_count().withf(|what, _| *what == Occurrence::Denied).times(151).return_const(());
    meter.expect_count().withf(|what, _| *what != Occurrence::Denied).return_const(());
    world.app.ports.meter = Arc::new(meter);
    for _ in 0..150 {
        let refused = world.app.require(&eve, UsersRead, &DESK).await;
        assert_eq!(refused, Err(Forbidden(UsersRead)));
    }
    let events = memory.events();
    let denied: Vec<_> =
        events.iter().filter(|event| event.kind == EventKind::AccessDenied).collect();
    assert_eq!(denied.len(), 100);
    assert_eq!(denied[0].detail.as_deref(), Some("users:read"));
    assert_eq!((denied[0].actor_session_id, denied[0].ip), (Some(eve.session_id), DESK.ip));
    world.clock.advance_seconds(900);
    assert!(world.app.require(&eve, UsersRead, &DESK).await.is_err());
    let events = memory.events();
    let denied = events.iter().filter(|event| event.kind == EventKind::AccessDenied);
    assert_eq!(denied.count(), 101, "in the next window again");
}

/// A world that knows one stolen password, `STOLEN`; or that cannot read its list.
const STOLEN: &str = "stolen horse battery";

fn list(readable: bool) -> Arc<MockBreachedPasswords> {
    let mut list = MockBreachedPasswords::new();
    list.expect_is_breached().returning(move |password| {
        if readable {
            Ok(password.expose() == STOLEN)
        } else {
            Err(BreachedUnavailable("a test".into()))
        }
    });
    Arc::new(list)
}

/// What comes of choosing a password in each of the ways there are.
async fn choose(world: &World, text: &str) -> Vec<(&'static str, Result<(), String>)> {
    let (app, origin) = (&world.app, Origin::default());
    let caller = world.caller("ada").await;
    let change =
        ChangePassword { current: password(PASSWORD), new: password(text), origin: origin.clone() };
    let changed = app.prepare_change(&caller, change).await.map_err(|error| match error {
        ChangePasswordError::Password(error) => error.to_string(),
        other => format!("{other:?}"),
    });
    let letter = world.forgotten("ada").await;
    let prepared = app.prepare_reset(reset(by_token(&letter), text)).await;
    let prepared = prepared.map_err(|error| match error {
        ResetPasswordError::Password(error) => error.to_string(),
        other => format!("{other:?}"),
    });
    let signed_up = crate::Signup { password: password(text), ..signup("new") };
    let signed_up = app.prepare_signup(signed_up).await.map_err(|error| match error {
        SignupError::Password(error) => error.to_string(),
        other => format!("{other:?}"),
    });
    let made = NewAccount {
        username: Username::parse("made").unwrap(),
        email: Email::parse("made@example.org").unwrap(),
        password: password(text),
        admin: false,
    };
    let made = app.create_user(made).await.map_err(|error| match error {
        OperatorError::Password(error) => error.to_string(),
        other => format!("{other:?}"),
    });
    let guest = Invitation {
        username: Username::parse("guest").unwrap(),
        email: address("guest"),
        roles: Vec::new(),
    };
    app.invite_user(By::Operator, guest).await.unwrap();
    let letter = saying(&world.post().await, LetterText::Invitation);
    let accepted = app.prepare_acceptance(token(&letter), password(text), origin).await;
    let accepted = accepted.map_err(|error| match error {
        AcceptInvitationError::Password(error) => error.to_string(),
        other => format!("{other:?}"),
    });
    vec![
        ("change", changed.map(drop)),
        ("reset", prepared.map(drop)),
        ("sign-up", signed_up.map(drop)),
        ("operator", made.map(drop)),
        ("invitation", accepted.map(drop)),
    ]
}

async fn world(readable: bool) -> World {
    let (mut world, _) = open_world(Policy { letters_per_address_seconds: None, ..policy() }).await;
    world.owner("ada", |_| ()).await;
    world.app.ports.breached = list(readable);
    world
}

#[tokio::test]
async fn p6_a_stolen_password_is_chosen_nowhere() {
    for (way, chosen) in choose(&world(true).await, STOLEN).await {
        assert_eq!(chosen, Err(PasswordError::Breached.to_string()), "{way}");
    }
    for (way, chosen) in choose(&world(true).await, "another horse").await {
        assert_eq!(chosen, Ok(()), "{way}");
    }
}

#[tokio::test]
async fn p6_where_the_list_of_stolen_passwords_cannot_be_read_none_is_chosen() {
    for (way, chosen) in choose(&world(false).await, "another horse").await {
        let error = chosen.unwrap_err();
        assert!(error.contains("Unavailable"), "{way}: {error}");
    }
}

#[tokio::test]
async fn a_stolen_password_that_is_one_s_own_still_logs_in() {
    let (mut world, _) = open_world(policy()).await;
    world.owner("ada", |_| ()).await;
    let mut list = MockBreachedPasswords::new();
    list.expect_is_breached().never();
    world.app.ports.breached = Arc::new(list);
    assert!(world.login("ada", PASSWORD).await.is_ok());
}
