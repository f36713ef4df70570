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

/// Tells the person at the terminal something. A reader who went away needs no answer.
pub(crate) fn tell(line: &str) {
    let _ = std::io::stdout().write_all(format!("{line}\n").as_bytes());
}

/// The same for what went wrong.
pub(crate) fn complain(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// What a command needs that works on the database and stops.
async fn ready(settings: &Settings) -> anyhow::Result<Wired> {
    // In the wrong folder, a command must not make a database that nobody serves.
    let wired = wire(settings, CreateIfMissing::No).await?;
    // The shell of an operator may lack the setting that the service has.
    wired.bring_up(settings, NewAlgorithm::Waits).await.map_err(BringUpError::into_inner)?;
    Ok(wired)
}
