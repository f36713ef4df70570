//! `gateward config`

use super::tell;
use crate::cli::ConfigCommand;
use crate::settings::Settings;
use crate::wiring::mailer;

/// The settings were found good before this is called.
pub(crate) fn run(command: ConfigCommand, settings: &Settings) -> anyhow::Result<()> {
    match command {
        ConfigCommand::Check => {
            // What a relay needs of this machine shows when its mailer is made.
            mailer(&settings.mail)?;
            tell("The settings are in order.");
        }
        ConfigCommand::Show => tell(settings.shown.trim_end()),
    }
    Ok(())
}
