//! INV12: every change is recorded once, with action, target, actor, session, IP address and
//! outcome. So are failures.

use gateward_e2e::{Database, PASSWORD, TestResponse, on_both};
use reqwest::Method;
use serde_json::json;

use super::reader::Reader;
use crate::support::post::{OTHER, address, subject, token};

on_both!(
    inv12_what_people_do_is_written_down_once_with_who_and_where,
    inv12_what_administrators_do_is_written_down_once_with_who_and_where,
    inv12_what_operators_do_is_written_down_once,
);

fn user_id(pair: &TestResponse) -> String {
    pair.body["user"]["id"].as_str().unwrap().to_owned()
}

/// Rows 16.2.1 and 16.3.1, too.
#[expect(clippy::too_many_lines, reason = "one line for each act")]
async fn inv12_what_people_do_is_written_down_once_with_who_and_where(kind: Database) {
    let Some(mut reader) = Reader::new(kind).await else { return };
    let ada = address("ada");
    let body = json!({"username": "ada", "email": ada, "password": PASSWORD});
    reader.say("signup", body.clone()).await;
    reader.say("signup", body).await;
    reader.login("nobody", PASSWORD).await;
    reader.login("ada", OTHER).await;
    let first = reader.login("ada", PASSWORD).await;
    let second = reader.login("ada", PASSWORD).await;
    let device = first.text_of("known_device_token");
    let known = json!({"identifier": ada, "password": PASSWORD, "known_device_token": device});
    let third = reader.say("login", known.clone()).await;
    let refreshed = json!({"refresh_token": third.refresh_token()});
    let next = reader.say("refresh", refreshed.clone()).await;
    reader.say("refresh", json!({"refresh_token": next.refresh_token()})).await;
    reader.say("refresh", refreshed.clone()).await;
    reader.say("refresh", refreshed).await;
    let logout = json!({"refresh_token": second.refresh_token()});
    reader.say("logout", logout.clone()).await;
    reader.say("logout", logout).await;

    let confirm = token(&reader.post.email(&ada, subject::CONFIRM).await);
    reader.act(&first, Method::POST, "email/confirm", json!({"token": confirm})).await;
    for password in [OTHER, PASSWORD] {
        let body = json!({"password": password});
        reader.act(&first, Method::POST, "me/reauthenticate", body).await;
    }
    reader.act(&first, Method::GET, "users", json!({})).await;
    reader.act(&first, Method::PATCH, "me", json!({"username": "ada-2"})).await;
    let fourth = reader.say("login", known.clone()).await;
    reader.names.insert(fourth.text_of("session_id").to_owned(), "#4th".to_owned());
    let path = format!("me/sessions/{}", fourth.text_of("session_id"));
    reader.act(&first, Method::DELETE, &path, json!({})).await;
    reader.act(&first, Method::DELETE, &path, json!({})).await;

    let [old, new] = ["ada", "new"].map(address);
    let wish = |password: &str| json!({"new_email": new, "password": password});
    reader.act(&first, Method::POST, "me/email", wish(OTHER)).await;
    reader.act(&first, Method::POST, "me/email", wish(PASSWORD)).await;
    let confirm = token(&reader.post.email(&new, subject::CONFIRM_NEW).await);
    reader.act(&first, Method::POST, "email/confirm", json!({"token": confirm})).await;
    let undo = token(&reader.post.email(&old, subject::UNDO).await);
    reader.say("email/undo", json!({"token": undo})).await;
    // Its email is sent before the next one is requested, whose link replaces the first.
    reader.post.wait_until_sent().await;

    // Another person may know the password, so it is void.
    reader.login(&old, PASSWORD).await;
    reader.say("password/forgot", json!({"email": old})).await;
    reader.post.wait_until_sent().await;
    let mut emails = reader.post.server.emails_to(&old);
    emails.retain(|message| message.subject == subject::RESET);
    let reset = token(emails.last().unwrap());
    let body = json!({"token": reset, "new_password": PASSWORD});
    reader.say("password/reset", body.clone()).await;
    reader.say("password/reset", body).await;
    let fifth = reader.login(&old, PASSWORD).await;
    let change = |from: &str| json!({"current_password": from, "new_password": OTHER});
    reader.act(&fifth, Method::POST, "me/password", change(OTHER)).await;
    reader.act(&fifth, Method::POST, "me/password", change(PASSWORD)).await;
    let sixth = reader.login(&old, OTHER).await;
    reader.act(&sixth, Method::POST, "logout-all", json!({})).await;
    let seventh = reader.login(&old, OTHER).await;
    reader.act(&seventh, Method::DELETE, "me", json!({"password": PASSWORD})).await;
    reader.act(&seventh, Method::DELETE, "me", json!({"password": OTHER})).await;
    reader.login(&old, OTHER).await;
    reader.is(&[
        "signup 201: account_created by ada of ada",
        "signup 409: ",
        "login 401: login_failed by service",
        "login 401: login_failed by service of ada",
        "login 200: session_started by ada of ada on #2",
        "login 200: session_started by ada of ada on #3",
        "login 200: session_started by ada of ada on #4",
        "refresh 200: ",
        "refresh 200: ",
        "refresh 401: session_ended (refresh_token_reused) by service of ada on #4",
        "refresh 401: ",
        "logout 204: session_ended (logout) by ada of ada on #3",
        "logout 204: ",
        "POST email/confirm 204: email_confirmed by ada of ada",
        "POST me/reauthenticate 422: password_refused by ada in #2 of ada on #2",
        "POST me/reauthenticate 200: reauthenticated by ada in #2 of ada on #2",
        "GET users 403: access_denied by ada in #2: users:read",
        "PATCH me 200: username_changed by ada in #2 of ada on #2",
        "login 200: session_started by ada of ada on #5",
        "DELETE me/sessions/#4th 204: session_ended (ended_by_user) by ada in #2 of ada on #4th",
        "DELETE me/sessions/#4th 204: ",
        "POST me/email 422: password_refused by ada in #2 of ada on #2",
        "POST me/email 202: email_change_requested by ada in #2 of ada on #2",
        "POST email/confirm 204: email_changed by ada of ada",
        "email/undo 204: email_change_undone by ada of ada; sessions_ended (email_changed) by ada of ada",
        "login 401: login_failed by service of ada",
        "password/forgot 202: ",
        "password/reset 204: password_reset by ada of ada; sessions_ended (password_reset) by ada of ada",
        "password/reset 400: ",
        "login 200: session_started by ada of ada on #6",
        "POST me/password 422: password_refused by ada in #6 of ada on #6",
        "POST me/password 204: password_changed by ada in #6 of ada on #6; sessions_ended (password_changed) by ada in #6 of ada on #6",
        "login 200: session_started by ada of ada on #7",
        "POST logout-all 204: sessions_ended (logout_all) by ada in #7 of ada on #7",
        "login 200: session_started by ada of ada on #8",
        "DELETE me 422: password_refused by ada in #8 of ada on #8",
        "DELETE me 204: account_deleted by ada in #8 of ada; sessions_ended (account_deleted) by ada in #8 of ada",
        "login 401: login_failed by service",
    ]);
}

