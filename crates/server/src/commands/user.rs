//! `gateward user`

use std::io::{IsTerminal, Read};

use anyhow::{Context, anyhow, bail};
use gateward_app::domain::ports::{StoreError, Taken};
use gateward_app::domain::{Email, Identifier, Password, RoleName, Username};
use gateward_app::{NewAccount, OperatorError};

use super::{ready, tell};
use crate::cli::UserCommand;
use crate::settings::Settings;

pub(crate) async fn run(command: UserCommand, settings: &Settings) -> anyhow::Result<()> {
    match command {
        UserCommand::Create { username, email, admin, password_stdin } => {
            let account = NewAccount {
                username: Username::parse_existing(&username)
                    .with_context(|| format!("the username {username:?} is no good"))?,
                email: Email::parse(&email)
                    .with_context(|| format!("the address {email:?} is no good"))?,
                password: password(password_stdin)?,
                admin,
            };
            create(account, settings).await
        }
        UserCommand::Disable { user } => set_disabled(&user, true, settings).await,
        UserCommand::Enable { user } => set_disabled(&user, false, settings).await,
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

async fn set_disabled(user: &str, disabled: bool, settings: &Settings) -> anyhow::Result<()> {
    let Some(identifier) = Identifier::parse(user) else {
        bail!("{user:?} is neither a username nor an address");
    };
    let wired = ready(settings).await?;
    let (user, changed) =
        wired.app.set_disabled(&identifier, disabled).await.map_err(|error| match error {
            OperatorError::NoSuchUser => {
                anyhow!("there is no account with the name or address {user:?}")
            }
            error => error.into(),
        })?;
    let name = &user.username;
    tell(&match (disabled, changed) {
        (true, true) => format!("{name} is disabled; every session is over."),
        (true, false) => format!("{name} was disabled before."),
        (false, true) => format!("{name} is enabled."),
        (false, false) => format!("{name} was not disabled."),
    });
    Ok(())
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
