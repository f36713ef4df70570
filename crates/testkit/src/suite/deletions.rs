//! Promises about accounts that are deleted: what goes, what stays, and who is left.

use gateward_domain::link::LinkPurpose;
use gateward_domain::mail::QueuedLetter;
use gateward_domain::{EventKind, Identifier, PermissionSet, RoleName, User};

use super::Stage;
use super::stage::{after, race};
use crate::fixtures;

/// Deletes an account.
async fn delete(stage: &Stage, user: &User) -> bool {
    stage.single().await.delete_user(user.id).await.unwrap()
}

/// How many hold the role.
async fn holders(stage: &Stage, role: &RoleName) -> u64 {
    stage.read().await.count_users_with_role(role).await.unwrap()
}

promises! {
    __promises_deletions;


    async fn a_deleted_account_is_gone(stage: Stage) {
        let (user, other) = (stage.user().await, stage.user().await);
        assert!(delete(&stage, &user).await);
        assert_eq!(stage.read().await.find_user(user.id).await.unwrap(), None);
        for identifier in
            [Identifier::Email(user.email.clone()), Identifier::Username(user.username.clone())]
        {
            let found = stage.read().await.find_user_by_identifier(&identifier).await.unwrap();
            assert_eq!(found, None, "{identifier:?}");
        }
        let owner = stage.read().await.find_email_owner(&user.email, after(5)).await.unwrap();
        assert_eq!(owner, None);
        assert_eq!(stage.stored_user(&other).await, other);
    }

    async fn an_account_is_deleted_once(stage: Stage) {
        let user = stage.user().await;
        assert!(!delete(&stage, &stage.stranger()).await);
        let deleted = race(8, |_| {
            let (stage, user) = (stage.clone(), user.clone());
            async move { delete(&stage, &user).await }
        })
        .await;
        assert_eq!(deleted.iter().filter(|deleted| **deleted).count(), 1);
        assert!(!delete(&stage, &user).await);
    }

    async fn name_address_and_roles_of_a_deleted_account_are_free(stage: Stage) {
        let roles = vec![RoleName::admin(), RoleName::user()];
        let permissions = PermissionSet::all();
        let user = User { roles, permissions, ..stage.stranger() };
        stage.add_user(&user).await;
        assert!(delete(&stage, &user).await);
        // The same identifier shows that no role is left behind.
        let again = User { roles: Vec::new(), permissions: PermissionSet::EMPTY, ..user };
        stage.add_user(&again).await;
        assert_eq!(stage.stored_user(&again).await, again);
    }

    async fn the_links_about_a_deleted_account_go_with_it(stage: Stage) {
        let (user, other) = (stage.user().await, stage.user().await);
        let signup = stage.signup();
        stage.add_signup(&signup).await;
        let mut gone = Vec::new();
        for purpose in fixtures::account_purposes() {
            gone.push(stage.link(purpose, &user));
        }
        let stay = [
            stage.link(LinkPurpose::ResetPassword, &other),
            fixtures::signup_link(stage.seed(), &signup),
        ];
        for link in gone.iter().chain(&stay) {
            stage.put_link(link).await;
        }
        assert!(delete(&stage, &user).await);
        for link in gone {
            assert_eq!(stage.stored_link(link.id).await, None, "{:?}", link.purpose);
            let mut tx = stage.read().await;
            assert_eq!(tx.find_link_by_secret(&link.secret).await.unwrap(), None);
        }
        for link in stay {
            assert_eq!(stage.stored_link(link.id).await, Some(link));
        }
    }

    async fn sessions_events_and_letters_outlive_their_account(stage: Stage) {
        let user = stage.user().await;
        let session = stage.session_of(&user).await;
        let event = fixtures::event(stage.seed(), EventKind::AccountDeleted, &session);
        let letter = QueuedLetter { user_id: Some(user.id), ..stage.letter() };
        let mut tx = stage.write().await;
        tx.lock_user(user.id).await.unwrap();
        tx.insert_event(&event).await.unwrap();
        assert!(tx.insert_letter(&letter).await.unwrap());
        assert!(tx.delete_user(user.id).await.unwrap());
        tx.commit().await.unwrap();
        let found = stage.read().await.find_session(session.id).await.unwrap();
        assert_eq!(found, Some((session, None)));
        let events = stage.read().await.list_user_events(user.id, None, 10).await.unwrap();
        assert_eq!(events, [event]);
        assert_eq!(stage.stored_letter(letter.id).await, letter);
    }

    async fn no_session_of_a_deleted_account_is_rotated(stage: Stage) {
        let user = stage.user().await;
        let session = stage.session_of(&user).await;
        assert!(delete(&stage, &user).await);
        assert_eq!(stage.rotate(&fixtures::rotation(&session)).await, None);
        assert_eq!(stage.stored_session(session.id).await, session);
    }

    async fn a_deletion_is_undone_with_its_unit(stage: Stage) {
        let user = stage.user().await;
        let link = stage.link(LinkPurpose::ResetPassword, &user);
        stage.put_link(&link).await;
        let mut tx = stage.write().await;
        assert!(tx.delete_user(user.id).await.unwrap());
        assert_eq!(tx.find_user(user.id).await.unwrap(), None);
        drop(tx);
        assert_eq!(stage.stored_user(&user).await, user, "roles and all");
        assert_eq!(stage.stored_link(link.id).await, Some(link));
    }

    async fn those_who_hold_a_role_and_could_log_in_are_counted(stage: Stage) {
        let (admin, user) = (RoleName::admin(), RoleName::user());
        assert_eq!(holders(&stage, &admin).await, 0);
        let both = vec![admin.clone(), user.clone()];
        let proved = || User { email_verified: true, ..stage.stranger() };
        let one = User { roles: both.clone(), ..proved() };
        let two = User { roles: vec![admin.clone()], ..proved() };
        let invited = User { roles: both.clone(), ..stage.stranger() };
        let shut = User { roles: both, disabled: true, ..proved() };
        for account in [&one, &two, &invited, &shut, &proved()] {
            stage.add_user(account).await;
        }
        assert_eq!(holders(&stage, &admin).await, 2);
        assert_eq!(holders(&stage, &user).await, 2);
        stage.single().await.set_user_disabled(one.id, true, after(5)).await.unwrap();
        assert_eq!(holders(&stage, &admin).await, 1);
        stage.single().await.set_user_disabled(shut.id, false, after(5)).await.unwrap();
        assert_eq!(holders(&stage, &admin).await, 2);
        assert!(delete(&stage, &two).await);
        assert_eq!(holders(&stage, &admin).await, 1);
        let nobodys = RoleName::parse("nobodys").unwrap();
        assert_eq!(holders(&stage, &nobodys).await, 0);
    }
}
