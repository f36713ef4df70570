//! Administering accounts: who may do what to whom.

use gateward_domain::mail::LetterText;
use gateward_domain::{EndReason, EventKind, RoleName, User, UserId, Username};
use gateward_testkit::MemoryStore;

use super::fakes::{PASSWORD, World, policy, world};
use super::mailbox::{by_token, open_world, reset, saying};
use super::staff::{
    DESK, RolesGrant, RolesWrite, SessionsEnd, UsersRead, UsersWrite, by, giving, lacks, role, why,
};
use crate::{AdminError, AuthenticateError, By, Caller, Invitation, LoginError};

/// Everything that is done to an account by whoever administers; what comes of each.
async fn every_act(world: &World, by: By<'_>, id: UserId) -> Vec<(&'static str, String)> {
    let app = &world.app;
    let said = |done: Result<(), AdminError>| match done {
        Ok(()) => "done".to_owned(),
        Err(error) => format!("{error:?}"),
    };
    let name = Username::parse("another").unwrap();
    let invitation = Invitation {
        username: Username::parse("guest").unwrap(),
        email: super::mailbox::address("guest"),
        roles: vec![role("support")],
    };
    let session_id = gateward_domain::SessionId::before_all_at(app.now());
    vec![
        ("rename", said(app.rename_user(by, id, name).await.map(drop))),
        ("reset", said(app.start_reset(by, id).await)),
        ("grant", said(app.change_role(by, id, role("support"), true).await.map(drop))),
        ("end all", said(app.end_sessions_of(by, id).await.map(drop))),
        ("end one", said(app.end_session_of(by, id, session_id).await)),
        ("disable", said(app.disable_user(by, id).await.map(drop))),
        ("enable", said(app.enable_user(by, id).await.map(drop))),
        ("delete", said(app.delete_user(by, id).await.map(drop))),
        ("invite", said(app.invite_user(by, invitation).await.map(drop))),
        ("define", said(app.put_role(by, giving("new", &[])).await.map(drop))),
        ("undefine", said(app.delete_role(by, &role("new")).await)),
    ]
}

/// What each act wants; what wants the password to be fresh comes with `true`.
fn wanted(act: &str) -> (gateward_domain::Permission, bool) {
    match act {
        "rename" | "reset" | "enable" => (UsersWrite, false),
        // The invitation is to a role beyond `user`.
        "disable" | "delete" | "invite" => (UsersWrite, true),
        "end all" | "end one" => (SessionsEnd, true),
        "grant" => (RolesGrant, true),
        _ => (RolesWrite, true),
    }
}

async fn scene() -> (World, MemoryStore, User) {
    let (world, memory) = open_world(policy()).await;
    world.define("support", &[UsersRead]).await;
    let ada = world.owner("ada", |_| ()).await;
    (world, memory, ada)
}

/// What is kept of accounts, their sessions and what is told of them, but for refusals.
fn state(memory: &MemoryStore) -> String {
    let (users, sessions) = (memory.users(), memory.sessions());
    let mut events = memory.events();
    events.retain(|event| event.kind != EventKind::AccessDenied);
    format!("{users:?} {sessions:?} {events:?} {:?}", memory.letters())
}

#[tokio::test]
async fn b6_who_holds_no_permission_administers_nothing() {
    let (world, memory, ada) = scene().await;
    let eve = world.staff("eve", &[]).await;
    let before = state(&memory);
    for id in [ada.id, eve.user.id, gateward_testkit::fixtures::user(99).id] {
        for (act, said) in every_act(&world, by(&eve), id).await {
            assert_eq!(said, lacks(wanted(act).0), "{act}");
        }
    }
    assert_eq!(state(&memory), before);
}

