//! Invitations: only the invited user chooses the password.

use gateward_domain::email::{EmailMessage, EmailTemplate};
use gateward_domain::{EventKind, Permission, RequestInfo, RoleName, User, Username};

use super::admins::{RolesGrant, UsersRead, UsersWrite, by, lacks, role, why};
use super::attempts::from;
use super::mailbox::{address, by_token, open_test_app, reset, saying, token};
use super::test_app::{PASSWORD, TestApp, password, policy};
use crate::{AcceptInvitationError, AdminActor, AdminError, Caller, Invitation};

fn guest(roles: &[&str]) -> Invitation {
    Invitation {
        username: Username::parse("guest").unwrap(),
        email: address("guest"),
        roles: roles.iter().map(|name| role(name)).collect(),
    }
}

/// Invites a user. Returns the account and the email.
async fn invited(test_app: &TestApp) -> (User, EmailMessage) {
    let user = test_app.app.invite_user(AdminActor::Operator, guest(&[])).await.unwrap();
    let message = saying(&test_app.post().await, EmailTemplate::Invitation);
    (user, message)
}

async fn accept(
    test_app: &TestApp,
    message: &EmailMessage,
    text: &str,
) -> Result<(), AcceptInvitationError> {
    let prepared = test_app.app.prepare_acceptance(token(message), password(text), from(7)).await?;
    test_app.app.complete_acceptance(prepared).await
}

async fn is_no_link(test_app: &TestApp, message: &EmailMessage) {
    let refused = accept(test_app, message, PASSWORD).await;
    assert!(matches!(refused, Err(AcceptInvitationError::InvalidLink)), "{refused:?}");
}

#[tokio::test]
async fn whoever_is_invited_chooses_the_password_once_and_has_proved_the_address() {
    let (test_app, memory) = open_test_app(policy()).await;
    let (user, message) = invited(&test_app).await;
    assert_eq!((user.roles, user.email_verified), (vec![RoleName::user()], false));
    assert_eq!(message.to, address("guest"));
    assert!(test_app.login("guest", PASSWORD).await.is_err(), "there is no password yet");
    accept(&test_app, &message, PASSWORD).await.unwrap();
    assert!(test_app.login("guest", PASSWORD).await.is_ok());
    assert!(test_app.find(user.id).await.unwrap().email_verified);
    is_no_link(&test_app, &message).await;
    let told = |kind| {
        let events = memory.events().into_iter().filter(|event| event.kind == kind);
        events.map(|event| (event.user_id, event.ip, event.detail)).collect::<Vec<_>>()
    };
    let roles = Some("roles=user".to_owned());
    assert_eq!(told(EventKind::AccountInvited), [(Some(user.id), None, roles)]);
    assert_eq!(told(EventKind::InvitationAccepted), [(Some(user.id), from(7).ip, None)]);
    assert_eq!(memory.outbox_emails()[0].slot, None, "no other email takes its place");
}

#[tokio::test]
async fn a_link_that_is_shown_twice_at_once_counts_once() {
    let (test_app, _) = open_test_app(policy()).await;
    let (_, message) = invited(&test_app).await;
    let (one, other) = tokio::join!(
        accept(&test_app, &message, PASSWORD),
        accept(&test_app, &message, "other horse")
    );
    assert!(one.is_ok() != other.is_ok());
}

