//! Promises about roles: their permissions and their holders.

use gateward_domain::ports::{Instance, Tx};
use gateward_domain::{Identifier, Permission, PermissionSet, Role, RoleName, User, UserRange};

use super::StoreFixture;
use super::fixture::{after, race};
use crate::fixtures::rotation;

/// A role with this name and these permissions.
fn role(name: &str, permissions: &[Permission]) -> Role {
    let name = RoleName::parse(name).unwrap();
    Role { name, permissions: permissions.iter().copied().collect() }
}

/// Begins a unit that may change roles.
async fn unit(fixture: &StoreFixture) -> Box<dyn Tx> {
    let mut tx = fixture.write().await;
    let proposed = Instance { issuer: "https://one.example".to_owned(), created_at: after(0) };
    tx.lock_instance(&proposed).await.unwrap();
    tx
}

/// Creates or replaces a role. Returns whether it is new.
async fn put(fixture: &StoreFixture, role: &Role) -> bool {
    let mut tx = unit(fixture).await;
    let is_new = tx.put_role(role, after(0)).await.unwrap();
    tx.commit().await.unwrap();
    is_new
}

/// Deletes a role. Returns whether it existed.
async fn delete(fixture: &StoreFixture, name: &RoleName) -> bool {
    let mut tx = unit(fixture).await;
    let was_there = tx.delete_role(name).await.unwrap();
    tx.commit().await.unwrap();
    was_there
}

/// Sets the roles of an account, at 5 seconds. Returns whether it exists.
async fn give(fixture: &StoreFixture, user: &User, roles: &[RoleName]) -> bool {
    let mut tx = unit(fixture).await;
    let is_there = tx.set_user_roles(user.id, roles, after(5)).await.unwrap();
    tx.commit().await.unwrap();
    is_there
}

async fn list(fixture: &StoreFixture) -> Vec<Role> {
    fixture.read().await.list_roles().await.unwrap()
}

/// Asserts that every method that returns an account includes the permissions of its roles.
async fn reads_give(fixture: &StoreFixture, user: &User, permissions: PermissionSet) {
    let expected = User { permissions, ..user.clone() };
    let session = fixture.session_of(user).await;
    let rotated = fixture.rotate(&rotation(&session)).await.unwrap().1;
    assert_eq!(rotated, expected, "rotate_session");
    let again = fixture.rotate(&rotation(&session)).await.unwrap().1;
    assert_eq!(again, expected, "rotate_session that repeats");
    assert_eq!(fixture.write().await.lock_user(user.id).await.unwrap().as_ref(), Some(&expected));
    let mut tx = fixture.read().await;
    assert_eq!(tx.find_user(user.id).await.unwrap().as_ref(), Some(&expected), "find_user");
    let found = tx.find_session(session.id).await.unwrap().unwrap().1;
    assert_eq!(found.as_ref(), Some(&expected), "find_session");
    for identifier in
        [Identifier::Email(user.email.clone()), Identifier::Username(user.username.clone())]
    {
        let found = tx.find_user_by_identifier(&identifier).await.unwrap();
        assert_eq!(found.as_ref(), Some(&expected), "{identifier:?}");
    }
    let range = UserRange::Username(user.username.folded());
    assert_eq!(tx.list_users(&range, None, 10).await.unwrap(), [expected], "list_users");
}

