//! `gateward config`

use super::tell;
use crate::cli::ConfigCommand;
use crate::settings::Settings;

/// The settings were found good before this is called.
#[expect(clippy::unnecessary_wraps, reason = "all commands look alike")]
pub(crate) fn run(command: ConfigCommand, settings: &Settings) -> anyhow::Result<()> {
    match command {
        ConfigCommand::Check => tell("The settings are in order."),
        ConfigCommand::Show => tell(settings.shown.trim_end()),
    }
    Ok(())
}
