//! `gateward user` commands that change an existing user.

use anyhow::anyhow;
use gateward_app::domain::{Identifier, RoleName, User};
use gateward_app::{AdminActor, AdminError, App};

use super::super::{complain, tell};
use super::confirm::confirm;
use super::{find, of_account};
use crate::cli::Doomed;
use crate::settings::Settings;

pub(super) async fn grant(user: &str, role: RoleName, settings: &Settings) -> anyhow::Result<()> {
    change_role(user, role, true, settings).await
}

pub(super) async fn revoke(user: &str, role: RoleName, settings: &Settings) -> anyhow::Result<()> {
    anyhow::ensure!(role != RoleName::user(), "every user has the role user; it cannot be removed");
    change_role(user, role, false, settings).await
}

async fn change_role(
    user: &str,
    role: RoleName,
    holds: bool,
    settings: &Settings,
) -> anyhow::Result<()> {
    let (wired, user) = find(user, settings).await?;
    let changed =
        match wired.app.change_role(AdminActor::Operator, user.id, role.clone(), holds).await {
            Err(AdminError::NoSuchRole(_)) => return Err(no_such_role(&wired.app, &role).await),
            changed => changed.map_err(|error| of_admin(error, &user))?,
        };
    let roles: Vec<&str> = changed.roles.iter().map(RoleName::as_str).collect();
    tell(&format!("{} now has roles {}.", changed.username, roles.join(", ")));
    Ok(())
}

async fn no_such_role(app: &App, role: &RoleName) -> anyhow::Error {
    match app.list_roles().await {
        Ok(roles) => {
            let names: Vec<&str> = roles.iter().map(|role| role.name.as_str()).collect();
            anyhow!("no role named {role}; existing roles: {}", names.join(", "))
        }
        Err(error) => error.into(),
    }
}

pub(super) async fn disable(user: &str, settings: &Settings) -> anyhow::Result<()> {
    let (wired, user) = find(user, settings).await?;
    let done = wired.app.disable_user(AdminActor::Operator, user.id).await;
    let (user, changed) = done.map_err(|error| of_admin(error, &user))?;
    let name = &user.username;
    tell(&if changed {
        format!("Disabled {name} and ended all sessions.")
    } else {
        format!("{name} is already disabled.")
    });
    Ok(())
}

pub(super) async fn enable(user: &str, settings: &Settings) -> anyhow::Result<()> {
    let (wired, user) = find(user, settings).await?;
    let done = wired.app.enable_user(AdminActor::Operator, user.id).await;
    let (user, changed) = done.map_err(|error| of_admin(error, &user))?;
    let name = &user.username;
    tell(&if changed { format!("Enabled {name}.") } else { format!("{name} is already enabled.") });
    Ok(())
}

pub(super) async fn delete(doomed: Doomed, settings: &Settings) -> anyhow::Result<()> {
    let (wired, user) = find(&doomed.user, settings).await?;
    let question = format!("Delete {}?", described(&user));
    confirm(&question, user.username.as_str(), doomed.yes)?;
    let done = wired.app.delete_user(AdminActor::Operator, user.id).await;
    let user = done.map_err(|error| of_admin(error, &user))?;
    tell(&format!("Deleted {} ({}) and ended all sessions.", user.username, user.id));
    Ok(())
}

pub(super) async fn logout(doomed: Doomed, settings: &Settings) -> anyhow::Result<()> {
    let (wired, user) = find(&doomed.user, settings).await?;
    let question = format!("Log out all sessions of {}?", described(&user));
    confirm(&question, user.username.as_str(), doomed.yes)?;
    let done = wired.app.end_sessions_of(AdminActor::Operator, user.id).await;
    let name = &user.username;
    tell(&match done.map_err(|error| of_admin(error, &user))? {
        0 => format!("{name} has no active sessions."),
        1 => format!("Logged out 1 session of {name}."),
        count => format!("Logged out {count} sessions of {name}."),
    });
    Ok(())
}

fn described(user: &User) -> String {
    format!("{} ({}, {})", user.username, user.email, user.id)
}

/// Prints only the link to standard output, so that it can be piped.
pub(super) async fn make_reset_link(text: &str, settings: &Settings) -> anyhow::Result<()> {
    let (wired, user) = find(text, settings).await?;
    let made = wired.app.make_reset_link(&Identifier::Email(user.email)).await;
    let (link, expires_at) = made.map_err(|error| of_account(error, text))?;
    tell(&link);
    let until = gateward_http::rfc3339(expires_at);
    complain(&format!(
        "The link expires at {until} and works once. Anyone who has it can take over the account."
    ));
    Ok(())
}

/// Explains an error about the user that the operator named.
fn of_admin(error: AdminError, user: &User) -> anyhow::Error {
    let name = &user.username;
    match error {
        AdminError::NotFound => anyhow!("{name} was deleted in the meantime"),
        AdminError::LastAdmin => anyhow!(
            "{name} is the last active administrator; first make another user an administrator: \
             gateward user grant USER admin"
        ),
        error => error.into(),
    }
}
