//! Denied requests, and breached passwords.

use std::sync::Arc;

use gateward_domain::email::EmailTemplate;
use gateward_domain::mock::{MockBreachedPasswords, MockMetrics};
use gateward_domain::ports::{BreachedUnavailable, Metric};
use gateward_domain::{EmailAddress, EventKind, PasswordError, RequestInfo, Username};

use super::admins::{DESK, UsersRead};
use super::mailbox::{address, by_token, open_test_app, reset, saying, token};
use super::test_app::{PASSWORD, TestApp, password, policy, signup};
use crate::{
    AcceptInvitationError, AdminActor, ChangePassword, ChangePasswordError, Forbidden, Invitation,
    NewAccount, OperatorError, Policy, ResetPasswordError, SignupError,
};

#[tokio::test]
async fn a_refusal_is_written_down_as_often_as_wrong_secrets_are_and_always_holds() {
    let (mut test_app, memory) = open_test_app(policy()).await;
    let eve = test_app.caller_with_roles("eve", &[]).await;
    let mut metrics = MockMetrics::new();
    metrics.expect_count().withf(|what, _| *what == Metric::Denied).times(151).return_const(());
    metrics.expect_count().withf(|what, _| *what != Metric::Denied).return_const(());
    test_app.app.ports.metrics = Arc::new(metrics);
    for _ in 0..150 {
        let refused = test_app.app.require(&eve, UsersRead, &DESK).await;
        assert_eq!(refused, Err(Forbidden(UsersRead)));
    }
    let events = memory.events();
    let denied: Vec<_> =
        events.iter().filter(|event| event.kind == EventKind::AccessDenied).collect();
    assert_eq!(denied.len(), 100);
    assert_eq!(denied[0].detail.as_deref(), Some("users:read"));
    assert_eq!((denied[0].actor_session_id, denied[0].ip), (Some(eve.session_id), DESK.ip));
    test_app.clock.advance_seconds(900);
    assert!(test_app.app.require(&eve, UsersRead, &DESK).await.is_err());
    let events = memory.events();
    let denied = events.iter().filter(|event| event.kind == EventKind::AccessDenied);
    assert_eq!(denied.count(), 101, "in the next window again");
}

/// The one breached password of the fixture.
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

/// Chooses a password in every way there is. Returns the results.
async fn choose(test_app: &TestApp, text: &str) -> Vec<(&'static str, Result<(), String>)> {
    let (app, request_info) = (&test_app.app, RequestInfo::default());
    let caller = test_app.caller("ada").await;
    let change = ChangePassword {
        current: password(PASSWORD),
        new: password(text),
        request_info: request_info.clone(),
    };
    let changed = app.prepare_change(&caller, change).await.map_err(|error| match error {
        ChangePasswordError::Password(error) => error.to_string(),
        other => format!("{other:?}"),
    });
    let message = test_app.forgotten("ada").await;
    let prepared = app.prepare_reset(reset(by_token(&message), text)).await;
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
        email: EmailAddress::parse("made@example.org").unwrap(),
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
    app.invite_user(AdminActor::Operator, guest).await.unwrap();
    let message = saying(&test_app.post().await, EmailTemplate::Invitation);
    let accepted = app.prepare_acceptance(token(&message), password(text), request_info).await;
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

async fn test_app(readable: bool) -> TestApp {
    let (mut test_app, _) =
        open_test_app(Policy { email_interval_seconds: None, ..policy() }).await;
    test_app.owner("ada", |_| ()).await;
    test_app.app.ports.breached = list(readable);
    test_app
}

#[tokio::test]
async fn p6_a_stolen_password_is_chosen_nowhere() {
    for (way, chosen) in choose(&test_app(true).await, STOLEN).await {
        assert_eq!(chosen, Err(PasswordError::Breached.to_string()), "{way}");
    }
    for (way, chosen) in choose(&test_app(true).await, "another horse").await {
        assert_eq!(chosen, Ok(()), "{way}");
    }
}

#[tokio::test]
async fn p6_where_the_list_of_stolen_passwords_cannot_be_read_none_is_chosen() {
    for (way, chosen) in choose(&test_app(false).await, "another horse").await {
        let error = chosen.unwrap_err();
        assert!(error.contains("Unavailable"), "{way}: {error}");
    }
}

#[tokio::test]
async fn a_stolen_password_that_is_one_s_own_still_logs_in() {
    let (mut test_app, _) = open_test_app(policy()).await;
    test_app.owner("ada", |_| ()).await;
    let mut list = MockBreachedPasswords::new();
    list.expect_is_breached().never();
    test_app.app.ports.breached = Arc::new(list);
    assert!(test_app.login("ada", PASSWORD).await.is_ok());
}
