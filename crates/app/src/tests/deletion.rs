//! Deletion and export of one's account.

use gateward_domain::email::EmailTemplate;
use gateward_domain::{EndReason, EventKind, RequestInfo, RoleName, Username};

use super::admins::by;
use super::mailbox::{address, open_test_app, saying, texts};
use super::test_app::{PASSWORD, TestApp, password, policy, signup};
use crate::{
    AuthenticateError, Caller, ChangePassword, DeleteAccountError, LoginError, NewAlgorithm,
    ReauthenticateError, SignedUp,
};

async fn delete(test_app: &TestApp, caller: &Caller) -> Result<(), DeleteAccountError> {
    let presented = test_app
        .app
        .verify_deletion(caller, Some(&password(PASSWORD)), &RequestInfo::default())
        .await?;
    test_app.app.delete_account(caller, presented, &RequestInfo::default()).await
}

#[tokio::test]
async fn a_deleted_account_leaves_its_name_its_address_and_its_timeline() {
    let (test_app, memory) = open_test_app(policy()).await;
    let user = test_app.owner("ada", |_| ()).await;
    let pair = test_app.login("ada", PASSWORD).await.unwrap().pair;
    let caller = test_app.caller("ada").await;
    test_app.request_email_change(&caller, "new").await.unwrap();
    test_app.post().await;
    delete(&test_app, &caller).await.unwrap();

    assert!(memory.users().is_empty() && memory.links().is_empty());
    let dead = test_app.app.authenticate(pair.access.text.expose()).await;
    assert!(matches!(dead, Err(AuthenticateError::SessionEnded(EndReason::AccountDeleted))));
    for session in memory.sessions() {
        assert_eq!(session.ended.unwrap().reason, EndReason::AccountDeleted);
    }
    assert!(matches!(test_app.login("ada", PASSWORD).await, Err(LoginError::InvalidCredentials)));
    let emails = test_app.post().await;
    assert_eq!(saying(&emails, EmailTemplate::AccountDeleted).to, user.email);
    let told = test_app.told(user.id).await;
    for kind in ["session_started", "email_change_requested", "account_deleted", "sessions_ended"] {
        assert!(told.contains(&kind), "{kind}");
    }
    let again = test_app.app.signup(signup("ada")).await.unwrap();
    assert!(matches!(again, SignedUp::Account(new) if new.id != user.id));
}

/// An undo link makes its recipient a person concerned.
#[tokio::test]
async fn a_deletion_is_told_to_the_former_address_as_well() {
    let (test_app, _) = open_test_app(policy()).await;
    let user = test_app.owner("ada", |_| ()).await;
    let caller = test_app.caller("ada").await;
    test_app.change_email(&caller, "new").await;
    test_app.post().await;
    delete(&test_app, &test_app.caller("ada").await).await.unwrap();
    let emails = test_app.post().await;
    assert_eq!(texts(&emails), ["account_deleted"; 2]);
    let mut told: Vec<_> = emails.into_iter().map(|message| message.to).collect();
    told.sort();
    assert_eq!(told, [user.email, address("new")]);
}

#[tokio::test]
async fn who_gave_the_password_lately_need_not_give_it_again() {
    for (seconds, recent) in [(899, true), (900, false)] {
        let (test_app, memory) = open_test_app(policy()).await;
        test_app.owner("ada", |_| ()).await;
        let caller = test_app.caller("ada").await;
        test_app.clock.advance_seconds(seconds);
        assert_eq!(test_app.app.check_recent(&caller).is_ok(), recent);
        match test_app.app.verify_deletion(&caller, None, &RequestInfo::default()).await {
            Ok(presented) => {
                assert!(recent);
                test_app
                    .app
                    .delete_account(&caller, presented, &RequestInfo::default())
                    .await
                    .unwrap();
            }
            Err(DeleteAccountError::NotRecent) => assert!(!recent),
            other => panic!("{other:?}"),
        }
        assert_eq!(memory.users().is_empty(), recent);
    }
}

