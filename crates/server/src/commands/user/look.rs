//! `gateward user list` and `show`.

use gateward_app::domain::{Permission, RoleName, SessionId, User};
use gateward_app::{App, UserFilter};
use gateward_http::rfc3339;
use serde_json::{Value, json};

use super::super::table::{Table, plain, tell_json};
use super::super::{complain, ready, tell};
use super::find;
use crate::cli::Listed;
use crate::settings::Settings;

/// How many sessions are read at once.
const SESSIONS_PAGE: u32 = 100;

pub(super) async fn list(listed: Listed, settings: &Settings) -> anyhow::Result<()> {
    let Listed { q, role, disabled, limit, json } = listed;
    let wired = ready(settings).await?;
    let filter = UserFilter { q, role, disabled: disabled.then_some(true) };
    let (users, are_all) = first_users(&wired.app, &filter, usize::try_from(limit)?).await?;
    if json {
        tell_json(&users.iter().map(as_json).collect());
    } else {
        table(&users).tell();
    }
    if !are_all {
        complain(&format!("Showing the first {limit}. Use --limit to see more."));
    }
    Ok(())
}

/// The first matching users, and whether these are all.
async fn first_users(
    app: &App,
    filter: &UserFilter,
    limit: usize,
) -> anyhow::Result<(Vec<User>, bool)> {
    let (mut users, mut after) = (Vec::new(), None);
    loop {
        let page = app.list_users(filter, after, limit - users.len()).await?;
        users.extend(page.users);
        if page.next.is_none() || users.len() >= limit {
            return Ok((users, page.next.is_none()));
        }
        after = page.next;
    }
}

fn table(users: &[User]) -> Table<6> {
    let mut table = Table::new(["ID", "USERNAME", "EMAIL", "ROLES", "STATE", "CREATED"]);
    for user in users {
        let (id, created) = (user.id.to_string(), rfc3339(user.created_at));
        let roles = roles(user).join(", ");
        table.push([
            &id,
            user.username.as_str(),
            user.email.as_str(),
            &roles,
            state(user),
            &created,
        ]);
    }
    table
}

/// The most important state.
const fn state(user: &User) -> &'static str {
    match (user.disabled, user.email_verified) {
        (true, _) => "disabled",
        (false, false) => "unverified",
        (false, true) => "active",
    }
}

fn roles(user: &User) -> Vec<&str> {
    user.roles.iter().map(RoleName::as_str).collect()
}

/// A user as the API returns it.
fn as_json(user: &User) -> Value {
    json!({
        "id": user.id.to_string(),
        "username": user.username.as_str(),
        "email": user.email.as_str(),
        "email_verified": user.email_verified,
        "roles": roles(user),
        "disabled": user.disabled,
        "created_at": rfc3339(user.created_at),
        "updated_at": rfc3339(user.updated_at),
    })
}

pub(super) async fn show(user: &str, as_object: bool, settings: &Settings) -> anyhow::Result<()> {
    let (wired, user) = find(user, settings).await?;
    let sessions = count_sessions(&wired.app, &user).await?;
    let permissions: Vec<&str> = user.permissions.iter().map(Permission::as_str).collect();
    if as_object {
        let mut object = as_json(&user);
        if let Value::Object(fields) = &mut object {
            fields.insert("permissions".to_owned(), json!(permissions));
            fields.insert("sessions".to_owned(), json!(sessions));
        }
        tell_json(&object);
        return Ok(());
    }
    let verified = if user.email_verified { "verified" } else { "not verified" };
    for (name, value) in [
        ("id", user.id.to_string()),
        ("username", user.username.to_string()),
        ("email", format!("{} ({verified})", user.email)),
        ("roles", roles(&user).join(", ")),
        ("permissions", permissions.join(", ")),
        ("disabled", if user.disabled { "yes" } else { "no" }.to_owned()),
        ("sessions", sessions.to_string()),
        ("created", rfc3339(user.created_at)),
        ("updated", rfc3339(user.updated_at)),
    ] {
        tell(format!("{name:<12} {}", plain(&value)).trim_end());
    }
    Ok(())
}

/// Counts the active sessions of a user.
async fn count_sessions(app: &App, user: &User) -> anyhow::Result<usize> {
    let (mut count, mut after): (usize, Option<SessionId>) = (0, None);
    loop {
        let page = app.list_sessions_of(user.id, after, SESSIONS_PAGE).await?.unwrap_or_default();
        count += page.len();
        after = page.last().map(|session| session.id);
        if page.len() < SESSIONS_PAGE as usize {
            return Ok(count);
        }
    }
}
