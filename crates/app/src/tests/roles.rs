//! Roles: a caller can only grant and revoke what they hold.

use gateward_domain::{EventKind, PermissionSet, Role, RoleName};

use super::admins::{
    AuditRead, RolesGrant, RolesWrite, UsersRead, UsersWrite, by, giving, lacks, role, why,
};
use super::mailbox::open_test_app;
use super::test_app::{PASSWORD, policy, test_app};
use crate::{AdminActor, Forbidden};

#[tokio::test]
async fn what_a_role_gives_changes_with_the_next_request_of_its_holders() {
    let test_app = test_app().await;
    test_app.define("support", &[UsersRead]).await;
    let token = {
        test_app.holder("sue", &["support"]).await;
        test_app.login("sue", PASSWORD).await.unwrap().pair.access.text
    };
    let given = async || test_app.app.authenticate(token.expose()).await.unwrap().user.permissions;
    assert_eq!(given().await, [UsersRead].into_iter().collect());
    test_app.define("support", &[AuditRead]).await;
    assert_eq!(given().await, [AuditRead].into_iter().collect());
    let sue = test_app.app.authenticate(token.expose()).await.unwrap().user.id;
    test_app.app.change_role(AdminActor::Operator, sue, role("support"), false).await.unwrap();
    assert_eq!(given().await, PermissionSet::EMPTY);
}

#[tokio::test]
async fn all_roles_are_listed_in_order_with_those_that_are_built_in() {
    let test_app = test_app().await;
    for name in ["zoo", "author"] {
        test_app.define(name, &[]).await;
    }
    let roles = test_app.app.list_roles().await.unwrap();
    let names: Vec<_> = roles.iter().map(|role| role.name.as_str()).collect();
    assert_eq!(names, ["admin", "author", "user", "zoo"]);
    let admin = test_app.app.find_role(&RoleName::admin()).await.unwrap().unwrap();
    assert_eq!(admin.permissions, PermissionSet::all());
    assert!(test_app.app.find_role(&role("nobody")).await.unwrap().is_none());
}

#[tokio::test]
async fn a_role_is_new_once_and_every_change_is_written_down() {
    let (test_app, memory) = open_test_app(policy()).await;
    assert!(
        test_app.app.put_role(AdminActor::Operator, giving("support", &[UsersRead])).await.unwrap()
    );
    assert!(
        !test_app
            .app
            .put_role(AdminActor::Operator, giving("support", &[AuditRead]))
            .await
            .unwrap()
    );
    test_app.app.delete_role(AdminActor::Operator, &role("support")).await.unwrap();
    let events = memory.events();
    let told: Vec<_> =
        events.iter().map(|event| (event.kind, event.detail.as_deref().unwrap())).collect();
    assert_eq!(
        told,
        [
            (EventKind::RoleDefined, "role=support permissions=users:read before="),
            (EventKind::RoleDefined, "role=support permissions=audit:read before=users:read"),
            (EventKind::RoleDeleted, "role=support"),
        ]
    );
}

#[tokio::test]
async fn built_in_roles_never_change() {
    let test_app = test_app().await;
    for role in Role::built_in() {
        let name = role.name.clone();
        assert_eq!(why(test_app.app.put_role(AdminActor::Operator, role).await), "BuiltIn");
        assert_eq!(why(test_app.app.delete_role(AdminActor::Operator, &name).await), "BuiltIn");
    }
}

#[tokio::test]
async fn a_role_that_somebody_holds_is_not_deleted_and_one_that_is_none_is_not_found() {
    let test_app = test_app().await;
    let support = test_app.define("support", &[]).await;
    let sue = test_app.holder("sue", &["support"]).await;
    assert_eq!(why(test_app.app.delete_role(AdminActor::Operator, &support).await), "RoleInUse");
    test_app.app.change_role(AdminActor::Operator, sue.id, support.clone(), false).await.unwrap();
    test_app.app.delete_role(AdminActor::Operator, &support).await.unwrap();
    assert_eq!(why(test_app.app.delete_role(AdminActor::Operator, &support).await), "NotFound");
    let gone = test_app.app.change_role(AdminActor::Operator, sue.id, support, true).await;
    assert!(why(gone).starts_with("NoSuchRole"));
}

#[tokio::test]
async fn there_are_only_so_many_roles() {
    let test_app = test_app().await;
    for number in 0..Role::MAX {
        test_app.define(&format!("role-{number}"), &[]).await;
    }
    let more = test_app.app.put_role(AdminActor::Operator, giving("more", &[])).await;
    assert_eq!(why(more), "TooManyRoles");
    test_app.define("role-7", &[UsersRead]).await;
}

