//! The command line.

mod audit;
mod user;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, value_parser};
use gateward_app::domain::Timestamp;
use gateward_app::domain::email::EmailState;

pub(crate) use audit::AuditCommand;
pub(crate) use user::{Doomed, Listed, UserCommand};

/// Self-hosted authentication service: users, sessions and tokens.
#[derive(Debug, Parser)]
#[command(name = "gateward", version, arg_required_else_help = false)]
pub(crate) struct Cli {
    /// Read settings from this TOML file; defaults to the file in `GATEWARD_CONFIG`.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The command; without one, serve.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the server.
    Serve,
    /// Apply pending database migrations.
    Migrate,
    /// Check or show the settings, or change the issuer.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Create, list and change users.
    #[command(subcommand)]
    User(UserCommand),
    /// Explain a session, or end all sessions.
    #[command(subcommand)]
    Session(SessionCommand),
    /// Inspect the outbox, retry emails, or render the templates.
    #[command(subcommand)]
    Mail(MailCommand),
    /// List, rotate and revoke keys, or generate a master key.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Verify or export the audit trail.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Find problems of this installation and suggest fixes.
    ///
    /// Exits with 1 if it finds a problem; warnings do not count.
    Doctor {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print the OpenAPI document for the default settings.
    Openapi,
}

/// The commands of `gateward config`.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check the settings and print every error.
    Check,
    /// Print the effective settings and where they come from; secrets are hidden.
    Show,
    /// Change the issuer of the database; ends all sessions, and old tokens stop working.
    SetIssuer {
        /// The new issuer; set it in the settings first.
        url: String,
    },
}

/// The commands of `gateward session`.
#[derive(Debug, Subcommand)]
pub(crate) enum SessionCommand {
    /// Show when a session started, what happened, and why it ended.
    Explain {
        /// Session ID: the `sid` of an access token, or the `session_id` of a response.
        id: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// End every session that started before a time.
    ///
    /// Use it after you restore a backup, which does not know which sessions ended since.
    EndAll {
        /// UTC time such as 2026-11-20T04:10:00Z; defaults to now.
        #[arg(long, value_name = "TIME", value_parser = time)]
        before: Option<Timestamp>,
    },
}

fn time(text: &str) -> Result<Timestamp, String> {
    let time: jiff::Timestamp =
        text.parse().map_err(|_| "use a UTC time such as 2026-11-20T04:10:00Z".to_owned())?;
    Ok(Timestamp::from_micros(time.as_microsecond()))
}

/// The commands of `gateward mail`.
#[derive(Debug, Subcommand)]
pub(crate) enum MailCommand {
    /// List emails, newest first.
    List {
        /// Only emails in this state: waiting, sent, discarded or failed.
        #[arg(long, value_parser = state)]
        state: Option<EmailState>,
        /// Maximum number of emails.
        #[arg(long, default_value_t = 50, value_parser = value_parser!(u32).range(1..=10_000))]
        limit: u32,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show one email.
    Show {
        /// Email ID; see `gateward mail list`.
        id: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Retry emails that failed permanently.
    Retry(Retried),
    /// Write every email with example data to a folder.
    Render {
        /// Output folder; created if missing.
        folder: PathBuf,
    },
}

/// The emails to retry.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Retried {
    /// Email ID; see `gateward mail list --state failed`.
    pub(crate) id: Option<String>,
    /// Retry all failed emails.
    #[arg(long)]
    pub(crate) all: bool,
}

fn state(name: &str) -> Result<EmailState, String> {
    EmailState::from_name(name)
        .ok_or_else(|| "must be one of: waiting, sent, discarded, failed".to_owned())
}

/// The commands of `gateward keys`.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Print a new master key.
    GenerateMaster,
    /// List the signing keys.
    List,
    /// Create new signing keys; they become active once every verifier can have fetched them.
    Rotate {
        /// Revoke all keys at once: existing tokens and sessions stop working.
        #[arg(long)]
        compromised: bool,
    },
    /// Replace one key; its successor becomes active once every verifier can have fetched it.
    Retire {
        /// Key ID; see `gateward keys list`.
        // One key ID in 64 begins with a hyphen.
        #[arg(allow_hyphen_values = true)]
        key: String,
        /// Revoke the key at once: everything it signed stops working.
        #[arg(long)]
        compromised: bool,
    },
    /// Re-encrypt all signing keys with the current master key.
    Rewrap,
}