#[tokio::test]
async fn a_password_that_nobody_may_choose_does_not_use_the_link_up() {
    let (test_app, _) = open_test_app(policy()).await;
    let (_, message) = invited(&test_app).await;
    for weak in ["short", "password", "guest1234"] {
        let refused = accept(&test_app, &message, weak).await;
        assert!(matches!(refused, Err(AcceptInvitationError::Password(_))), "{weak}");
    }
    accept(&test_app, &message, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn an_invitation_dies_with_a_reset_a_disabling_a_deletion_and_its_time() {
    for end in ["reset", "disable", "delete", "time"] {
        let (test_app, _) = open_test_app(policy()).await;
        let (user, message) = invited(&test_app).await;
        match end {
            "reset" => {
                test_app.app.send_password_reset(AdminActor::Operator, user.id).await.unwrap();
                let mailed = saying(&test_app.post().await, EmailTemplate::ResetPassword);
                test_app
                    .app
                    .reset_password(reset(by_token(&mailed), "another horse"))
                    .await
                    .unwrap();
            }
            "disable" => {
                test_app.set_disabled("guest", true).await;
                is_no_link(&test_app, &message).await;
                test_app.set_disabled("guest", false).await;
            }
            "delete" => {
                test_app.app.delete_user(AdminActor::Operator, user.id).await.unwrap();
            }
            _ => test_app.clock.advance_seconds(7 * 24 * 3600),
        }
        is_no_link(&test_app, &message).await;
    }
}

#[tokio::test]
async fn a_link_is_no_good_to_an_account_that_was_disabled_between_its_halves() {
    let (test_app, _) = open_test_app(policy()).await;
    let (_, message) = invited(&test_app).await;
    let (presented, request_info) = (token(&message), RequestInfo::default());
    let prepared =
        test_app.app.prepare_acceptance(presented, password(PASSWORD), request_info).await.unwrap();
    test_app.set_disabled("guest", true).await;
    let late = test_app.app.complete_acceptance(prepared).await;
    assert!(matches!(late, Err(AcceptInvitationError::InvalidLink)));
}

#[tokio::test]
async fn a_link_for_something_else_is_no_invitation() {
    let (test_app, _) = open_test_app(policy()).await;
    test_app.owner("ada", |_| ()).await;
    let message = test_app.forgotten("ada").await;
    is_no_link(&test_app, &message).await;
    let (_, message) = invited(&test_app).await;
    let reset = test_app.app.reset_password(reset(by_token(&message), "another horse")).await;
    assert!(reset.is_err());
    accept(&test_app, &message, PASSWORD).await.unwrap();
}

async fn inviter(test_app: &TestApp, permissions: &[Permission]) -> Caller {
    test_app.define("host", permissions).await;
    test_app.caller_with_roles("eve", &["host"]).await
}

async fn invite(test_app: &TestApp, host: &Caller, roles: &[&str]) -> Result<User, AdminError> {
    test_app.app.invite_user(by(host), guest(roles)).await
}

#[tokio::test]
async fn b6_nobody_is_invited_to_more_than_the_host_may_give() {
    let (test_app, memory) = open_test_app(policy()).await;
    let host = inviter(&test_app, &[UsersWrite]).await;
    test_app.define("reader", &[UsersRead]).await;
    assert_eq!(why(invite(&test_app, &host, &["host"]).await), lacks(RolesGrant));
    test_app.define("host", &[UsersWrite, RolesGrant]).await;
    assert_eq!(why(invite(&test_app, &host, &["reader"]).await), lacks(UsersRead));
    let admin = why(invite(&test_app, &host, &["admin"]).await);
    assert!(admin.starts_with("Forbidden"), "{admin}");
    assert!(why(invite(&test_app, &host, &["nothing"]).await).starts_with("NoSuchRole"));
    assert_eq!(memory.users().len(), 1);
    let user = invite(&test_app, &host, &["host", "user"]).await.unwrap();
    assert_eq!(user.roles, [role("host"), RoleName::user()]);
    assert!(user.permissions.contains(UsersWrite));
}

#[tokio::test]
async fn b10_inviting_to_more_than_everybody_holds_wants_the_password_to_be_fresh() {
    let (test_app, _) = open_test_app(policy()).await;
    let host = inviter(&test_app, &[UsersWrite, RolesGrant]).await;
    test_app.outlast_password();
    assert_eq!(why(invite(&test_app, &host, &["host"]).await), "NotRecent(NotRecent)");
    invite(&test_app, &host, &["user"]).await.unwrap();
}

#[tokio::test]
async fn nobody_is_invited_by_a_name_or_an_address_that_is_anothers() {
    let (test_app, _) = open_test_app(policy()).await;
    test_app.owner("guest", |_| ()).await;
    let taken = test_app.app.invite_user(AdminActor::Operator, guest(&[])).await;
    assert!(why(taken).contains("Taken(Username)"));
    let other = Invitation { username: Username::parse("other").unwrap(), ..guest(&[]) };
    assert!(
        why(test_app.app.invite_user(AdminActor::Operator, other).await).contains("Taken(Email)")
    );
    assert!(test_app.post().await.is_empty());
}