/// Rows 16.2.1 and 16.3.2, too.
#[expect(clippy::too_many_lines, reason = "one line for each act")]
async fn inv12_what_administrators_do_is_written_down_once_with_who_and_where(kind: Database) {
    let Some(mut reader) = Reader::new(kind).await else { return };
    let root = reader.root.clone();
    let body = json!({"username": "eve", "email": address("eve")});
    reader.act(&root, Method::POST, "users", body.clone()).await;
    reader.act(&root, Method::POST, "users", body).await;
    let invitation = "You have been invited to Gateward";
    let invited = token(&reader.post.email(&address("eve"), invitation).await);
    let body = json!({"token": invited, "password": PASSWORD});
    reader.say("invitation/accept", body.clone()).await;
    reader.say("invitation/accept", body).await;
    let eve = reader.login("eve", PASSWORD).await;
    let id = user_id(&eve);
    let user = |rest: &str| format!("users/{id}{rest}");

    let role = |permissions: &[&str]| json!({"permissions": permissions});
    for permissions in [&["users:read"][..], &["users:read", "users:write"]] {
        reader.act(&root, Method::PUT, "roles/support", role(permissions)).await;
    }
    reader.act(&eve, Method::GET, "users", json!({})).await;
    let roles = json!({"roles": ["support"]});
    reader.act(&root, Method::PUT, &user("/roles"), roles.clone()).await;
    reader.act(&root, Method::PUT, &user("/roles"), roles).await;
    let admin = json!({"roles": ["admin"]});
    reader.act(&eve, Method::PUT, &user("/roles"), admin).await;
    let rename = json!({"username": "root-2"});
    let path = format!("users/{}", user_id(&root));
    reader.act(&eve, Method::PATCH, &path, rename).await;
    reader.act(&root, Method::PATCH, &user(""), json!({"username": "eve-2"})).await;
    reader.act(&root, Method::POST, &user("/reset-password"), json!({})).await;
    let session = eve.text_of("session_id").to_owned();
    reader.act(&root, Method::DELETE, &user(&format!("/sessions/{session}")), json!({})).await;
    reader.login("eve-2", PASSWORD).await;
    reader.act(&root, Method::DELETE, &user("/sessions"), json!({})).await;
    reader.act(&root, Method::DELETE, &user("/sessions"), json!({})).await;
    reader.login("eve-2", PASSWORD).await;
    for what in ["disable", "disable", "enable", "enable"] {
        reader.act(&root, Method::POST, &user(&format!("/{what}")), json!({})).await;
        if what == "disable" {
            reader.login("eve-2", PASSWORD).await;
        }
    }
    reader.act(&root, Method::DELETE, "roles/support", json!({})).await;
    reader.act(&root, Method::DELETE, &user(""), json!({})).await;
    reader.act(&root, Method::DELETE, "roles/support", json!({})).await;
    reader.act(&root, Method::POST, &format!("users/{}/disable", user_id(&root)), json!({})).await;
    reader.is(&[
        "POST users 201: account_invited by root-of-all in #1 of eve: roles=user",
        "POST users 409: ",
        "invitation/accept 204: email_confirmed by eve of eve; invitation_accepted by eve of eve",
        "invitation/accept 400: ",
        "login 200: session_started by eve of eve on #2",
        "PUT roles/support 201: role_defined by root-of-all in #1: role=support permissions=users:read before=",
        "PUT roles/support 200: role_defined by root-of-all in #1: role=support permissions=users:read,users:write before=users:read",
        "GET users 403: access_denied by eve in #2: users:read",
        "PUT users/eve/roles 200: roles_changed by root-of-all in #1 of eve: roles=support,user before=user",
        "PUT users/eve/roles 200: ",
        "PUT users/eve/roles 403: access_denied by eve in #2: roles:grant",
        "PATCH users/root-of-all 403: access_denied by eve in #2: audit:read",
        "PATCH users/eve 200: username_changed by root-of-all in #1 of eve",
        "POST users/eve/reset-password 202: reset_requested by root-of-all in #1 of eve",
        "DELETE users/eve/sessions/#2 204: session_ended (ended_by_admin) by root-of-all in #1 of eve on #2",
        "login 200: session_started by eve of eve on #3",
        "DELETE users/eve/sessions 204: sessions_ended (ended_by_admin) by root-of-all in #1 of eve",
        "DELETE users/eve/sessions 204: ",
        "login 200: session_started by eve of eve on #4",
        "POST users/eve/disable 200: account_disabled by root-of-all in #1 of eve; sessions_ended (account_disabled) by root-of-all in #1 of eve",
        "login 403: login_refused by service of eve",
        "POST users/eve/disable 200: ",
        "login 403: login_refused by service of eve",
        "POST users/eve/enable 200: account_enabled by root-of-all in #1 of eve",
        "POST users/eve/enable 200: ",
        "DELETE roles/support 409: ",
        "DELETE users/eve 204: account_deleted by root-of-all in #1 of eve; sessions_ended (account_deleted) by root-of-all in #1 of eve",
        "DELETE roles/support 204: role_deleted by root-of-all in #1: role=support",
        "POST users/root-of-all/disable 409: access_denied by root-of-all in #1: last administrator",
    ]);
}