#[tokio::test]
async fn what_a_rule_refuses_is_written_down() {
    let (world, memory, ada) = scene().await;
    let grace = world.staff("grace", &["admin"]).await;
    let eve = world.staff("eve", &[]).await;
    world.app.disable_user(by(&eve), ada.id).await.unwrap_err();
    world.app.disable_user(by(&grace), grace.user.id).await.unwrap_err();
    world.app.disable_user(By::Operator, grace.user.id).await.unwrap_err();
    world.app.disable_user(by(&grace), nobody()).await.unwrap_err();
    let events = memory.events();
    let denied = events.iter().filter(|event| event.kind == EventKind::AccessDenied);
    let told: Vec<_> =
        denied.map(|event| (event.actor_session_id, event.detail.as_deref().unwrap())).collect();
    let expected = [(&eve, "users:write"), (&grace, "last administrator")];
    assert_eq!(told, expected.map(|(who, what)| (Some(who.session_id), what)));
}

#[tokio::test]
async fn b6_nobody_acts_on_an_account_that_may_do_more() {
    let (world, _, ada) = scene().await;
    world.define("staff", &[RolesGrant, SessionsEnd, UsersRead, UsersWrite]).await;
    world.define("writer", &[RolesWrite]).await;
    world.app.change_role(By::Operator, ada.id, role("writer"), true).await.unwrap();
    let eve = world.staff("eve", &["staff", "support"]).await;
    for (act, said) in every_act(&world, by(&eve), ada.id).await {
        if !["invite", "define", "undefine"].contains(&act) {
            assert_eq!(said, lacks(RolesWrite), "{act}");
        }
    }
    world.app.change_role(By::Operator, ada.id, role("writer"), false).await.unwrap();
    for (act, said) in every_act(&world, by(&eve), ada.id).await {
        let expected = match act {
            "end one" => "NotFound".to_owned(),
            "invite" => "Store(Taken(Username))".to_owned(),
            "define" | "undefine" => lacks(RolesWrite),
            _ => "done".to_owned(),
        };
        assert_eq!(said, expected, "{act}");
    }
}

#[tokio::test]
async fn b10_what_cannot_be_taken_back_wants_the_password_to_be_fresh() {
    let (world, _, ada) = scene().await;
    let admin = world.staff("grace", &["admin"]).await;
    world.outlast_password();
    for (act, said) in every_act(&world, by(&admin), ada.id).await {
        let expected = if wanted(act).1 { "NotRecent(NotRecent)" } else { "done" };
        assert_eq!(said, expected, "{act}");
    }
}

#[tokio::test]
async fn an_administrator_does_everything_and_an_operator_too() {
    for operator in [false, true] {
        let (world, memory, ada) = scene().await;
        let admin = world.staff("grace", &["admin"]).await;
        let by = if operator { By::Operator } else { by(&admin) };
        for (act, said) in every_act(&world, by, ada.id).await {
            assert_eq!(said, if act == "end one" { "NotFound" } else { "done" }, "{act}");
        }
        let events = memory.events();
        let told = events.iter().find(|event| event.kind == EventKind::AccountDisabled).unwrap();
        let session = (!operator).then_some(admin.session_id);
        assert_eq!((told.user_id, told.actor_session_id), (Some(ada.id), session));
        assert_eq!(told.ip, if operator { None } else { DESK.ip });
    }
}

/// Row B5 in part: what a node knew a moment ago counts for nothing.
#[tokio::test]
async fn b5_who_was_demoted_disabled_or_logged_out_a_moment_ago_does_nothing() {
    for way in ["demoted", "disabled", "logged out"] {
        let (world, memory, ada) = scene().await;
        world.holder("rosa", &["admin"]).await;
        let grace = world.staff("grace", &["admin"]).await;
        match way {
            "demoted" => {
                let id = grace.user.id;
                world.app.set_user_roles(By::Operator, id, Vec::new()).await.unwrap();
            }
            "disabled" => {
                world.set_disabled("grace", true).await;
            }
            _ => world.app.logout_all(&grace, false, &DESK).await.unwrap(),
        }
        let before = state(&memory);
        for (act, said) in every_act(&world, by(&grace), ada.id).await {
            assert_eq!(said, lacks(wanted(act).0), "{act}");
        }
        assert_eq!(state(&memory), before);
    }
}

