//! Sign-up, changes of one's account, and operator commands.

use gateward_domain::ports::{StoreError, Taken};
use gateward_domain::{
    EmailAddress, EndReason, Identifier, PasswordError, RequestInfo, RoleName, Username,
};

use gateward_testkit::fixtures;

use super::mailbox::{by_token, open_test_app, reset};
use super::test_app::{PASSWORD, password, policy, signup, test_app, test_app_with};
use crate::{
    AdminActor, AdminError, AuthenticateError, ChangePassword, ChangePasswordError, LinkProof,
    LoginError, NewAccount, OperatorError, Policy, ReauthenticateError, ResetPasswordError, Signup,
    SignupError,
};

#[tokio::test]
async fn a_new_account_has_the_rights_of_everybody_and_no_more() {
    let user = test_app().await.user("ada").await;
    assert_eq!(user.roles, [RoleName::user()]);
    assert!(!user.email_verified && !user.disabled);
}

#[tokio::test]
async fn a_refused_password_is_never_hashed() {
    let test_app = test_app().await;
    let before = test_app.hasher.hashed();
    let weak = Signup { password: password("password"), ..signup("ada") };
    let refused = test_app.app.signup(weak).await;
    assert!(matches!(refused, Err(SignupError::Password(PasswordError::Common))));
    assert_eq!(test_app.hasher.hashed(), before);
}

#[tokio::test]
async fn a_name_and_an_address_are_given_once() {
    let test_app = test_app().await;
    test_app.user("ada").await;
    let name = test_app.app.signup(signup("Ada")).await;
    assert!(matches!(name, Err(SignupError::Store(StoreError::Taken(Taken::Username)))));
    let address = Signup { username: Username::parse("eve").unwrap(), ..signup("ada") };
    let address = test_app.app.signup(address).await;
    assert!(matches!(address, Err(SignupError::Store(StoreError::Taken(Taken::Email)))));
}

#[tokio::test]
async fn nobody_signs_up_where_it_is_off() {
    let off = Policy { signup_enabled: false, ..policy() };
    let test_app =
        test_app_with(off, std::sync::Arc::new(gateward_testkit::MemoryStore::new())).await;
    assert!(matches!(test_app.app.signup(signup("ada")).await, Err(SignupError::Disabled)));
}

#[tokio::test]
async fn p8_p9_a_changed_password_ends_every_other_session() {
    let test_app = test_app().await;
    let other = test_app.logged_in("ada").await.pair;
    let own = test_app.login("ada", PASSWORD).await.unwrap().pair;
    let caller = test_app.app.authenticate(own.access.text.expose()).await.unwrap();
    let change = |current: &str, new: &str| ChangePassword {
        current: password(current),
        new: password(new),
        request_info: RequestInfo::default(),
    };
    let wrong = test_app.app.change_password(&caller, change("wrong horse", "another horse")).await;
    let refusal = wrong.unwrap_err();
    assert!(matches!(
        refusal,
        ChangePasswordError::Reauthenticate(ReauthenticateError::WrongPassword)
    ));
    test_app.app.change_password(&caller, change(PASSWORD, "another horse")).await.unwrap();

    assert!(test_app.app.authenticate(own.access.text.expose()).await.is_ok());
    let dead = test_app.app.authenticate(other.access.text.expose()).await;
    assert!(matches!(dead, Err(AuthenticateError::SessionEnded(EndReason::PasswordChanged))));
    assert!(matches!(test_app.login("ada", PASSWORD).await, Err(LoginError::InvalidCredentials)));
    assert!(test_app.login("ada", "another horse").await.is_ok());
    // A change that started before this one has verified a password that is no longer valid.
    let late = test_app.app.change_password(&caller, change(PASSWORD, "third horse")).await;
    assert!(matches!(late, Err(ChangePasswordError::WrongPassword)));
}

#[tokio::test]
async fn giving_the_password_again_is_noted_on_the_session() {
    let test_app = test_app().await;
    let pair = test_app.logged_in("ada").await.pair;
    let caller = test_app.app.authenticate(pair.access.text.expose()).await.unwrap();
    test_app.clock.advance_seconds(100);
    let request_info = RequestInfo::default();
    let wrong = test_app.app.verify_again(&caller, &password("wrong horse"), &request_info).await;
    assert!(matches!(wrong, Err(ReauthenticateError::WrongPassword)));
    let presented =
        test_app.app.verify_again(&caller, &password(PASSWORD), &request_info).await.unwrap();
    let token = test_app.app.reauthenticate(&caller, presented, &request_info).await.unwrap();
    let again = test_app.app.authenticate(token.access.text.expose()).await.unwrap();
    assert_eq!(again.auth_time, test_app.app.now());
    let left = policy().refresh_idle_seconds - 100;
    assert_eq!(token.session_expires_in, left, "nothing was refreshed");
    assert_eq!(again.session_id, caller.session_id);
    test_app.app.refresh(test_app.refresh(&pair.refresh, None)).await.unwrap();
}

