//! The command line of `gateward user`.

use clap::{Args, Subcommand, value_parser};
use gateward_app::domain::RoleName;

/// The commands of `gateward user`.
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Create a user with a verified email address.
    Create {
        /// Username.
        #[arg(long)]
        username: String,
        /// Email address.
        #[arg(long)]
        email: String,
        /// Make the user an administrator.
        #[arg(long)]
        admin: bool,
        /// Read the password from standard input instead of prompting; one trailing newline is
        /// ignored.
        #[arg(long)]
        password_stdin: bool,
    },
    /// List users.
    List(Listed),
    /// Show one user.
    Show {
        /// Username, email address or ID.
        user: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Grant a role to a user.
    Grant {
        /// Username, email address or ID.
        user: String,
        /// Role name.
        #[arg(value_parser = RoleName::parse)]
        role: RoleName,
    },
    /// Remove a role from a user.
    Revoke {
        /// Username, email address or ID.
        user: String,
        /// Role name.
        #[arg(value_parser = RoleName::parse)]
        role: RoleName,
    },
    /// Disable a user and log them out.
    Disable {
        /// Username, email address or ID.
        user: String,
    },
    /// Enable a disabled user.
    Enable {
        /// Username, email address or ID.
        user: String,
    },
    /// Delete a user permanently and log them out.
    Delete(Doomed),
    /// Log out all sessions of a user.
    Logout(Doomed),
    /// Print a password reset link for a user.
    ResetLink {
        /// Username, email address or ID.
        user: String,
    },
}

/// Filters of `gateward user list`.
#[derive(Debug, Args)]
pub(crate) struct Listed {
    /// Only users whose username (or, with an `@`, email address) starts with this.
    #[arg(long, value_name = "TEXT")]
    pub(crate) q: Option<String>,
    /// Only users with this role.
    #[arg(long, value_parser = RoleName::parse)]
    pub(crate) role: Option<RoleName>,
    /// Only disabled users.
    #[arg(long)]
    pub(crate) disabled: bool,
    /// Maximum number of users.
    #[arg(long, default_value_t = 50, value_parser = value_parser!(u32).range(1..=10_000))]
    pub(crate) limit: u32,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of commands that ask for confirmation.
#[derive(Debug, Args)]
pub(crate) struct Doomed {
    /// Username, email address or ID.
    pub(crate) user: String,
    /// Do not ask for confirmation.
    #[arg(long)]
    pub(crate) yes: bool,
}