async fn inv12_what_operators_do_is_written_down_once(kind: Database) {
    let Some(mut reader) = Reader::new(kind).await else { return };
    let create = ["user", "create", "--username", "eve", "--email", "eve@example.org"];
    reader.command(&[create.as_slice(), &["--password-stdin"]].concat()).await;
    reader.login("eve", PASSWORD).await;
    for command in [
        &["user", "grant", "eve", "admin"][..],
        &["user", "grant", "eve", "admin"],
        &["user", "revoke", "eve", "admin"],
        &["user", "logout", "eve", "--yes"],
        &["user", "logout", "eve", "--yes"],
        &["user", "disable", "eve"],
        &["user", "disable", "eve"],
        &["user", "enable", "eve"],
        &["user", "delete", "eve", "--yes"],
        &["keys", "rotate"],
        &["keys", "rotate"],
        &["keys", "rewrap"],
        &["session", "end-all", "--before", "2020-01-01T00:00:00Z"],
        &["user", "list"],
        &["audit", "verify", "--json"],
        &["mail", "list"],
    ] {
        reader.command(command).await;
    }
    reader.is(&[
        "user create --username eve --email eve@example.org --password-stdin: account_created by operator of eve: roles=user",
        "login 200: session_started by eve of eve on #2",
        "user grant eve admin: roles_changed by operator of eve: roles=admin,user before=user",
        "user grant eve admin: ",
        "user revoke eve admin: roles_changed by operator of eve: roles=user before=admin,user",
        "user logout eve --yes: sessions_ended (ended_by_admin) by operator of eve",
        "user logout eve --yes: ",
        "user disable eve: account_disabled by operator of eve",
        "user disable eve: ",
        "user enable eve: account_enabled by operator of eve",
        "user delete eve --yes: account_deleted by operator of eve; sessions_ended (account_deleted) by operator of eve",
        "keys rotate: key_created by operator: key=… purpose=access; key_created by operator: key=… purpose=audit; key_created by operator: key=… purpose=link; key_created by operator: key=… purpose=refresh",
        "keys rotate: ",
        "keys rewrap: keys_rewrapped by operator",
        "session end-all --before 2020-01-01T00:00:00Z: sessions_ended (ended_by_admin) by operator",
        "user list: ",
        "audit verify --json: ",
        "mail list: ",
    ]);
}
