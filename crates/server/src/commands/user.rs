//! `gateward user`

mod change;
mod confirm;
mod look;

use std::io::{IsTerminal, Read};

use anyhow::{Context, anyhow, bail};
use gateward_app::domain::ports::{StoreError, Taken};
use gateward_app::domain::{EmailAddress, Identifier, Password, RoleName, User, UserId, Username};
use gateward_app::{NewAccount, OperatorError};

use super::{ready, tell};
use crate::cli::UserCommand;
use crate::settings::Settings;
use crate::wiring::Wired;

pub(crate) async fn run(command: UserCommand, settings: &Settings) -> anyhow::Result<()> {
    match command {
        UserCommand::Create { username, email, admin, password_stdin } => {
            let account = NewAccount {
                username: Username::parse_existing(&username)
                    .with_context(|| format!("invalid username {username:?}"))?,
                email: EmailAddress::parse(&email)
                    .with_context(|| format!("invalid email address {email:?}"))?,
                password: password(password_stdin)?,
                admin,
            };
            create(account, settings).await
        }
        UserCommand::List(listed) => look::list(listed, settings).await,
        UserCommand::Show { user, json } => look::show(&user, json, settings).await,
        UserCommand::Grant { user, role } => change::grant(&user, role, settings).await,
        UserCommand::Revoke { user, role } => change::revoke(&user, role, settings).await,
        UserCommand::Disable { user } => change::disable(&user, settings).await,
        UserCommand::Enable { user } => change::enable(&user, settings).await,
        UserCommand::Delete(doomed) => change::delete(doomed, settings).await,
        UserCommand::Logout(doomed) => change::logout(doomed, settings).await,
        UserCommand::ResetLink { user } => change::make_reset_link(&user, settings).await,
    }
}

async fn create(account: NewAccount, settings: &Settings) -> anyhow::Result<()> {
    let wired = ready(settings).await?;
    let user = wired.app.create_user(account).await.map_err(|error| match error {
        OperatorError::Store(StoreError::Taken(what)) => {
            let what = match what {
                Taken::Username => "username",
                Taken::Email => "email address",
            };
            anyhow!("a user with this {what} already exists; choose another one")
        }
        OperatorError::Password(error) => anyhow!("{error}; choose another one"),
        error => anyhow::Error::from(error).context("the user was not created"),
    })?;
    let roles: Vec<&str> = user.roles.iter().map(RoleName::as_str).collect();
    tell(&format!("Created user {} ({}) with roles {}.", user.username, user.id, roles.join(", ")));
    Ok(())
}

/// Finds a user by ID, username or email address.
async fn find(text: &str, settings: &Settings) -> anyhow::Result<(Wired, User)> {
    if let Some(id) = identifier(text) {
        let wired = ready(settings).await?;
        let user = wired.app.find_user(id).await?;
        let user =
            user.with_context(|| format!("no user with ID {id}; see: gateward user list"))?;
        return Ok((wired, user));
    }
    let identifier = Identifier::parse(text)
        .with_context(|| format!("{text:?} is neither a username nor an email address"))?;
    let wired = ready(settings).await?;
    let found = wired.app.find_account(&identifier).await;
    let user = found.map_err(|error| of_account(error, text))?;
    Ok((wired, user))
}

/// Parses a user ID with hyphens; without them it might be a username.
fn identifier(text: &str) -> Option<UserId> {
    let id: UserId = text.parse().ok()?;
    id.to_string().eq_ignore_ascii_case(text).then_some(id)
}

/// Explains an error about the user that the operator named.
fn of_account(error: OperatorError, user: &str) -> anyhow::Error {
    match error {
        OperatorError::NoSuchUser => {
            anyhow!("no user with the username or email address {user:?}; see: gateward user list")
        }
        OperatorError::Disabled => {
            anyhow!("user {user:?} is disabled; first run: gateward user enable {user}")
        }
        error => error.into(),
    }
}

/// The password: from standard input without one trailing newline, or prompted for twice.
fn password(from_stdin: bool) -> anyhow::Result<Password> {
    let text = if from_stdin {
        let mut text = String::new();
        // Beyond the maximum, so that a longer password is noticed without reading endless input.
        let limit = u64::try_from(Password::BYTES_MAX + 3)?;
        std::io::stdin()
            .take(limit)
            .read_to_string(&mut text)
            .context("cannot read the password from standard input")?;
        match text.strip_suffix('\n') {
            Some(line) => line.strip_suffix('\r').unwrap_or(line).to_owned(),
            None => text,
        }
    } else if std::io::stdin().is_terminal() {
        let first = rpassword::prompt_password("Password: ")?;
        if first != rpassword::prompt_password("Repeat password: ")? {
            bail!("the passwords do not match; try again");
        }
        first
    } else {
        bail!("cannot prompt for a password without a terminal; use --password-stdin");
    };
    Ok(Password::received(text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_never_taken_for_a_name_nor_a_name_for_an_identifier() {
        let text = "019a9e3e-7c00-7000-8000-0123456789ab";
        for id in [text.to_owned(), text.to_uppercase()] {
            assert_eq!(identifier(&id), text.parse().ok(), "{id}");
            assert!(Username::parse_existing(&id).is_err(), "{id}");
        }
        let name = text.replace('-', "");
        assert!(Username::parse_existing(&name).is_ok());
        for name in [&*name, "ada", "ada@example.org", ""] {
            assert_eq!(identifier(name), None, "{name}");
        }
    }
}