#[tokio::test]
async fn nobody_deletes_an_account_with_a_wrong_password_or_one_from_before() {
    let (test_app, memory) = open_test_app(policy()).await;
    test_app.owner("ada", |_| ()).await;
    let caller = test_app.caller("ada").await;
    let wrong = test_app
        .app
        .verify_deletion(&caller, Some(&password("wrong horse")), &RequestInfo::default())
        .await;
    let refusal = wrong.unwrap_err();
    assert!(matches!(
        refusal,
        DeleteAccountError::Reauthenticate(ReauthenticateError::WrongPassword)
    ));
    let change = ChangePassword {
        current: password(PASSWORD),
        new: password("another horse"),
        request_info: RequestInfo::default(),
    };
    let presented = test_app
        .app
        .verify_deletion(&caller, Some(&password(PASSWORD)), &RequestInfo::default())
        .await
        .unwrap();
    test_app.app.change_password(&caller, change).await.unwrap();
    let late = test_app.app.delete_account(&caller, presented, &RequestInfo::default()).await;
    assert!(matches!(late, Err(DeleteAccountError::WrongPassword)));
    assert_eq!(memory.users().len(), 1);
    assert_eq!(texts(&test_app.post().await), ["password_changed"]);
}

#[tokio::test]
async fn the_last_active_administrator_stays() {
    let (test_app, memory) = open_test_app(policy()).await;
    test_app.app.prepare_keys(NewAlgorithm::Begins).await.unwrap();
    for name in ["first", "second", "third"] {
        test_app.owner(name, |user| user.roles = vec![RoleName::admin(), RoleName::user()]).await;
    }
    test_app.owner("ada", |_| ()).await;
    let (first, second) = (test_app.caller("first").await, test_app.caller("second").await);
    test_app.set_disabled("third", true).await;

    delete(&test_app, &first).await.unwrap();
    let refused = delete(&test_app, &second).await;
    assert!(matches!(refused, Err(DeleteAccountError::LastAdmin)), "a disabled one does not count");
    assert_eq!(memory.users().len(), 3);
    delete(&test_app, &test_app.caller("ada").await).await.unwrap();
    test_app.set_disabled("third", false).await;
    delete(&test_app, &second).await.unwrap();
}

#[tokio::test]
async fn an_account_deletes_itself_once() {
    let (test_app, memory) = open_test_app(policy()).await;
    test_app.owner("ada", |_| ()).await;
    let caller = test_app.caller("ada").await;
    delete(&test_app, &caller).await.unwrap();
    assert!(delete(&test_app, &caller).await.is_err());
    let events = memory.events();
    let deleted = events.iter().filter(|event| event.kind.as_str() == "account_deleted");
    assert_eq!((deleted.count(), memory.outbox_emails().len()), (1, 1));
}

#[tokio::test]
async fn an_export_holds_all_that_is_kept_of_the_account_and_nothing_of_others() {
    let (test_app, memory) = open_test_app(policy()).await;
    for name in ["ada", "eve"] {
        let user = test_app.owner(name, |_| ()).await;
        test_app.login(name, PASSWORD).await.unwrap();
        let caller = test_app.caller(name).await;
        test_app.request_email_change(&caller, &format!("new-{name}")).await.unwrap();
        test_app.app.forgot_password(&user.email, &RequestInfo::default()).await.unwrap();
    }
    let admin = test_app.caller_with_roles("grace", &["admin"]).await;
    let ada = memory.users().into_iter().find(|user| user.email == address("ada")).unwrap();
    let name = Username::parse("countess").unwrap();
    test_app.app.rename_user(by(&admin), ada.id, name).await.unwrap();
    test_app.post().await;
    let caller = test_app.caller("countess").await;
    let mut tx = test_app.store.begin(gateward_domain::ports::Access::SingleWrite).await.unwrap();
    let number = tx.assign_user_number(caller.user.id).await.unwrap();
    let presented = test_app.app.check_recent(&caller).unwrap();
    let export = test_app.app.export(&caller, presented).await.unwrap();
    assert_eq!((&export.user, export.number), (&*caller.user, number));
    assert_eq!(export.sessions.len(), 3);
    let mut purposes: Vec<_> = export.links.iter().map(|link| link.purpose.as_str()).collect();
    purposes.sort_unstable();
    assert_eq!(purposes, ["change_email", "reset_password", "undo_email"]);
    let mut kinds: Vec<_> = export.emails.iter().map(|message| message.kind.as_str()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["change_email", "email_change", "forgot_password", "username_changed"]);
    assert_eq!(export.events.len(), 5, "a new name, three sessions and the change");
    let renamed = export.events.iter().find(|event| event.kind == EventKind::UsernameChanged);
    assert_eq!(renamed.unwrap().ip, None, "the address of another person");

    let id = caller.user.id;
    assert!(export.sessions.iter().all(|session| session.user_id == id));
    assert!(export.events.iter().all(|event| event.user_id == Some(id)));
    assert!(export.links.iter().all(|link| link.user_id() == Some(id)));
    assert!(export.emails.iter().all(|message| message.recipient != address("eve")));
}
