//! The command line.

mod audit;
mod user;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, value_parser};
use gateward_app::domain::Timestamp;
use gateward_app::domain::email::EmailState;

pub(crate) use audit::AuditCommand;
pub(crate) use user::{Doomed, Listed, UserCommand};

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
    /// Make, list or change accounts.
    #[command(subcommand)]
    User(UserCommand),
    /// Explain a session, or end them all.
    #[command(subcommand)]
    Session(SessionCommand),
    /// Look at emails, or have them sent once more.
    #[command(subcommand)]
    Mail(MailCommand),
    /// Make, list or rotate keys.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Check or export the audit trail.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Look for what is wrong with this installation, and say how to put it right; exits with 1 if
    /// there is something.
    Doctor {
        /// Print a JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Print the API document (openapi.json) of the default settings.
    Openapi,
}

/// What to do with the settings.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Say what is wrong with them, if anything.
    Check,
    /// Print what is in force, secrets hidden.
    Show,
    /// Give the database the issuer of the settings; what the one before has issued ends.
    SetIssuer {
        /// The new issuer; it must be that of the settings.
        url: String,
    },
}

/// What to do with sessions.
#[derive(Debug, Subcommand)]
pub(crate) enum SessionCommand {
    /// Tell when a session began, what happened to it, and why it is over.
    Explain {
        /// Which; it stands in tokens as `sid`, and in answers as `session_id`.
        id: String,
        /// Print a JSON object.
        #[arg(long)]
        json: bool,
    },
    /// End every session that began before a time: after a backup was restored, which has forgotten
    /// whose sessions ended since.
    EndAll {
        /// In UTC, such as 2026-11-20T04:10:00Z; without it, now.
        #[arg(long, value_name = "TIME", value_parser = time)]
        before: Option<Timestamp>,
    },
}

fn time(text: &str) -> Result<Timestamp, String> {
    let time: jiff::Timestamp =
        text.parse().map_err(|_| "write it as 2026-11-20T04:10:00Z".to_owned())?;
    Ok(Timestamp::from_micros(time.as_microsecond()))
}

/// What to do with emails.
#[derive(Debug, Subcommand)]
pub(crate) enum MailCommand {
    /// List emails, the newest first.
    List {
        /// Only those in this state: waiting, sent, discarded or failed.
        #[arg(long, value_parser = state)]
        state: Option<EmailState>,
        /// How many at most.
        #[arg(long, default_value_t = 50, value_parser = value_parser!(u32).range(1..=10_000))]
        limit: u32,
        /// Print a JSON array.
        #[arg(long)]
        json: bool,
    },
    /// Show one email.
    Show {
        /// Which; `gateward mail list` tells.
        id: String,
        /// Print a JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Have emails tried again that were given up.
    Retry(Retried),
    /// Write every email with the data of an example into a folder.
    Render {
        /// Which folder; made if it is not there.
        folder: PathBuf,
    },
}

/// Which emails are tried again.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Retried {
    /// This one.
    pub(crate) id: Option<String>,
    /// All that were given up.
    #[arg(long)]
    pub(crate) all: bool,
}

fn state(name: &str) -> Result<EmailState, String> {
    EmailState::from_name(name)
        .ok_or_else(|| "it is one of waiting, sent, dropped, dead".to_owned())
}

/// What to do with keys.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Print a new master key.
    GenerateMaster,
    /// List the signing keys.
    List,
    /// Make the next signing keys; they sign once every verifier can know them.
    Rotate {
        /// Declare all keys compromised: new ones sign at once, and what the old ones signed is
        /// dead.
        #[arg(long)]
        compromised: bool,
    },
    /// Retire one key: its successor is made, and signs once every verifier can know it.
    Retire {
        /// Which; `gateward keys list` tells.
        // One name in 64 begins with a hyphen.
        #[arg(allow_hyphen_values = true)]
        key: String,
        /// Declare it compromised: its successor signs at once, and what it signed is dead.
        #[arg(long)]
        compromised: bool,
    },
    /// Seal all keys with the master key, where the previous one of the settings has sealed them.
    Rewrap,
}