fn active_admins(memory: &MemoryStore) -> usize {
    let is_one = |user: &&User| !user.disabled && user.roles.contains(&RoleName::admin());
    memory.users().iter().filter(is_one).count()
}

#[tokio::test]
async fn inv9_the_last_active_administrator_stays_whoever_asks() {
    let (world, memory, _) = scene().await;
    let grace = world.staff("grace", &["admin"]).await;
    world
        .owner("idle", |user| {
            user.roles = vec![RoleName::admin(), RoleName::user()];
            user.disabled = true;
        })
        .await;
    for by in [By::Operator, by(&grace)] {
        let id = grace.user.id;
        assert_eq!(why(world.app.disable_user(by, id).await), "LastAdmin");
        assert_eq!(why(world.app.delete_user(by, id).await), "LastAdmin");
        assert_eq!(why(world.app.set_user_roles(by, id, Vec::new()).await), "LastAdmin");
        let demoted = world.app.change_role(by, id, RoleName::admin(), false).await;
        assert_eq!(why(demoted), "LastAdmin");
    }
    assert_eq!(active_admins(&memory), 1);
    world.set_disabled("idle", false).await;
    world.app.delete_user(by(&grace), grace.user.id).await.unwrap();
    assert_eq!(active_admins(&memory), 1);
}

#[tokio::test]
async fn inv9_who_was_invited_to_administer_counts_once_the_invitation_is_accepted() {
    let (world, memory, _) = scene().await;
    let grace = world.staff("grace", &["admin"]).await;
    let guest = Invitation {
        username: Username::parse("guest").unwrap(),
        email: super::mailbox::address("guest"),
        roles: vec![RoleName::admin()],
    };
    let guest = world.app.invite_user(by(&grace), guest).await.unwrap();
    assert_eq!(why(world.app.delete_user(by(&grace), grace.user.id).await), "LastAdmin");
    world.app.delete_user(by(&grace), guest.id).await.unwrap();
    assert_eq!(active_admins(&memory), 1, "who invited is still there");
}

/// In one way or another, an administrator takes the rights of another one.
async fn oust(world: &World, way: u32, by: By<'_>, id: UserId) -> Result<(), AdminError> {
    match way {
        0 => world.app.change_role(by, id, RoleName::admin(), false).await.map(drop),
        1 => world.app.disable_user(by, id).await.map(drop),
        _ => world.app.delete_user(by, id).await.map(drop),
    }
}

#[tokio::test]
async fn inv9_of_two_administrators_who_oust_each_other_one_stays() {
    for (one, other) in [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2)] {
        let (world, memory, _) = scene().await;
        let ada = world.staff("anna", &["admin"]).await;
        let grace = world.staff("grace", &["admin"]).await;
        let first = oust(&world, one, by(&ada), grace.user.id);
        let second = oust(&world, other, by(&grace), ada.user.id);
        let (first, second) = tokio::join!(first, second);
        assert!(first.is_ok() != second.is_ok(), "{one} {other}: {first:?} {second:?}");
        assert_eq!(active_admins(&memory), 1, "{one} {other}");
    }
}

#[tokio::test]
async fn inv9_of_two_administrators_who_both_leave_one_stays() {
    let (world, memory, _) = scene().await;
    let (anna, grace) =
        (world.staff("anna", &["admin"]).await, world.staff("grace", &["admin"]).await);
    let leave = async |caller: &Caller| {
        let shown = world.app.check_recent(caller).unwrap();
        world.app.delete_account(caller, shown, &DESK).await.is_ok()
    };
    let left = tokio::join!(leave(&anna), leave(&grace));
    assert!(left.0 != left.1);
    assert_eq!(active_admins(&memory), 1);
}

