//! Roles: nobody gives or takes what they do not hold.

use gateward_domain::{EventKind, PermissionSet, Role, RoleName};

use super::fakes::{policy, world};
use super::mailbox::open_world;
use super::staff::{
    AuditRead, RolesGrant, RolesWrite, UsersRead, UsersWrite, by, giving, lacks, role, why,
};
use crate::{By, Forbidden};

#[tokio::test]
async fn what_a_role_gives_changes_with_the_next_request_of_its_holders() {
    let world = world().await;
    world.define("support", &[UsersRead]).await;
    let token = {
        world.holder("sue", &["support"]).await;
        world.login("sue", super::fakes::PASSWORD).await.unwrap().pair.access.text
    };
    let given = async || world.app.authenticate(token.expose()).await.unwrap().user.permissions;
    assert_eq!(given().await, [UsersRead].into_iter().collect());
    world.define("support", &[AuditRead]).await;
    assert_eq!(given().await, [AuditRead].into_iter().collect());
    let sue = world.app.authenticate(token.expose()).await.unwrap().user.id;
    world.app.change_role(By::Operator, sue, role("support"), false).await.unwrap();
    assert_eq!(given().await, PermissionSet::EMPTY);
}

#[tokio::test]
async fn all_roles_are_listed_in_order_with_those_that_are_built_in() {
    let world = world().await;
    for name in ["zoo", "author"] {
        world.define(name, &[]).await;
    }
    let roles = world.app.list_roles().await.unwrap();
    let names: Vec<_> = roles.iter().map(|role| role.name.as_str()).collect();
    assert_eq!(names, ["admin", "author", "user", "zoo"]);
    let admin = world.app.find_role(&RoleName::admin()).await.unwrap().unwrap();
    assert_eq!(admin.permissions, PermissionSet::all());
    assert!(world.app.find_role(&role("nobody")).await.unwrap().is_none());
}

#[tokio::test]
async fn a_role_is_new_once_and_every_change_is_written_down() {
    let (world, memory) = open_world(policy()).await;
    assert!(world.app.put_role(By::Operator, giving("support", &[UsersRead])).await.unwrap());
    assert!(!world.app.put_role(By::Operator, giving("support", &[AuditRead])).await.unwrap());
    world.app.delete_role(By::Operator, &role("support")).await.unwrap();
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
    let world = world().await;
    for role in Role::built_in() {
        let name = role.name.clone();
        assert_eq!(why(world.app.put_role(By::Operator, role).await), "BuiltIn");
        assert_eq!(why(world.app.delete_role(By::Operator, &name).await), "BuiltIn");
    }
}

#[tokio::test]
async fn a_role_that_somebody_holds_is_not_deleted_and_one_that_is_none_is_not_found() {
    let world = world().await;
    let support = world.define("support", &[]).await;
    let sue = world.holder("sue", &["support"]).await;
    assert_eq!(why(world.app.delete_role(By::Operator, &support).await), "RoleInUse");
    world.app.change_role(By::Operator, sue.id, support.clone(), false).await.unwrap();
    world.app.delete_role(By::Operator, &support).await.unwrap();
    assert_eq!(why(world.app.delete_role(By::Operator, &support).await), "NotFound");
    let gone = world.app.change_role(By::Operator, sue.id, support, true).await;
    assert!(why(gone).starts_with("NoSuchRole"));
}

#[tokio::test]
async fn there_are_only_so_many_roles() {
    let world = world().await;
    for number in 0..Role::MAX {
        world.define(&format!("role-{number}"), &[]).await;
    }
    let more = world.app.put_role(By::Operator, giving("more", &[])).await;
    assert_eq!(why(more), "TooManyRoles");
    world.define("role-7", &[UsersRead]).await;
}

