//! `gateward user`

use std::io::{IsTerminal, Read};

use anyhow::{Context, anyhow, bail};
use gateward_app::domain::ports::{StoreError, Taken};
use gateward_app::domain::{Email, Identifier, Password, RoleName, Username};
use gateward_app::{NewAccount, OperatorError};

use super::{complain, ready, tell};
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
        UserCommand::ResetLink { user } => make_reset_link(&user, settings).await,
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
    let identifier = identifier(user)?;
    let wired = ready(settings).await?;
    let changed = wired.app.set_disabled(&identifier, disabled).await;
    let (user, changed) = changed.map_err(|error| of_account(error, user))?;
    let name = &user.username;
    tell(&match (disabled, changed) {
        (true, true) => format!("{name} is disabled; every session is over."),
        (true, false) => format!("{name} was disabled before."),
        (false, true) => format!("{name} is enabled."),
        (false, false) => format!("{name} was not disabled."),
    });
    Ok(())
}

/// Prints the link alone on standard output, so that it can be piped on, and the rest beside it.
async fn make_reset_link(user: &str, settings: &Settings) -> anyhow::Result<()> {
    let identifier = identifier(user)?;
    let wired = ready(settings).await?;
    let made = wired.app.make_reset_link(&identifier).await;
    let (link, good_until) = made.map_err(|error| of_account(error, user))?;
    tell(&link);
    let until = gateward_http::rfc3339(good_until);
    complain(&format!(
        "It is good until {until} and for one use. Whoever has it can take the account over."
    ));
    Ok(())
}

fn identifier(user: &str) -> anyhow::Result<Identifier> {
    Identifier::parse(user)
        .with_context(|| format!("{user:?} is neither a username nor an address"))
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