#[tokio::test]
async fn s5_a_disabled_account_is_out_at_once() {
    let (world, _, ada) = scene().await;
    let pair = world.login("ada", PASSWORD).await.unwrap().pair;
    let admin = world.staff("grace", &["admin"]).await;
    let (user, changed) = world.app.disable_user(by(&admin), ada.id).await.unwrap();
    assert!(user.disabled && changed);
    let dead = world.app.authenticate(pair.access.text.expose()).await;
    assert!(matches!(dead, Err(AuthenticateError::SessionEnded(EndReason::AccountDisabled))));
    assert!(world.app.refresh(world.refresh(&pair.refresh, None)).await.is_err());
    assert!(matches!(world.login("ada", PASSWORD).await, Err(LoginError::Disabled(_))));
    let letters = {
        world.app.forgot_password(&ada.email, &DESK).await.unwrap();
        world.post().await
    };
    assert!(letters.iter().all(|letter| letter.text != LetterText::ResetPassword));
}

#[tokio::test]
async fn b9_who_administers_has_a_letter_sent_and_the_owner_chooses_the_password() {
    let (world, _, ada) = scene().await;
    let admin = world.staff("grace", &["admin"]).await;
    world.app.start_reset(by(&admin), ada.id).await.unwrap();
    assert!(world.login("ada", PASSWORD).await.is_ok(), "the old one is good until then");
    let letter = saying(&world.post().await, LetterText::ResetPassword);
    assert_eq!(letter.to, ada.email);
    world.app.reset_password(reset(by_token(&letter), "another horse")).await.unwrap();
    assert!(world.login("ada", "another horse").await.is_ok());
    assert!(world.told(ada.id).await.contains(&"reset_requested"));
}

#[tokio::test]
async fn the_owner_of_a_renamed_account_is_told() {
    let (world, _, ada) = scene().await;
    let admin = world.staff("grace", &["admin"]).await;
    let name = Username::parse("countess").unwrap();
    let renamed = world.app.rename_user(by(&admin), ada.id, name.clone()).await.unwrap();
    assert_eq!(renamed.username, name);
    assert_eq!(super::mailbox::texts(&world.post().await), ["username_changed"]);
    world.app.rename_user(by(&admin), ada.id, name.clone()).await.unwrap();
    assert!(world.post().await.is_empty(), "nothing has changed");
    let taken = world.app.rename_user(by(&admin), admin.user.id, name).await;
    assert!(why(taken).contains("Taken"));
}

#[tokio::test]
async fn a7_4_5_an_administrator_ends_one_session_of_an_account_or_all() {
    let (world, _, ada) = scene().await;
    let admin = world.staff("grace", &["admin"]).await;
    let mut pairs = Vec::new();
    for _ in 0..3 {
        pairs.push(world.login("ada", PASSWORD).await.unwrap().pair);
    }
    let seen = world.app.list_sessions_of(ada.id, None, 50).await.unwrap().unwrap();
    assert_eq!(seen.len(), 3);
    let foreign = world.app.end_session_of(by(&admin), ada.id, admin.session_id).await;
    assert_eq!(why(foreign), "NotFound", "it is another account's");
    let id = pairs[0].session_id;
    for _ in 0..2 {
        world.app.end_session_of(by(&admin), ada.id, id).await.unwrap();
    }
    let dead = world.app.authenticate(pairs[0].access.text.expose()).await;
    assert!(matches!(dead, Err(AuthenticateError::SessionEnded(EndReason::EndedByAdmin))));
    assert!(world.app.authenticate(pairs[1].access.text.expose()).await.is_ok());
    assert_eq!(world.app.end_sessions_of(by(&admin), ada.id).await.unwrap(), 2);
    assert!(world.app.authenticate(pairs[1].access.text.expose()).await.is_err());
    assert_eq!(world.app.end_sessions_of(by(&admin), ada.id).await.unwrap(), 0);
    assert!(world.app.list_sessions_of(nobody(), None, 50).await.unwrap().is_none());
}

/// Of nobody.
fn nobody() -> UserId {
    gateward_testkit::fixtures::user(99).id
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let world = world().await;
    world.define("support", &[]).await;
    let admin = world.staff("grace", &["admin"]).await;
    for (act, said) in every_act(&world, by(&admin), nobody()).await {
        let about_it = !["invite", "define", "undefine"].contains(&act);
        assert_eq!(said, if about_it { "NotFound" } else { "done" }, "{act}");
    }
}
