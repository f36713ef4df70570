//! Signing up, changing one's account, and what operators do.

use std::sync::atomic::Ordering;

use gateward_domain::ports::{StoreError, Taken};
use gateward_domain::{Email, EndReason, Identifier, Origin, PasswordError, RoleName, Username};

use gateward_testkit::fixtures;

use super::fakes::{PASSWORD, password, policy, signup, world, world_with};
use super::mailbox::{by_token, open_world, reset};
use crate::{
    AdminError, AuthenticateError, By, ChangePassword, ChangePasswordError, LetterProof,
    LoginError, NewAccount, OperatorError, Policy, ReauthenticateError, ResetPasswordError, Signup,
    SignupError,
};

#[tokio::test]
async fn a_new_account_has_the_rights_of_everybody_and_no_more() {
    let user = world().await.user("ada").await;
    assert_eq!(user.roles, [RoleName::user()]);
    assert!(!user.email_verified && !user.disabled);
}

#[tokio::test]
async fn a_refused_password_is_never_hashed() {
    let world = world().await;
    let before = world.hasher.hashed.load(Ordering::Relaxed);
    let weak = Signup { password: password("password"), ..signup("ada") };
    let refused = world.app.signup(weak).await;
    assert!(matches!(refused, Err(SignupError::Password(PasswordError::Common))));
    assert_eq!(world.hasher.hashed.load(Ordering::Relaxed), before);
}

#[tokio::test]
async fn a_name_and_an_address_are_given_once() {
    let world = world().await;
    world.user("ada").await;
    let name = world.app.signup(signup("Ada")).await;
    assert!(matches!(name, Err(SignupError::Store(StoreError::Taken(Taken::Username)))));
    let address = Signup { username: Username::parse("eve").unwrap(), ..signup("ada") };
    let address = world.app.signup(address).await;
    assert!(matches!(address, Err(SignupError::Store(StoreError::Taken(Taken::Email)))));
}

#[tokio::test]
async fn nobody_signs_up_where_it_is_off() {
    let off = Policy { signup_enabled: false, ..policy() };
    let world = world_with(off, std::sync::Arc::new(gateward_testkit::MemoryStore::new())).await;
    assert!(matches!(world.app.signup(signup("ada")).await, Err(SignupError::Off)));
}

#[tokio::test]
async fn p8_p9_a_changed_password_ends_every_other_session() {
    let world = world().await;
    let other = world.logged_in("ada").await.pair;
    let own = world.login("ada", PASSWORD).await.unwrap().pair;
    let caller = world.app.authenticate(own.access.text.expose()).await.unwrap();
    let change = |current: &str, new: &str| ChangePassword {
        current: password(current),
        new: password(new),
        origin: Origin::default(),
    };
    let wrong = world.app.change_password(&caller, change("wrong horse", "another horse")).await;
    let refusal = wrong.unwrap_err();
    assert!(matches!(
        refusal,
        ChangePasswordError::Reauthenticate(ReauthenticateError::WrongPassword)
    ));
    world.app.change_password(&caller, change(PASSWORD, "another horse")).await.unwrap();

    assert!(world.app.authenticate(own.access.text.expose()).await.is_ok());
    let dead = world.app.authenticate(other.access.text.expose()).await;
    assert!(matches!(dead, Err(AuthenticateError::SessionEnded(EndReason::PasswordChanged))));
    assert!(matches!(world.login("ada", PASSWORD).await, Err(LoginError::BadCredentials)));
    assert!(world.login("ada", "another horse").await.is_ok());
    // A change that began before this one has seen a password that is none any more.
    let late = world.app.change_password(&caller, change(PASSWORD, "third horse")).await;
    assert!(matches!(late, Err(ChangePasswordError::WrongPassword)));
}

#[tokio::test]
async fn giving_the_password_again_is_noted_on_the_session() {
    let world = world().await;
    let pair = world.logged_in("ada").await.pair;
    let caller = world.app.authenticate(pair.access.text.expose()).await.unwrap();
    world.clock.advance_seconds(100);
    let origin = Origin::default();
    let wrong = world.app.verify_again(&caller, &password("wrong horse"), &origin).await;
    assert!(matches!(wrong, Err(ReauthenticateError::WrongPassword)));
    let shown = world.app.verify_again(&caller, &password(PASSWORD), &origin).await.unwrap();
    let token = world.app.reauthenticate(&caller, shown, &origin).await.unwrap();
    let again = world.app.authenticate(token.access.text.expose()).await.unwrap();
    assert_eq!(again.auth_time, world.app.now());
    assert_eq!(again.session_id, caller.session_id);
    world.app.refresh(world.refresh(&pair.refresh, None)).await.unwrap();
}