promises! {
    __promises_roles;


    async fn roles_are_listed_by_their_names_with_what_they_give(fixture: StoreFixture) {
        assert!(list(&fixture).await.is_empty(), "those that are built in are not stored");
        let mut roles = vec![
            role("s1", &[Permission::UsersRead]),
            role("s_1", &[Permission::AuditRead, Permission::RolesGrant]),
            role("auditor", Permission::ALL),
            role("s-1", &[]),
            role("s", &[Permission::UsersWrite]),
        ];
        for role in &roles {
            assert!(put(&fixture, role).await, "{role:?}");
        }
        roles.sort_by(|one, other| one.name.cmp(&other.name));
        assert_eq!(list(&fixture).await, roles);
    }

    async fn a_role_that_is_defined_anew_gives_something_else(fixture: StoreFixture) {
        let other = role("auditor", &[Permission::AuditRead]);
        assert!(put(&fixture, &other).await);
        for (permissions, is_new) in
            [(Permission::ALL, true), (&[Permission::UsersRead], false), (&[], false)]
        {
            let support = role("support", permissions);
            assert_eq!(put(&fixture, &support).await, is_new);
            assert_eq!(list(&fixture).await, [other.clone(), support]);
        }
    }

    async fn a_role_is_deleted_once(fixture: StoreFixture) {
        let (support, auditor) = (role("support", &[]), role("auditor", &[]));
        assert!(put(&fixture, &support).await && put(&fixture, &auditor).await);
        assert!(delete(&fixture, &support.name).await);
        assert!(!delete(&fixture, &support.name).await);
        assert_eq!(list(&fixture).await, [auditor]);
    }

    async fn whatever_reads_an_account_tells_what_its_roles_give(fixture: StoreFixture) {
        let support = role("support", &[Permission::UsersRead, Permission::SessionsEnd]);
        let roles = vec![support.name.clone(), RoleName::user()];
        let user = User { roles, ..fixture.stranger() };
        fixture.add_user(&user).await;
        reads_give(&fixture, &user, PermissionSet::EMPTY).await;
        put(&fixture, &support).await;
        reads_give(&fixture, &user, support.permissions).await;
        let changed = role("support", &[Permission::AuditRead]);
        put(&fixture, &changed).await;
        reads_give(&fixture, &user, changed.permissions).await;
        // The account keeps the role's name, which grants nothing until it is defined again.
        delete(&fixture, &support.name).await;
        reads_give(&fixture, &user, PermissionSet::EMPTY).await;
        put(&fixture, &support).await;
        reads_give(&fixture, &user, support.permissions).await;
    }

    async fn roles_give_together_what_each_of_them_gives(fixture: StoreFixture) {
        let support = role("support", &[Permission::UsersRead, Permission::SessionsEnd]);
        let auditor = role("auditor", &[Permission::UsersRead, Permission::AuditRead]);
        let nobodys = role("nobodys", Permission::ALL);
        for role in [&support, &auditor, &nobodys] {
            put(&fixture, role).await;
        }
        let undefined = RoleName::parse("undefined").unwrap();
        let mut roles = vec![auditor.name, support.name, undefined];
        let user = User { roles: roles.clone(), ..fixture.stranger() };
        fixture.add_user(&user).await;
        let both = support.permissions.union(auditor.permissions);
        reads_give(&fixture, &user, both).await;
        roles.insert(0, RoleName::admin());
        give(&fixture, &user, &roles).await;
        let user = User { roles, updated_at: after(5), ..user };
        reads_give(&fixture, &user, PermissionSet::all()).await;
    }

    async fn an_account_is_given_exactly_these_roles(fixture: StoreFixture) {
        let (user, other) =
            (User { email_verified: true, ..fixture.stranger() }, fixture.user().await);
        fixture.add_user(&user).await;
        let (admin, support) = (RoleName::admin(), RoleName::parse("support").unwrap());
        for (given, held) in [
            (vec![support.clone(), admin.clone()], vec![admin.clone(), support.clone()]),
            (vec![support.clone()], vec![support.clone()]),
            (vec![], vec![]),
        ] {
            assert!(give(&fixture, &user, &given).await);
            let is_admin = held.contains(&admin);
            let permissions =
                if is_admin { PermissionSet::all() } else { PermissionSet::EMPTY };
            let expected = User { roles: held, permissions, updated_at: after(5), ..user.clone() };
            assert_eq!(fixture.stored_user(&user).await, expected);
            let admins = fixture.read().await.count_users_with_role(&admin).await.unwrap();
            assert_eq!(admins, u64::from(is_admin));
        }
        assert_eq!(fixture.stored_user(&other).await, other);
        assert!(!give(&fixture, &fixture.stranger(), &[support]).await);
        assert!(!give(&fixture, &fixture.stranger(), &[]).await);
    }

    async fn a_change_of_roles_is_undone_with_its_unit(fixture: StoreFixture) {
        let (support, auditor) = (role("support", Permission::ALL), role("auditor", &[]));
        put(&fixture, &support).await;
        let roles = vec![support.name.clone()];
        let user = User { roles, permissions: support.permissions, ..fixture.stranger() };
        fixture.add_user(&user).await;
        let mut tx = unit(&fixture).await;
        assert!(tx.put_role(&auditor, after(5)).await.unwrap());
        assert!(tx.delete_role(&support.name).await.unwrap());
        let given = std::slice::from_ref(&auditor.name);
        assert!(tx.set_user_roles(user.id, given, after(5)).await.unwrap());
        assert_eq!(tx.list_roles().await.unwrap(), [auditor]);
        drop(tx);
        assert_eq!(list(&fixture).await, [support]);
        assert_eq!(fixture.stored_user(&user).await, user);
    }

    async fn administrators_who_resign_at_once_leave_one(fixture: StoreFixture) {
        let mut admins = Vec::new();
        for _ in 0..8 {
            let roles = vec![RoleName::admin()];
            let user = User { roles, email_verified: true, ..fixture.stranger() };
            fixture.add_user(&user).await;
            admins.push(user.id);
        }
        race(8, |index| {
            let (fixture, id) = (fixture.clone(), *admins.get(index).unwrap());
            async move {
                let mut tx = unit(&fixture).await;
                if tx.count_users_with_role(&RoleName::admin()).await.unwrap() > 1 {
                    assert!(tx.set_user_roles(id, &[], after(5)).await.unwrap());
                }
                tx.commit().await.unwrap();
            }
        })
        .await;
        let left = fixture.read().await.count_users_with_role(&RoleName::admin()).await.unwrap();
        assert_eq!(left, 1);
    }
}