#[tokio::test]
async fn b6_nobody_defines_a_role_that_gives_or_gave_more_than_they_hold() {
    let test_app = test_app().await;
    test_app.define("boss", &[RolesWrite, UsersRead]).await;
    test_app.define("auditor", &[AuditRead]).await;
    let eve = test_app.caller_with_roles("eve", &["boss"]).await;
    for (name, wanted) in [("mine", AuditRead), ("boss", UsersWrite)] {
        let refused = test_app.app.put_role(by(&eve), giving(name, &[wanted])).await;
        assert_eq!(why(refused), lacks(wanted));
    }
    let emptied = test_app.app.put_role(by(&eve), giving("auditor", &[])).await;
    assert_eq!(why(emptied), lacks(AuditRead));
    assert_eq!(why(test_app.app.delete_role(by(&eve), &role("auditor")).await), lacks(AuditRead));
    assert!(test_app.app.put_role(by(&eve), giving("reader", &[UsersRead])).await.unwrap());
}

#[tokio::test]
async fn b6_who_may_not_change_roles_changes_none() {
    let test_app = test_app().await;
    test_app.define("support", &[UsersRead, UsersWrite]).await;
    let sue = test_app.caller_with_roles("sue", &["support"]).await;
    let refused = test_app.app.put_role(by(&sue), giving("mine", &[])).await;
    assert_eq!(why(refused), lacks(RolesWrite));
    assert_eq!(why(test_app.app.delete_role(by(&sue), &role("support")).await), lacks(RolesWrite));
    let refused = test_app.app.set_user_roles(by(&sue), sue.user.id, vec![RoleName::admin()]).await;
    assert_eq!(why(refused), lacks(RolesGrant));
}

#[tokio::test]
async fn b6_nobody_gives_or_takes_a_role_that_they_do_not_hold() {
    let test_app = test_app().await;
    test_app.define("granter", &[RolesGrant, UsersRead]).await;
    test_app.define("reader", &[UsersRead]).await;
    test_app.define("auditor", &[AuditRead]).await;
    let eve = test_app.caller_with_roles("eve", &["granter"]).await;
    let ada = test_app.holder("ada", &["reader"]).await;
    let give = async |name: RoleName| test_app.app.change_role(by(&eve), ada.id, name, true).await;
    let missing = PermissionSet::all().iter().find(|one| !eve.user.permissions.contains(*one));
    assert_eq!(why(give(RoleName::admin()).await), lacks(missing.unwrap()));
    assert_eq!(why(give(role("auditor")).await), lacks(AuditRead));
    let itself = test_app.app.change_role(by(&eve), eve.user.id, role("auditor"), true).await;
    assert_eq!(why(itself), lacks(AuditRead));
    assert!(why(give(role("nothing")).await).starts_with("NoSuchRole"));
    let taken = test_app.app.change_role(by(&eve), ada.id, role("reader"), false).await;
    assert!(why(taken).starts_with("RoleNotHeld"), "though it gives what they hold");
    let given = give(role("granter")).await.unwrap();
    assert_eq!(given.roles, [role("granter"), role("reader"), RoleName::user()]);
}

#[tokio::test]
async fn everybody_holds_the_role_of_everybody() {
    let (test_app, memory) = open_test_app(policy()).await;
    let ada = test_app.owner("ada", |_| ()).await;
    let admin = test_app.caller_with_roles("grace", &["admin"]).await;
    let kept = test_app.app.set_user_roles(by(&admin), ada.id, Vec::new()).await.unwrap();
    assert_eq!(kept.roles, [RoleName::user()]);
    let told = |event: &gateward_domain::Event| event.kind == EventKind::RolesChanged;
    assert!(!memory.events().iter().any(told), "nothing has changed");
    let twice = vec![RoleName::admin(), RoleName::user(), RoleName::admin()];
    let given = test_app.app.set_user_roles(by(&admin), ada.id, twice).await.unwrap();
    assert_eq!(given.roles, [RoleName::admin(), RoleName::user()]);
    let event = memory.events().into_iter().find(told).unwrap();
    assert_eq!(event.detail.as_deref(), Some("roles=admin,user before=user"));
    assert_eq!(event.actor_session_id, Some(admin.session_id));
}

#[tokio::test]
async fn a_permission_that_a_role_gives_is_asked_of_the_account_as_it_is() {
    let test_app = test_app().await;
    test_app.define("support", &[UsersRead]).await;
    let sue = test_app.caller_with_roles("sue", &["support"]).await;
    let desk = super::admins::DESK;
    test_app.app.require(&sue, UsersRead, &desk).await.unwrap();
    assert_eq!(test_app.app.require(&sue, UsersWrite, &desk).await, Err(Forbidden(UsersWrite)));
}
