//! Promises about deleted accounts: what is deleted, what remains, and who is left.

use gateward_domain::email::OutboxEmail;
use gateward_domain::link::LinkPurpose;
use gateward_domain::{EventKind, Identifier, PermissionSet, RoleName, User};

use super::StoreFixture;
use super::fixture::{after, race};
use crate::fixtures;

async fn delete(fixture: &StoreFixture, user: &User) -> bool {
    fixture.single().await.delete_user(user.id).await.unwrap()
}

/// Returns the number of holders of the role.
async fn holders(fixture: &StoreFixture, role: &RoleName) -> u64 {
    fixture.read().await.count_users_with_role(role).await.unwrap()
}

promises! {
    __promises_deletions;


    async fn a_deleted_account_is_gone(fixture: StoreFixture) {
        let (user, other) = (fixture.user().await, fixture.user().await);
        assert!(delete(&fixture, &user).await);
        assert_eq!(fixture.read().await.find_user(user.id).await.unwrap(), None);
        for identifier in
            [Identifier::Email(user.email.clone()), Identifier::Username(user.username.clone())]
        {
            let found = fixture.read().await.find_user_by_identifier(&identifier).await.unwrap();
            assert_eq!(found, None, "{identifier:?}");
        }
        let owner = fixture.read().await.find_email_owner(&user.email, after(5)).await.unwrap();
        assert_eq!(owner, None);
        assert_eq!(fixture.stored_user(&other).await, other);
    }

    async fn an_account_is_deleted_once(fixture: StoreFixture) {
        let user = fixture.user().await;
        assert!(!delete(&fixture, &fixture.stranger()).await);
        let deleted = race(8, |_| {
            let (fixture, user) = (fixture.clone(), user.clone());
            async move { delete(&fixture, &user).await }
        })
        .await;
        assert_eq!(deleted.iter().filter(|deleted| **deleted).count(), 1);
        assert!(!delete(&fixture, &user).await);
    }

    async fn name_address_and_roles_of_a_deleted_account_are_free(fixture: StoreFixture) {
        let roles = vec![RoleName::admin(), RoleName::user()];
        let permissions = PermissionSet::all();
        let user = User { roles, permissions, ..fixture.stranger() };
        fixture.add_user(&user).await;
        assert!(delete(&fixture, &user).await);
        // The same identifier shows that no role is left behind.
        let again = User { roles: Vec::new(), permissions: PermissionSet::EMPTY, ..user };
        fixture.add_user(&again).await;
        assert_eq!(fixture.stored_user(&again).await, again);
    }

    async fn the_links_about_a_deleted_account_go_with_it(fixture: StoreFixture) {
        let (user, other) = (fixture.user().await, fixture.user().await);
        let signup = fixture.signup();
        fixture.add_signup(&signup).await;
        let mut gone = Vec::new();
        for purpose in fixtures::account_purposes() {
            gone.push(fixture.link(purpose, &user));
        }
        let stay = [
            fixture.link(LinkPurpose::ResetPassword, &other),
            fixtures::signup_link(fixture.seed(), &signup),
        ];
        for link in gone.iter().chain(&stay) {
            fixture.put_link(link).await;
        }
        assert!(delete(&fixture, &user).await);
        for link in gone {
            assert_eq!(fixture.stored_link(link.id).await, None, "{:?}", link.purpose);
            let mut tx = fixture.read().await;
            assert_eq!(tx.find_link_by_secret(&link.secret).await.unwrap(), None);
        }
        for link in stay {
            assert_eq!(fixture.stored_link(link.id).await, Some(link));
        }
    }

    async fn sessions_events_and_emails_outlive_their_account(fixture: StoreFixture) {
        let user = fixture.user().await;
        let session = fixture.session_of(&user).await;
        let event = fixtures::event(fixture.seed(), EventKind::AccountDeleted, &session);
        let message = OutboxEmail { user_id: Some(user.id), ..fixture.email() };
        let mut tx = fixture.write().await;
        tx.lock_user(user.id).await.unwrap();
        tx.insert_event(&event).await.unwrap();
        assert!(tx.insert_outbox_email(&message).await.unwrap());
        assert!(tx.delete_user(user.id).await.unwrap());
        tx.commit().await.unwrap();
        let found = fixture.read().await.find_session(session.id).await.unwrap();
        assert_eq!(found, Some((session, None)));
        let events = fixture.read().await.list_user_events(user.id, None, 10).await.unwrap();
        assert_eq!(events, [event]);
        assert_eq!(fixture.stored_email(message.id).await, message);
    }

    async fn no_session_of_a_deleted_account_is_rotated(fixture: StoreFixture) {
        let user = fixture.user().await;
        let session = fixture.session_of(&user).await;
        assert!(delete(&fixture, &user).await);
        assert_eq!(fixture.rotate(&fixtures::rotation(&session)).await, None);
        assert_eq!(fixture.stored_session(session.id).await, session);
    }

    async fn a_deletion_is_undone_with_its_unit(fixture: StoreFixture) {
        let user = fixture.user().await;
        let link = fixture.link(LinkPurpose::ResetPassword, &user);
        fixture.put_link(&link).await;
        let mut tx = fixture.write().await;
        assert!(tx.delete_user(user.id).await.unwrap());
        assert_eq!(tx.find_user(user.id).await.unwrap(), None);
        drop(tx);
        assert_eq!(fixture.stored_user(&user).await, user, "roles and all");
        assert_eq!(fixture.stored_link(link.id).await, Some(link));
    }

    async fn those_who_hold_a_role_and_could_log_in_are_counted(fixture: StoreFixture) {
        let (admin, user) = (RoleName::admin(), RoleName::user());
        assert_eq!(holders(&fixture, &admin).await, 0);
        let both = vec![admin.clone(), user.clone()];
        let proved = || User { email_verified: true, ..fixture.stranger() };
        let one = User { roles: both.clone(), ..proved() };
        let two = User { roles: vec![admin.clone()], ..proved() };
        let invited = User { roles: both.clone(), ..fixture.stranger() };
        let shut = User { roles: both, disabled: true, ..proved() };
        for account in [&one, &two, &invited, &shut, &proved()] {
            fixture.add_user(account).await;
        }
        assert_eq!(holders(&fixture, &admin).await, 2);
        assert_eq!(holders(&fixture, &user).await, 2);
        fixture.single().await.set_user_disabled(one.id, true, after(5)).await.unwrap();
        assert_eq!(holders(&fixture, &admin).await, 1);
        fixture.single().await.set_user_disabled(shut.id, false, after(5)).await.unwrap();
        assert_eq!(holders(&fixture, &admin).await, 2);
        assert!(delete(&fixture, &two).await);
        assert_eq!(holders(&fixture, &admin).await, 1);
        let nobodys = RoleName::parse("nobodys").unwrap();
        assert_eq!(holders(&fixture, &nobodys).await, 0);
    }
}
