//! The commands, one file each.

pub(crate) mod audit;
pub(crate) mod config;
pub(crate) mod doctor;
pub(crate) mod keys;
pub(crate) mod mail;
pub(crate) mod migrate;
pub(crate) mod openapi;
pub(crate) mod serve;
pub(crate) mod session;
mod table;
pub(crate) mod user;

use std::io::Write;

use gateward_app::NewAlgorithm;
use gateward_diesel::CreateIfMissing;

use crate::settings::Settings;
use crate::wiring::{BringUpError, Wired, wire};

/// Prints a line to standard output; a closed pipe is ignored.
pub(crate) fn tell(line: &str) {
    let _ = std::io::stdout().write_all(format!("{line}\n").as_bytes());
}

/// Prints a line to standard error.
pub(crate) fn complain(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Wires the service for a command that works on the database and exits.
async fn ready(settings: &Settings) -> anyhow::Result<Wired> {
    // In the wrong folder, a command must not create an unused database.
    let wired = wire(settings, CreateIfMissing::No).await?;
    // The operator's shell may lack a setting that the service has.
    wired.bring_up(settings, NewAlgorithm::Waits).await.map_err(BringUpError::into_inner)?;
    Ok(wired)
}