#[tokio::test]
async fn b6_nobody_defines_a_role_that_gives_or_gave_more_than_they_hold() {
    let world = world().await;
    world.define("boss", &[RolesWrite, UsersRead]).await;
    world.define("auditor", &[AuditRead]).await;
    let eve = world.staff("eve", &["boss"]).await;
    for (name, wanted) in [("mine", AuditRead), ("boss", UsersWrite)] {
        let refused = world.app.put_role(by(&eve), giving(name, &[wanted])).await;
        assert_eq!(why(refused), lacks(wanted));
    }
    let emptied = world.app.put_role(by(&eve), giving("auditor", &[])).await;
    assert_eq!(why(emptied), lacks(AuditRead));
    assert_eq!(why(world.app.delete_role(by(&eve), &role("auditor")).await), lacks(AuditRead));
    assert!(world.app.put_role(by(&eve), giving("reader", &[UsersRead])).await.unwrap());
}

#[tokio::test]
async fn b6_who_may_not_change_roles_changes_none() {
    let world = world().await;
    world.define("support", &[UsersRead, UsersWrite]).await;
    let sue = world.staff("sue", &["support"]).await;
    let refused = world.app.put_role(by(&sue), giving("mine", &[])).await;
    assert_eq!(why(refused), lacks(RolesWrite));
    assert_eq!(why(world.app.delete_role(by(&sue), &role("support")).await), lacks(RolesWrite));
    let refused = world.app.set_user_roles(by(&sue), sue.user.id, vec![RoleName::admin()]).await;
    assert_eq!(why(refused), lacks(RolesGrant));
}

#[tokio::test]
async fn b6_nobody_gives_or_takes_a_role_that_they_do_not_hold() {
    let world = world().await;
    world.define("granter", &[RolesGrant, UsersRead]).await;
    world.define("reader", &[UsersRead]).await;
    world.define("auditor", &[AuditRead]).await;
    let eve = world.staff("eve", &["granter"]).await;
    let ada = world.holder("ada", &["reader"]).await;
    let give = async |name: RoleName| world.app.change_role(by(&eve), ada.id, name, true).await;
    let missing = PermissionSet::all().iter().find(|one| !eve.user.permissions.contains(*one));
    assert_eq!(why(give(RoleName::admin()).await), lacks(missing.unwrap()));
    assert_eq!(why(give(role("auditor")).await), lacks(AuditRead));
    let itself = world.app.change_role(by(&eve), eve.user.id, role("auditor"), true).await;
    assert_eq!(why(itself), lacks(AuditRead));
    assert!(why(give(role("nothing")).await).starts_with("NoSuchRole"));
    let taken = world.app.change_role(by(&eve), ada.id, role("reader"), false).await;
    assert!(why(taken).starts_with("NotHeld"), "though it gives what they hold");
    let given = give(role("granter")).await.unwrap();
    assert_eq!(given.roles, [role("granter"), role("reader"), RoleName::user()]);
}

#[tokio::test]
async fn everybody_holds_the_role_of_everybody() {
    let (world, memory) = open_world(policy()).await;
    let ada = world.owner("ada", |_| ()).await;
    let admin = world.staff("grace", &["admin"]).await;
    let kept = world.app.set_user_roles(by(&admin), ada.id, Vec::new()).await.unwrap();
    assert_eq!(kept.roles, [RoleName::user()]);
    let told = |event: &gateward_domain::Event| event.kind == EventKind::RolesChanged;
    assert!(!memory.events().iter().any(told), "nothing has changed");
    let twice = vec![RoleName::admin(), RoleName::user(), RoleName::admin()];
    let given = world.app.set_user_roles(by(&admin), ada.id, twice).await.unwrap();
    assert_eq!(given.roles, [RoleName::admin(), RoleName::user()]);
    let event = memory.events().into_iter().find(told).unwrap();
    assert_eq!(event.detail.as_deref(), Some("roles=admin,user before=user"));
    assert_eq!(event.actor_session_id, Some(admin.session_id));
}

#[tokio::test]
async fn a_permission_that_a_role_gives_is_asked_of_the_account_as_it_is() {
    let world = world().await;
    world.define("support", &[UsersRead]).await;
    let sue = world.staff("sue", &["support"]).await;
    let desk = super::staff::DESK;
    world.app.require(&sue, UsersRead, &desk).await.unwrap();
    assert_eq!(world.app.require(&sue, UsersWrite, &desk).await, Err(Forbidden(UsersWrite)));
}
