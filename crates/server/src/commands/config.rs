//! `gateward config`

use anyhow::ensure;
use gateward_diesel::CreateIfMissing;

use super::{complain, tell};
use crate::cli::ConfigCommand;
use crate::settings::Settings;
use crate::wiring::{mailer, wire};

/// The settings were found good before this is called.
pub(crate) async fn run(command: ConfigCommand, settings: &Settings) -> anyhow::Result<()> {
    match command {
        ConfigCommand::Check => {
            // What an SMTP server needs of this machine shows when its mailer is made.
            mailer(&settings.mail)?;
            tell("The settings are in order.");
        }
        ConfigCommand::Show => tell(settings.shown.trim_end()),
        ConfigCommand::SetIssuer { url } => set_issuer(&url, settings).await?,
    }
    Ok(())
}

/// The issuer is said twice, here and in the settings: everybody's tokens die with a slip.
async fn set_issuer(url: &str, settings: &Settings) -> anyhow::Result<()> {
    let issuer = &settings.policy.issuer;
    ensure!(
        url == issuer,
        "the settings say {issuer}; set tokens.issuer (or http.public_url) to {url} first, on every \
         node"
    );
    let wired = wire(settings, CreateIfMissing::No).await?;
    let progress = |count| complain(&format!("{count} sessions ended …"));
    tell(&match wired.app.set_issuer(progress).await? {
        None => format!("The issuer is {issuer} already; nothing was changed."),
        Some((before, count)) => format!(
            "The issuer is {issuer} from now on. What {before} has issued is dead, and {count} \
             sessions ended with it. Restart nodes that have other settings."
        ),
    });
    Ok(())
}
