//! The command line of `gateward user`.

use clap::{Args, Subcommand, value_parser};
use gateward_app::domain::RoleName;

/// What to do with accounts.
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Make an account whose address counts as confirmed.
    Create {
        /// Its name.
        #[arg(long)]
        username: String,
        /// Its address.
        #[arg(long)]
        email: String,
        /// Make its owner an administrator.
        #[arg(long)]
        admin: bool,
        /// Read the password from standard input instead of asking for it; one newline at the end
        /// is not part of it.
        #[arg(long)]
        password_stdin: bool,
    },
    /// List accounts.
    List(Listed),
    /// Show one account.
    Show {
        /// Its name, address or identifier.
        user: String,
        /// Print a JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Give an account one more role.
    Grant {
        /// Its name, address or identifier.
        user: String,
        /// Which role.
        #[arg(value_parser = RoleName::parse)]
        role: RoleName,
    },
    /// Take a role from an account.
    Revoke {
        /// Its name, address or identifier.
        user: String,
        /// Which role.
        #[arg(value_parser = RoleName::parse)]
        role: RoleName,
    },
    /// Shut an account and end its sessions.
    Disable {
        /// Its name, address or identifier.
        user: String,
    },
    /// Open an account that was shut.
    Enable {
        /// Its name, address or identifier.
        user: String,
    },
    /// Delete an account for good and end its sessions.
    Delete(Doomed),
    /// End all sessions of an account.
    Logout(Doomed),
    /// Print a link with which the owner of an account chooses a new password.
    ResetLink {
        /// Its name, address or identifier.
        user: String,
    },
}

/// Which accounts are listed.
#[derive(Debug, Args)]
pub(crate) struct Listed {
    /// Only those whose name begins with this, or, with an `@` in it, whose address does.
    #[arg(long, value_name = "TEXT")]
    pub(crate) q: Option<String>,
    /// Only those that hold this role.
    #[arg(long, value_parser = RoleName::parse)]
    pub(crate) role: Option<RoleName>,
    /// Only those that are disabled.
    #[arg(long)]
    pub(crate) disabled: bool,
    /// How many at most.
    #[arg(long, default_value_t = 50, value_parser = value_parser!(u32).range(1..=10_000))]
    pub(crate) limit: u32,
    /// Print a JSON array.
    #[arg(long)]
    pub(crate) json: bool,
}

/// An account that loses something for good.
#[derive(Debug, Args)]
pub(crate) struct Doomed {
    /// Its name, address or identifier.
    pub(crate) user: String,
    /// Do not ask.
    #[arg(long)]
    pub(crate) yes: bool,
}
