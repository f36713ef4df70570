//! Invitations: an account for somebody, who alone chooses its password.

use gateward_domain::mail::{Letter, LetterText};
use gateward_domain::{EventKind, Origin, Permission, RoleName, User, Username};

use super::fakes::{PASSWORD, World, password, policy};
use super::mailbox::{address, by_token, open_world, reset, saying, token};
use super::staff::{RolesGrant, UsersRead, UsersWrite, by, lacks, role, why};
use crate::{AcceptInvitationError, AdminError, By, Caller, Invitation};

fn guest(roles: &[&str]) -> Invitation {
    Invitation {
        username: Username::parse("guest").unwrap(),
        email: address("guest"),
        roles: roles.iter().map(|name| role(name)).collect(),
    }
}

/// Somebody is invited; gives the account and the letter.
async fn invited(world: &World) -> (User, Letter) {
    let user = world.app.invite_user(By::Operator, guest(&[])).await.unwrap();
    let letter = saying(&world.post().await, LetterText::Invitation);
    (user, letter)
}

async fn accept(world: &World, letter: &Letter, text: &str) -> Result<(), AcceptInvitationError> {
    let (shown, origin) = (token(letter), Origin::default());
    let prepared = world.app.prepare_acceptance(shown, password(text), origin).await?;
    world.app.complete_acceptance(prepared).await
}

async fn is_no_link(world: &World, letter: &Letter) {
    let refused = accept(world, letter, PASSWORD).await;
    assert!(matches!(refused, Err(AcceptInvitationError::InvalidLink)), "{refused:?}");
}

#[tokio::test]
async fn whoever_is_invited_chooses_the_password_once_and_has_proved_the_address() {
    let (world, memory) = open_world(policy()).await;
    let (user, letter) = invited(&world).await;
    assert_eq!((user.roles, user.email_verified), (vec![RoleName::user()], false));
    assert_eq!(letter.to, address("guest"));
    assert!(world.login("guest", PASSWORD).await.is_err(), "there is no password yet");
    accept(&world, &letter, PASSWORD).await.unwrap();
    assert!(world.login("guest", PASSWORD).await.is_ok());
    assert!(world.find(user.id).await.unwrap().email_verified);
    is_no_link(&world, &letter).await;
    let told = |kind| memory.events().iter().filter(|event| event.kind == kind).count();
    let kinds = [EventKind::AccountInvited, EventKind::InvitationAccepted];
    assert_eq!(kinds.map(told), [1, 1]);
}

#[tokio::test]
async fn a_link_that_is_shown_twice_at_once_counts_once() {
    let (world, _) = open_world(policy()).await;
    let (_, letter) = invited(&world).await;
    let (one, other) =
        tokio::join!(accept(&world, &letter, PASSWORD), accept(&world, &letter, "other horse"));
    assert!(one.is_ok() != other.is_ok());
}

#[tokio::test]
async fn a_password_that_nobody_may_choose_does_not_use_the_link_up() {
    let (world, _) = open_world(policy()).await;
    let (_, letter) = invited(&world).await;
    for weak in ["short", "password", "guest1234"] {
        let refused = accept(&world, &letter, weak).await;
        assert!(matches!(refused, Err(AcceptInvitationError::Password(_))), "{weak}");
    }
    accept(&world, &letter, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn an_invitation_dies_with_a_reset_a_disabling_a_deletion_and_its_time() {
    for end in ["reset", "disable", "delete", "time"] {
        let (world, _) = open_world(policy()).await;
        let (user, letter) = invited(&world).await;
        match end {
            "reset" => {
                world.app.start_reset(By::Operator, user.id).await.unwrap();
                let mailed = saying(&world.post().await, LetterText::ResetPassword);
                world.app.reset_password(reset(by_token(&mailed), "another horse")).await.unwrap();
            }
            "disable" => {
                world.set_disabled("guest", true).await;
                is_no_link(&world, &letter).await;
                world.set_disabled("guest", false).await;
            }
            "delete" => {
                world.app.delete_user(By::Operator, user.id).await.unwrap();
            }
            _ => world.clock.advance_seconds(7 * 24 * 3600),
        }
        is_no_link(&world, &letter).await;
    }
}

#[tokio::test]
async fn a_link_is_no_good_to_an_account_that_was_disabled_between_its_halves() {
    let (world, _) = open_world(policy()).await;
    let (_, letter) = invited(&world).await;
    let (shown, origin) = (token(&letter), Origin::default());
    let prepared = world.app.prepare_acceptance(shown, password(PASSWORD), origin).await.unwrap();
    world.set_disabled("guest", true).await;
    let late = world.app.complete_acceptance(prepared).await;
    assert!(matches!(late, Err(AcceptInvitationError::InvalidLink)));
}

#[tokio::test]
async fn a_link_for_something_else_is_no_invitation() {
    let (world, _) = open_world(policy()).await;
    world.owner("ada", |_| ()).await;
    let letter = world.forgotten("ada").await;
    is_no_link(&world, &letter).await;
    let (_, letter) = invited(&world).await;
    let reset = world.app.reset_password(reset(by_token(&letter), "another horse")).await;
    assert!(reset.is_err());
    accept(&world, &letter, PASSWORD).await.unwrap();
}

async fn inviter(world: &World, permissions: &[Permission]) -> Caller {
    world.define("host", permissions).await;
    world.staff("eve", &["host"]).await
}

async fn invite(world: &World, host: &Caller, roles: &[&str]) -> Result<User, AdminError> {
    world.app.invite_user(by(host), guest(roles)).await
}

#[tokio::test]
async fn b6_nobody_is_invited_to_more_than_the_host_may_give() {
    let (world, memory) = open_world(policy()).await;
    let host = inviter(&world, &[UsersWrite]).await;
    world.define("reader", &[UsersRead]).await;
    assert_eq!(why(invite(&world, &host, &["host"]).await), lacks(RolesGrant));
    world.define("host", &[UsersWrite, RolesGrant]).await;
    assert_eq!(why(invite(&world, &host, &["reader"]).await), lacks(UsersRead));
    let admin = why(invite(&world, &host, &["admin"]).await);
    assert!(admin.starts_with("Forbidden"), "{admin}");
    assert!(why(invite(&world, &host, &["nothing"]).await).starts_with("NoSuchRole"));
    assert_eq!(memory.users().len(), 1);
    let user = invite(&world, &host, &["host", "user"]).await.unwrap();
    assert_eq!(user.roles, [role("host"), RoleName::user()]);
    assert!(user.permissions.contains(UsersWrite));
}

#[tokio::test]
async fn b10_inviting_to_more_than_everybody_holds_wants_the_password_to_be_fresh() {
    let (world, _) = open_world(policy()).await;
    let host = inviter(&world, &[UsersWrite, RolesGrant]).await;
    world.outlast_password();
    assert_eq!(why(invite(&world, &host, &["host"]).await), "NotRecent(NotRecent)");
    invite(&world, &host, &["user"]).await.unwrap();
}

#[tokio::test]
async fn nobody_is_invited_by_a_name_or_an_address_that_is_anothers() {
    let (world, _) = open_world(policy()).await;
    world.owner("guest", |_| ()).await;
    let taken = world.app.invite_user(By::Operator, guest(&[])).await;
    assert!(why(taken).contains("Taken(Username)"));
    let other = Invitation { username: Username::parse("other").unwrap(), ..guest(&[]) };
    assert!(why(world.app.invite_user(By::Operator, other).await).contains("Taken(Email)"));
    assert!(world.post().await.is_empty());
}
