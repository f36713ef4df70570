//! Deleting one's account, and exporting it.

use gateward_domain::mail::LetterText;
use gateward_domain::{EndReason, Origin, RoleName};

use super::addresses::ask;
use super::fakes::{PASSWORD, World, password, policy, signup};
use super::mailbox::{address, open_world, saying, texts};
use crate::{
    AuthenticateError, Caller, ChangePassword, DeleteAccountError, LoginError, NewAlgorithm,
    ReauthenticateError, SignedUp,
};

async fn delete(world: &World, caller: &Caller) -> Result<(), DeleteAccountError> {
    let shown =
        world.app.verify_deletion(caller, Some(&password(PASSWORD)), &Origin::default()).await?;
    world.app.delete_account(caller, shown, &Origin::default()).await
}

#[tokio::test]
async fn a_deleted_account_leaves_its_name_its_address_and_its_story() {
    let (world, memory) = open_world(policy()).await;
    let user = world.owner("ada", |_| ()).await;
    let pair = world.login("ada", PASSWORD).await.unwrap().pair;
    let caller = world.caller("ada").await;
    ask(&world, &caller, "new").await.unwrap();
    world.post().await;
    delete(&world, &caller).await.unwrap();

    assert!(memory.users().is_empty() && memory.links().is_empty());
    let dead = world.app.authenticate(pair.access.text.expose()).await;
    assert!(matches!(dead, Err(AuthenticateError::SessionEnded(EndReason::AccountDeleted))));
    for session in memory.sessions() {
        assert_eq!(session.ended.unwrap().reason, EndReason::AccountDeleted);
    }
    assert!(matches!(world.login("ada", PASSWORD).await, Err(LoginError::BadCredentials)));
    let letters = world.post().await;
    assert_eq!(saying(&letters, LetterText::AccountDeleted).to, user.email);
    let told = world.told(user.id).await;
    for kind in ["session_begun", "email_change_requested", "account_deleted", "sessions_ended"] {
        assert!(told.contains(&kind), "{kind}");
    }
    let again = world.app.signup(signup("ada")).await.unwrap();
    assert!(matches!(again, SignedUp::Account(new) if new.id != user.id));
}

#[tokio::test]
async fn who_gave_the_password_lately_need_not_give_it_again() {
    for (seconds, recent) in [(899, true), (900, false)] {
        let (world, memory) = open_world(policy()).await;
        world.owner("ada", |_| ()).await;
        let caller = world.caller("ada").await;
        world.clock.advance_seconds(seconds);
        assert_eq!(world.app.check_recent(&caller).is_ok(), recent);
        match world.app.verify_deletion(&caller, None, &Origin::default()).await {
            Ok(shown) => {
                assert!(recent);
                world.app.delete_account(&caller, shown, &Origin::default()).await.unwrap();
            }
            Err(DeleteAccountError::NotRecent) => assert!(!recent),
            other => panic!("{other:?}"),
        }
        assert_eq!(memory.users().is_empty(), recent);
    }
}

#[tokio::test]
async fn nobody_deletes_an_account_with_a_wrong_password_or_one_from_before() {
    let (world, memory) = open_world(policy()).await;
    world.owner("ada", |_| ()).await;
    let caller = world.caller("ada").await;
    let wrong = world
        .app
        .verify_deletion(&caller, Some(&password("wrong horse")), &Origin::default())
        .await;
    let refusal = wrong.unwrap_err();
    assert!(matches!(
        refusal,
        DeleteAccountError::Reauthenticate(ReauthenticateError::WrongPassword)
    ));
    let change = ChangePassword {
        current: password(PASSWORD),
        new: password("another horse"),
        origin: Origin::default(),
    };
    let shown = world
        .app
        .verify_deletion(&caller, Some(&password(PASSWORD)), &Origin::default())
        .await
        .unwrap();
    world.app.change_password(&caller, change).await.unwrap();
    let late = world.app.delete_account(&caller, shown, &Origin::default()).await;
    assert!(matches!(late, Err(DeleteAccountError::WrongPassword)));
    assert_eq!(memory.users().len(), 1);
    assert_eq!(texts(&world.post().await), ["password_changed"]);
}

#[tokio::test]
async fn the_last_active_administrator_stays() {
    let (world, memory) = open_world(policy()).await;
    world.app.prepare_keys(NewAlgorithm::Begins).await.unwrap();
    for name in ["first", "second", "third"] {
        world.owner(name, |user| user.roles = vec![RoleName::admin(), RoleName::user()]).await;
    }
    world.owner("ada", |_| ()).await;
    let (first, second) = (world.caller("first").await, world.caller("second").await);
    world.set_disabled("third", true).await;

    delete(&world, &first).await.unwrap();
    let refused = delete(&world, &second).await;
    assert!(matches!(refused, Err(DeleteAccountError::LastAdmin)), "a disabled one does not count");
    assert_eq!(memory.users().len(), 3);
    delete(&world, &world.caller("ada").await).await.unwrap();
    world.set_disabled("third", false).await;
    delete(&world, &second).await.unwrap();
}

#[tokio::test]
async fn an_account_deletes_itself_once() {
    let (world, memory) = open_world(policy()).await;
    world.owner("ada", |_| ()).await;
    let caller = world.caller("ada").await;
    delete(&world, &caller).await.unwrap();
    assert!(delete(&world, &caller).await.is_err());
    let events = memory.events();
    let deleted = events.iter().filter(|event| event.kind.as_str() == "account_deleted");
    assert_eq!((deleted.count(), memory.letters().len()), (1, 1));
}

#[tokio::test]
async fn an_export_holds_all_that_is_kept_of_the_account_and_nothing_of_others() {
    let (world, _) = open_world(policy()).await;
    for name in ["ada", "eve"] {
        let user = world.owner(name, |_| ()).await;
        world.login(name, PASSWORD).await.unwrap();
        let caller = world.caller(name).await;
        ask(&world, &caller, &format!("new-{name}")).await.unwrap();
        world.app.forgot_password(&user.email, &Origin::default()).await.unwrap();
    }
    world.post().await;
    let caller = world.caller("ada").await;
    let shown = world.app.check_recent(&caller).unwrap();
    let export = world.app.export(&caller, shown).await.unwrap();
    assert_eq!(export.user, *caller.user);
    assert_eq!(export.sessions.len(), 3);
    let mut purposes: Vec<_> = export.links.iter().map(|link| link.purpose.as_str()).collect();
    purposes.sort_unstable();
    assert_eq!(purposes, ["change_email", "reset_password", "undo_email"]);
    let mut kinds: Vec<_> = export.letters.iter().map(|letter| letter.kind.as_str()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["change_email", "email_change", "forgot_password"]);
    assert_eq!(export.events.len(), 4, "three sessions and the change");

    let id = caller.user.id;
    assert!(export.sessions.iter().all(|session| session.user_id == id));
    assert!(export.events.iter().all(|event| event.user_id == Some(id)));
    assert!(export.links.iter().all(|link| link.user_id() == Some(id)));
    assert!(export.letters.iter().all(|letter| letter.recipient != address("eve")));
}
