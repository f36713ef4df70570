//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// An authentication service: accounts, sessions and tokens.
#[derive(Debug, Parser)]
#[command(name = "gateward", version, arg_required_else_help = false)]
pub(crate) struct Cli {
    /// A file of settings, in TOML.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// What to do; without a command, serve.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the service.
    Serve,
    /// Apply pending migrations and stop.
    Migrate,
    /// Check or show the settings.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Make or change accounts.
    #[command(subcommand)]
    User(UserCommand),
    /// Make, list or rotate keys.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Print the API document (openapi.json) of the default settings.
    Openapi,
}

/// What to do with the settings.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Say what is wrong with them, if anything.
    Check,
    /// Print what is in force, secrets hidden.
    Show,
}

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
    /// Shut an account and end its sessions.
    Disable {
        /// Its name or address.
        user: String,
    },
    /// Open an account that was shut.
    Enable {
        /// Its name or address.
        user: String,
    },
}

/// What to do with keys.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Print a new master key.
    GenerateMaster,
    /// List the signing keys.
    List,
    /// Make the next signing keys; they sign once every verifier can know them.
    Rotate,
}
