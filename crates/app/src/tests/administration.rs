//! Account administration: who may do what to whom.

use gateward_domain::email::EmailTemplate;
use gateward_domain::{EndReason, EventKind, RoleName, User, UserId, Username};
use gateward_testkit::MemoryStore;

use super::admins::{
    DESK, RolesGrant, RolesWrite, SessionsEnd, UsersRead, UsersWrite, by, giving, lacks, role, why,
};
use super::mailbox::{by_token, open_test_app, reset, saying};
use super::test_app::{PASSWORD, TestApp, policy, test_app};
use crate::{AdminActor, AdminError, AuthenticateError, Caller, Invitation, LoginError};

/// Runs every administrative action on an account. Returns the result of each.
async fn every_act(
    test_app: &TestApp,
    by: AdminActor<'_>,
    id: UserId,
) -> Vec<(&'static str, String)> {
    let app = &test_app.app;
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
        ("reset", said(app.send_password_reset(by, id).await)),
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

/// Returns the permission that each action requires. `true` if it also requires a recent password
/// confirmation.
fn wanted(act: &str) -> (gateward_domain::Permission, bool) {
    match act {
        "rename" | "reset" | "enable" => (UsersWrite, false),
        // The invitation is for a role beyond `user`.
        "disable" | "delete" | "invite" => (UsersWrite, true),
        "end all" | "end one" => (SessionsEnd, true),
        "grant" => (RolesGrant, true),
        _ => (RolesWrite, true),
    }
}

async fn fixture() -> (TestApp, MemoryStore, User) {
    let (test_app, memory) = open_test_app(policy()).await;
    test_app.define("support", &[UsersRead]).await;
    let ada = test_app.owner("ada", |_| ()).await;
    (test_app, memory, ada)
}

/// Returns the stored accounts, sessions and events, except denials.
fn state(memory: &MemoryStore) -> String {
    let (users, sessions) = (memory.users(), memory.sessions());
    let mut events = memory.events();
    events.retain(|event| event.kind != EventKind::AccessDenied);
    format!("{users:?} {sessions:?} {events:?} {:?}", memory.outbox_emails())
}

#[tokio::test]
async fn b6_who_holds_no_permission_administers_nothing() {
    let (test_app, memory, ada) = fixture().await;
    let eve = test_app.caller_with_roles("eve", &[]).await;
    let before = state(&memory);
    for id in [ada.id, eve.user.id, gateward_testkit::fixtures::user(99).id] {
        for (act, said) in every_act(&test_app, by(&eve), id).await {
            assert_eq!(said, lacks(wanted(act).0), "{act}");
        }
    }
    assert_eq!(state(&memory), before);
}

#[tokio::test]
async fn what_a_rule_refuses_is_written_down() {
    let (test_app, memory, ada) = fixture().await;
    let grace = test_app.caller_with_roles("grace", &["admin"]).await;
    let eve = test_app.caller_with_roles("eve", &[]).await;
    test_app.app.disable_user(by(&eve), ada.id).await.unwrap_err();
    test_app.app.disable_user(by(&grace), grace.user.id).await.unwrap_err();
    test_app.app.disable_user(AdminActor::Operator, grace.user.id).await.unwrap_err();
    test_app.app.disable_user(by(&grace), nobody()).await.unwrap_err();
    let events = memory.events();
    let denied = events.iter().filter(|event| event.kind == EventKind::AccessDenied);
    let told: Vec<_> =
        denied.map(|event| (event.actor_session_id, event.detail.as_deref().unwrap())).collect();
    let expected = [(&eve, "users:write"), (&grace, "last administrator")];
    assert_eq!(told, expected.map(|(who, what)| (Some(who.session_id), what)));
}

#[tokio::test]
async fn b6_nobody_acts_on_an_account_that_may_do_more() {
    let (test_app, _, ada) = fixture().await;
    test_app.define("staff", &[RolesGrant, SessionsEnd, UsersRead, UsersWrite]).await;
    test_app.define("writer", &[RolesWrite]).await;
    test_app.app.change_role(AdminActor::Operator, ada.id, role("writer"), true).await.unwrap();
    let eve = test_app.caller_with_roles("eve", &["staff", "support"]).await;
    for (act, said) in every_act(&test_app, by(&eve), ada.id).await {
        if !["invite", "define", "undefine"].contains(&act) {
            assert_eq!(said, lacks(RolesWrite), "{act}");
        }
    }
    test_app.app.change_role(AdminActor::Operator, ada.id, role("writer"), false).await.unwrap();
    for (act, said) in every_act(&test_app, by(&eve), ada.id).await {
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
    let (test_app, _, ada) = fixture().await;
    let admin = test_app.caller_with_roles("grace", &["admin"]).await;
    test_app.outlast_password();
    for (act, said) in every_act(&test_app, by(&admin), ada.id).await {
        let expected = if wanted(act).1 { "NotRecent(NotRecent)" } else { "done" };
        assert_eq!(said, expected, "{act}");
    }
}

#[tokio::test]
async fn an_administrator_does_everything_and_an_operator_too() {
    for operator in [false, true] {
        let (test_app, memory, ada) = fixture().await;
        let admin = test_app.caller_with_roles("grace", &["admin"]).await;
        let by = if operator { AdminActor::Operator } else { by(&admin) };
        for (act, said) in every_act(&test_app, by, ada.id).await {
            assert_eq!(said, if act == "end one" { "NotFound" } else { "done" }, "{act}");
        }
        let events = memory.events();
        let told = events.iter().find(|event| event.kind == EventKind::AccountDisabled).unwrap();
        let session = (!operator).then_some(admin.session_id);
        assert_eq!((told.user_id, told.actor_session_id), (Some(ada.id), session));
        assert_eq!(told.ip, if operator { None } else { DESK.ip });
    }
}

/// Row B5 in part: outdated entries of the cache have no effect.
#[tokio::test]
async fn b5_who_was_demoted_disabled_or_logged_out_a_moment_ago_does_nothing() {
    for way in ["demoted", "disabled", "logged out"] {
        let (test_app, memory, ada) = fixture().await;
        test_app.holder("rosa", &["admin"]).await;
        let grace = test_app.caller_with_roles("grace", &["admin"]).await;
        match way {
            "demoted" => {
                let id = grace.user.id;
                test_app.app.set_user_roles(AdminActor::Operator, id, Vec::new()).await.unwrap();
            }
            "disabled" => {
                test_app.set_disabled("grace", true).await;
            }
            _ => test_app.app.logout_all(&grace, false, &DESK).await.unwrap(),
        }
        let before = state(&memory);
        for (act, said) in every_act(&test_app, by(&grace), ada.id).await {
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
    let (test_app, memory, _) = fixture().await;
    let grace = test_app.caller_with_roles("grace", &["admin"]).await;
    test_app
        .owner("idle", |user| {
            user.roles = vec![RoleName::admin(), RoleName::user()];
            user.disabled = true;
        })
        .await;
    for by in [AdminActor::Operator, by(&grace)] {
        let id = grace.user.id;
        assert_eq!(why(test_app.app.disable_user(by, id).await), "LastAdmin");
        assert_eq!(why(test_app.app.delete_user(by, id).await), "LastAdmin");
        assert_eq!(why(test_app.app.set_user_roles(by, id, Vec::new()).await), "LastAdmin");
        let demoted = test_app.app.change_role(by, id, RoleName::admin(), false).await;
        assert_eq!(why(demoted), "LastAdmin");
    }
    assert_eq!(active_admins(&memory), 1);
    test_app.set_disabled("idle", false).await;
    test_app.app.delete_user(by(&grace), grace.user.id).await.unwrap();
    assert_eq!(active_admins(&memory), 1);
}

#[tokio::test]
async fn inv9_who_was_invited_to_administer_counts_once_the_invitation_is_accepted() {
    let (test_app, memory, _) = fixture().await;
    let grace = test_app.caller_with_roles("grace", &["admin"]).await;
    let guest = Invitation {
        username: Username::parse("guest").unwrap(),
        email: super::mailbox::address("guest"),
        roles: vec![RoleName::admin()],
    };
    let guest = test_app.app.invite_user(by(&grace), guest).await.unwrap();
    assert_eq!(why(test_app.app.delete_user(by(&grace), grace.user.id).await), "LastAdmin");
    test_app.app.delete_user(by(&grace), guest.id).await.unwrap();
    assert_eq!(active_admins(&memory), 1, "who invited is still there");
}

/// Removes another administrator's privileges, in one of several ways.
async fn oust(
    test_app: &TestApp,
    way: u32,
    by: AdminActor<'_>,
    id: UserId,
) -> Result<(), AdminError> {
    match way {
        0 => test_app.app.change_role(by, id, RoleName::admin(), false).await.map(drop),
        1 => test_app.app.disable_user(by, id).await.map(drop),
        _ => test_app.app.delete_user(by, id).await.map(drop),
    }
}

#[tokio::test]
async fn inv9_of_two_administrators_who_oust_each_other_one_stays() {
    for (one, other) in [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2)] {
        let (test_app, memory, _) = fixture().await;
        let ada = test_app.caller_with_roles("anna", &["admin"]).await;
        let grace = test_app.caller_with_roles("grace", &["admin"]).await;
        let first = oust(&test_app, one, by(&ada), grace.user.id);
        let second = oust(&test_app, other, by(&grace), ada.user.id);
        let (first, second) = tokio::join!(first, second);
        assert!(first.is_ok() != second.is_ok(), "{one} {other}: {first:?} {second:?}");
        assert_eq!(active_admins(&memory), 1, "{one} {other}");
    }
}

#[tokio::test]
async fn inv9_of_two_administrators_who_both_leave_one_stays() {
    let (test_app, memory, _) = fixture().await;
    let (anna, grace) = (
        test_app.caller_with_roles("anna", &["admin"]).await,
        test_app.caller_with_roles("grace", &["admin"]).await,
    );
    let leave = async |caller: &Caller| {
        let presented = test_app.app.check_recent(caller).unwrap();
        test_app.app.delete_account(caller, presented, &DESK).await.is_ok()
    };
    let left = tokio::join!(leave(&anna), leave(&grace));
    assert!(left.0 != left.1);
    assert_eq!(active_admins(&memory), 1);
}

#[tokio::test]
async fn s5_a_disabled_account_is_out_at_once() {
    let (test_app, _, ada) = fixture().await;
    let pair = test_app.login("ada", PASSWORD).await.unwrap().pair;
    let admin = test_app.caller_with_roles("grace", &["admin"]).await;
    let (user, changed) = test_app.app.disable_user(by(&admin), ada.id).await.unwrap();
    assert!(user.disabled && changed);
    let dead = test_app.app.authenticate(pair.access.text.expose()).await;
    assert!(matches!(dead, Err(AuthenticateError::SessionEnded(EndReason::AccountDisabled))));
    assert!(test_app.app.refresh(test_app.refresh(&pair.refresh, None)).await.is_err());
    assert!(matches!(test_app.login("ada", PASSWORD).await, Err(LoginError::Disabled(_))));
    let emails = {
        test_app.app.forgot_password(&ada.email, &DESK).await.unwrap();
        test_app.post().await
    };
    assert!(emails.iter().all(|message| message.text != EmailTemplate::ResetPassword));
}

#[tokio::test]
async fn b9_who_administers_has_an_email_sent_and_the_owner_chooses_the_password() {
    let (test_app, _, ada) = fixture().await;
    let admin = test_app.caller_with_roles("grace", &["admin"]).await;
    test_app.app.send_password_reset(by(&admin), ada.id).await.unwrap();
    assert!(test_app.login("ada", PASSWORD).await.is_ok(), "the old one is valid until then");
    let message = saying(&test_app.post().await, EmailTemplate::ResetPassword);
    assert_eq!(message.to, ada.email);
    test_app.app.reset_password(reset(by_token(&message), "another horse")).await.unwrap();
    assert!(test_app.login("ada", "another horse").await.is_ok());
    assert!(test_app.told(ada.id).await.contains(&"reset_requested"));
}

#[tokio::test]
async fn the_owner_of_a_renamed_account_is_told() {
    let (test_app, _, ada) = fixture().await;
    let admin = test_app.caller_with_roles("grace", &["admin"]).await;
    let name = Username::parse("countess").unwrap();
    test_app.clock.advance_seconds(1);
    let renamed = test_app.app.rename_user(by(&admin), ada.id, name.clone()).await.unwrap();
    assert_eq!(renamed.username, name);
    assert_eq!(test_app.find(ada.id).await, Some(renamed), "what is stored");
    assert_eq!(super::mailbox::texts(&test_app.post().await), ["username_changed"]);
    test_app.app.rename_user(by(&admin), ada.id, name.clone()).await.unwrap();
    assert!(test_app.post().await.is_empty(), "nothing has changed");
    let taken = test_app.app.rename_user(by(&admin), admin.user.id, name).await;
    assert!(why(taken).contains("Taken"));
}

#[tokio::test]
async fn a7_4_5_an_administrator_ends_one_session_of_an_account_or_all() {
    let (test_app, _, ada) = fixture().await;
    let admin = test_app.caller_with_roles("grace", &["admin"]).await;
    let mut pairs = Vec::new();
    for _ in 0..3 {
        pairs.push(test_app.login("ada", PASSWORD).await.unwrap().pair);
    }
    let seen = test_app.app.list_sessions_of(ada.id, None, 50).await.unwrap().unwrap();
    assert_eq!(seen.len(), 3);
    let foreign = test_app.app.end_session_of(by(&admin), ada.id, admin.session_id).await;
    assert_eq!(why(foreign), "NotFound", "it is another account's");
    let id = pairs[0].session_id;
    for _ in 0..2 {
        test_app.app.end_session_of(by(&admin), ada.id, id).await.unwrap();
    }
    let dead = test_app.app.authenticate(pairs[0].access.text.expose()).await;
    assert!(matches!(dead, Err(AuthenticateError::SessionEnded(EndReason::EndedByAdmin))));
    assert!(test_app.app.authenticate(pairs[1].access.text.expose()).await.is_ok());
    assert_eq!(test_app.app.end_sessions_of(by(&admin), ada.id).await.unwrap(), 2);
    assert!(test_app.app.authenticate(pairs[1].access.text.expose()).await.is_err());
    assert_eq!(test_app.app.end_sessions_of(by(&admin), ada.id).await.unwrap(), 0);
    assert!(test_app.app.list_sessions_of(nobody(), None, 50).await.unwrap().is_none());
}

/// An identifier that no account has.
fn nobody() -> UserId {
    gateward_testkit::fixtures::user(99).id
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let test_app = test_app().await;
    test_app.define("support", &[]).await;
    let admin = test_app.caller_with_roles("grace", &["admin"]).await;
    for (act, said) in every_act(&test_app, by(&admin), nobody()).await {
        let about_it = !["invite", "define", "undefine"].contains(&act);
        assert_eq!(said, if about_it { "NotFound" } else { "done" }, "{act}");
    }
}
