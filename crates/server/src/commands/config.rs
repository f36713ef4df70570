//! `gateward config`

use anyhow::ensure;
use gateward_diesel::CreateIfMissing;

use super::{complain, tell};
use crate::cli::ConfigCommand;
use crate::settings::Settings;
use crate::wiring::{mailer, wire};

/// Runs after the settings were validated.
pub(crate) async fn run(command: ConfigCommand, settings: &Settings) -> anyhow::Result<()> {
    match command {
        ConfigCommand::Check => {
            // Creating the mailer shows whether this machine can use the SMTP servers.
            mailer(&settings.mail)?;
            tell("Configuration is valid.");
        }
        ConfigCommand::Show => tell(settings.shown.trim_end()),
        ConfigCommand::SetIssuer { url } => set_issuer(&url, settings).await?,
    }
    Ok(())
}

/// The issuer is given twice, here and in the settings, because a typo would end all sessions.
async fn set_issuer(url: &str, settings: &Settings) -> anyhow::Result<()> {
    let issuer = &settings.policy.issuer;
    ensure!(
        url == issuer,
        "the issuer in the settings is {issuer}; first set tokens.issuer (or http.public_url) to \
         {url} on every node"
    );
    let wired = wire(settings, CreateIfMissing::No).await?;
    let progress = |count| complain(&format!("Ended {count} sessions so far …"));
    tell(&match wired.app.set_issuer(progress).await? {
        None => format!("The issuer is already {issuer}. Nothing was changed."),
        Some((before, count)) => format!(
            "Changed the issuer from {before} to {issuer}. Sessions ended: {count}. Tokens of the \
             old issuer no longer work. Restart nodes that still have other settings."
        ),
    });
    Ok(())
}