#[tokio::test]
async fn a_changed_name_is_told_at_once() {
    let test_app = test_app().await;
    let pair = test_app.logged_in("ada").await.pair;
    let caller = test_app.app.authenticate(pair.access.text.expose()).await.unwrap();
    let name = Username::parse("countess").unwrap();
    let user =
        test_app.app.change_username(&caller, name.clone(), &RequestInfo::default()).await.unwrap();
    assert_eq!(user.username, name);
    let caller = test_app.app.authenticate(pair.access.text.expose()).await.unwrap();
    assert_eq!(caller.user.username, name);
}

#[tokio::test]
async fn an_operator_makes_an_administrator_whose_address_is_confirmed() {
    let test_app = test_app().await;
    let account = NewAccount {
        username: Username::parse_existing("admin").unwrap(),
        email: EmailAddress::parse("root@example.org").unwrap(),
        password: password(PASSWORD),
        admin: true,
    };
    let user = test_app.app.create_user(account).await.unwrap();
    assert!(user.email_verified);
    assert_eq!(user.roles, [RoleName::admin(), RoleName::user()]);
    assert!(test_app.login("admin", PASSWORD).await.is_ok(), "by a reserved name");
}

#[tokio::test]
async fn a_disabled_account_is_out_at_once_and_can_come_back() {
    let test_app = test_app().await;
    let pair = test_app.logged_in("ada").await.pair;
    assert!(test_app.set_disabled("ada", true).await);
    assert!(!test_app.set_disabled("ada", true).await, "it was so already");
    let dead = test_app.app.authenticate(pair.access.text.expose()).await;
    assert!(matches!(dead, Err(AuthenticateError::SessionEnded(EndReason::AccountDisabled))));
    assert!(matches!(test_app.login("ada", PASSWORD).await, Err(LoginError::Disabled(_))));
    assert!(matches!(
        test_app.login("ada", "wrong horse").await,
        Err(LoginError::InvalidCredentials)
    ));
    assert!(test_app.set_disabled("ada", false).await);
    assert!(test_app.login("ada", PASSWORD).await.is_ok());
    let dead = test_app.app.authenticate(pair.access.text.expose()).await;
    assert!(dead.is_err(), "what ended stays ended");
    let nobody = test_app.app.disable_user(AdminActor::Operator, fixtures::user(9).id).await;
    assert!(matches!(nobody, Err(AdminError::NotFound)));
}

#[tokio::test]
async fn an_operator_makes_a_link_that_takes_the_place_of_the_mailed_one() {
    let (test_app, _) = open_test_app(policy()).await;
    let user = test_app.owner("ada", |_| ()).await;
    test_app.owner("eve", |user| user.disabled = true).await;
    let make = async |name| test_app.app.make_reset_link(&Identifier::parse(name).unwrap()).await;
    assert!(matches!(make("nobody").await, Err(OperatorError::NoSuchUser)));
    assert!(matches!(make("eve").await, Err(OperatorError::Disabled)));
    let mailed = test_app.forgotten("ada").await;
    let (url, expires_at) = make("ada@example.org").await.unwrap();
    assert_eq!(expires_at.seconds_since(test_app.app.now()), 600);
    let refused = test_app.app.reset_password(reset(by_token(&mailed), "another horse")).await;
    assert!(matches!(refused, Err(ResetPasswordError::InvalidLink)));
    let (page, token) = url.split_once("#token=").unwrap();
    assert_eq!(page, "https://auth.example.org/reset-password");
    let response = reset(LinkProof::Token(token.to_owned()), "another horse");
    test_app.app.reset_password(response).await.unwrap();
    assert!(test_app.told(user.id).await.contains(&"reset_link_created"));
    let squatter = test_app.user("bob").await;
    let (url, _) = make("bob").await.unwrap();
    let handed = url.split_once("#token=").unwrap().1.to_owned();
    let response = reset(LinkProof::Token(handed), "another horse");
    test_app.app.reset_password(response).await.unwrap();
    let verified = test_app.find(squatter.id).await.unwrap().email_verified;
    assert!(!verified, "what an operator hands over proves no mailbox");
}
