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
                    .with_context(|| format!("the username {username:?} is no good"))?,
                email: EmailAddress::parse(&email)
                    .with_context(|| format!("the address {email:?} is no good"))?,
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
                Taken::Email => "address",
            };
            anyhow!("there is an account with this {what}; choose another one")
        }
        OperatorError::Password(error) => anyhow!("{error}; choose another one"),
        error => anyhow::Error::from(error).context("no account was made"),
    })?;
    let roles: Vec<&str> = user.roles.iter().map(RoleName::as_str).collect();
    tell(&format!("Made {} ({}), roles: {}.", user.username, user.id, roles.join(", ")));
    Ok(())
}

/// The account that an operator names, with what works on it.
async fn find(text: &str, settings: &Settings) -> anyhow::Result<(Wired, User)> {
    if let Some(id) = identifier(text) {
        let wired = ready(settings).await?;
        let user = wired.app.find_user(id).await?;
        let user = user.with_context(|| format!("there is no account with the identifier {id}"))?;
        return Ok((wired, user));
    }
    let identifier = Identifier::parse(text)
        .with_context(|| format!("{text:?} is neither a username nor an address"))?;
    let wired = ready(settings).await?;
    let found = wired.app.find_account(&identifier).await;
    let user = found.map_err(|error| of_account(error, text))?;
    Ok((wired, user))
}

/// An identifier in the form that we print it in. The form without hyphens might be a name.
fn identifier(text: &str) -> Option<UserId> {
    let id: UserId = text.parse().ok()?;
    id.to_string().eq_ignore_ascii_case(text).then_some(id)
}

/// What an error means to whoever named an account.
fn of_account(error: OperatorError, user: &str) -> anyhow::Error {
    match error {
        OperatorError::NoSuchUser => {
            anyhow!("there is no account with the name or address {user:?}")
        }
        OperatorError::Disabled => {
            anyhow!("the account {user:?} is disabled; run: gateward user enable {user}")
        }
        error => error.into(),
    }
}

/// The password: from standard input, less one newline, or asked for twice.
fn password(from_stdin: bool) -> anyhow::Result<Password> {
    let text = if from_stdin {
        let mut text = String::new();
        // One more than the most, so that a longer one is noticed and nothing endless is read.
        let limit = u64::try_from(Password::BYTES_MAX + 3)?;
        std::io::stdin().take(limit).read_to_string(&mut text).context("no password was read")?;
        match text.strip_suffix('\n') {
            Some(line) => line.strip_suffix('\r').unwrap_or(line).to_owned(),
            None => text,
        }
    } else if std::io::stdin().is_terminal() {
        let first = rpassword::prompt_password("Password: ")?;
        if first != rpassword::prompt_password("Once more: ")? {
            bail!("the two passwords differ");
        }
        first
    } else {
        bail!("there is no terminal to ask for a password; use --password-stdin");
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