#[tokio::test]
async fn a_changed_name_is_told_at_once() {
    let world = world().await;
    let pair = world.logged_in("ada").await.pair;
    let caller = world.app.authenticate(pair.access.text.expose()).await.unwrap();
    let name = Username::parse("countess").unwrap();
    let user = world.app.change_username(&caller, name.clone(), &Origin::default()).await.unwrap();
    assert_eq!(user.username, name);
    let caller = world.app.authenticate(pair.access.text.expose()).await.unwrap();
    assert_eq!(caller.user.username, name);
}

#[tokio::test]
async fn an_operator_makes_an_administrator_whose_address_is_confirmed() {
    let world = world().await;
    let account = NewAccount {
        username: Username::parse_existing("admin").unwrap(),
        email: Email::parse("root@example.org").unwrap(),
        password: password(PASSWORD),
        admin: true,
    };
    let user = world.app.create_user(account).await.unwrap();
    assert!(user.email_verified);
    assert_eq!(user.roles, [RoleName::admin(), RoleName::user()]);
    assert!(world.login("admin", PASSWORD).await.is_ok(), "by a reserved name");
}

#[tokio::test]
async fn a_disabled_account_is_out_at_once_and_can_come_back() {
    let world = world().await;
    let pair = world.logged_in("ada").await.pair;
    assert!(world.set_disabled("ada", true).await);
    assert!(!world.set_disabled("ada", true).await, "it was so already");
    let dead = world.app.authenticate(pair.access.text.expose()).await;
    assert!(matches!(dead, Err(AuthenticateError::SessionEnded(EndReason::AccountDisabled))));
    assert!(matches!(world.login("ada", PASSWORD).await, Err(LoginError::Disabled(_))));
    assert!(matches!(world.login("ada", "wrong horse").await, Err(LoginError::BadCredentials)));
    assert!(world.set_disabled("ada", false).await);
    assert!(world.login("ada", PASSWORD).await.is_ok());
    let dead = world.app.authenticate(pair.access.text.expose()).await;
    assert!(dead.is_err(), "what ended stays ended");
    let nobody = world.app.disable_user(By::Operator, fixtures::user(9).id).await;
    assert!(matches!(nobody, Err(AdminError::NotFound)));
}

#[tokio::test]
async fn an_operator_makes_a_link_that_takes_the_place_of_the_mailed_one() {
    let (world, _) = open_world(policy()).await;
    let user = world.owner("ada", |_| ()).await;
    world.owner("eve", |user| user.disabled = true).await;
    let make = async |name| world.app.make_reset_link(&Identifier::parse(name).unwrap()).await;
    assert!(matches!(make("nobody").await, Err(OperatorError::NoSuchUser)));
    assert!(matches!(make("eve").await, Err(OperatorError::Disabled)));
    let mailed = world.forgotten("ada").await;
    let (url, good_until) = make("ada@example.org").await.unwrap();
    assert_eq!(good_until.seconds_since(world.app.now()), 600);
    let refused = world.app.reset_password(reset(by_token(&mailed), "another horse")).await;
    assert!(matches!(refused, Err(ResetPasswordError::InvalidLink)));
    let (page, token) = url.split_once("#token=").unwrap();
    assert_eq!(page, "https://auth.example.org/reset-password");
    let answer = reset(LetterProof::Token(token.to_owned()), "another horse");
    world.app.reset_password(answer).await.unwrap();
    assert!(world.told(user.id).await.contains(&"reset_link_made"));
    let squatter = world.user("bob").await;
    let (url, _) = make("bob").await.unwrap();
    let handed = url.split_once("#token=").unwrap().1.to_owned();
    let answer = reset(LetterProof::Token(handed), "another horse");
    world.app.reset_password(answer).await.unwrap();
    let verified = world.find(squatter.id).await.unwrap().email_verified;
    assert!(!verified, "what an operator hands over proves no mailbox");
}
