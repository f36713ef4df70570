//! The program `gateward`: settings, wiring and commands.
//!
//! It is a library so that a test can start a node in its own process: see [`EmbeddedNode`]. To
//! run a node in an application, use `gateward-node`.

mod cli;
mod commands;
mod embedded;
mod limits;
mod listening;
mod logs;
mod metrics;
mod settings;
mod tls;
mod wiring;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

pub use crate::embedded::EmbeddedNode;

use crate::cli::{Cli, Command};
use crate::settings::{SettingError, Settings};

/// Runs the program with the arguments of the process.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            for line in complaint(&error) {
                commands::complain(&line);
            }
            ExitCode::FAILURE
        }
    }
}

/// The lines to print: one for each invalid setting, or the error with its causes.
fn complaint(error: &anyhow::Error) -> Vec<String> {
    if let Some(BadSettings(errors)) = error.downcast_ref() {
        return errors.iter().map(|error| format!("error: {error}")).collect();
    }
    vec![format!("error: {error:#}")]
}

/// Some settings are invalid.
#[derive(Debug)]
struct BadSettings(Vec<SettingError>);

impl std::fmt::Display for BadSettings {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("some settings are invalid")?;
        self.0.iter().try_for_each(|error| write!(formatter, "; {error}"))
    }
}

impl std::error::Error for BadSettings {}

/// How long the runtime waits for remaining tasks when everything else has stopped.
const LAST_TASKS: Duration = Duration::from_secs(1);

fn run(cli: Cli) -> anyhow::Result<()> {
    // These commands need no settings.
    match cli.command {
        Some(Command::Keys(cli::KeysCommand::GenerateMaster)) => return commands::keys::generate(),
        Some(Command::Openapi) => return commands::openapi::print(),
        _ => {}
    }
    let settings = Settings::load(cli.config.as_deref());
    if let (Err(errors), Some(Command::Doctor { json })) = (&settings, &cli.command) {
        return commands::doctor::refuse(errors, *json);
    }
    let settings = settings.map_err(BadSettings)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        // Requests run on actix-web's own threads; commands and background jobs run here.
        .worker_threads(2)
        .enable_all()
        .build()?;
    let done = runtime.block_on(async {
        match cli.command.unwrap_or(Command::Serve) {
            Command::Serve => commands::serve::run(&settings).await,
            Command::Migrate => commands::migrate::run(&settings).await,
            Command::Config(command) => commands::config::run(command, &settings).await,
            Command::User(command) => commands::user::run(command, &settings).await,
            Command::Session(command) => commands::session::run(command, &settings).await,
            Command::Mail(command) => commands::mail::run(command, &settings).await,
            Command::Keys(command) => commands::keys::run(command, &settings).await,
            Command::Audit(command) => commands::audit::run(command, &settings).await,
            Command::Doctor { json } => commands::doctor::run(&settings, json).await,
            Command::Openapi => commands::openapi::print(),
        }
    });
    // A DNS lookup cannot be cancelled, and must not keep the process alive.
    runtime.shutdown_timeout(LAST_TASKS);
    done
}
