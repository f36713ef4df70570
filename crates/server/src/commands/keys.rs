//! `gateward keys`

use gateward_app::Rotated;
use gateward_app::domain::Timestamp;
use gateward_app::domain::key::KeyState;
use gateward_crypto::{MasterKey, SystemEntropy};

use super::{ready, tell};
use crate::cli::KeysCommand;
use crate::settings::Settings;

/// Prints a new master key; needs no settings.
#[expect(clippy::unnecessary_wraps, reason = "all commands look alike")]
pub(crate) fn generate() -> anyhow::Result<()> {
    tell(MasterKey::generate(&SystemEntropy::new()).to_base64().as_str());
    Ok(())
}

pub(crate) async fn run(command: KeysCommand, settings: &Settings) -> anyhow::Result<()> {
    match command {
        KeysCommand::GenerateMaster => generate(),
        KeysCommand::List => list(settings).await,
        KeysCommand::Rotate => rotate(settings).await,
    }
}

async fn list(settings: &Settings) -> anyhow::Result<()> {
    let wired = ready(settings).await?;
    let keys = wired.app.list_keys().await?;
    let now = wired.app.now();
    tell(&format!("{:<45} {:<8} {:<9} {:<9} SIGNS FROM", "KEY", "PURPOSE", "ALGORITHM", "STATE"));
    for key in &keys {
        let state = match wired.app.key_state(key, &keys, now) {
            KeyState::Next => "next",
            KeyState::Signing => "signing",
            KeyState::Retiring => "retiring",
            KeyState::Retired => "retired",
        };
        tell(&format!(
            "{:<45} {:<8} {:<9} {state:<9} {}",
            key.id.to_string(),
            key.purpose.as_str(),
            key.algorithm.as_str(),
            gateward_http::rfc3339(key.active_from)
        ));
    }
    Ok(())
}

async fn rotate(settings: &Settings) -> anyhow::Result<()> {
    let wired = ready(settings).await?;
    let when = |time: Timestamp| gateward_http::rfc3339(time);
    tell(&match wired.app.rotate_keys().await? {
        Rotated::From(time) => format!(
            "New keys are made and published. They sign from {}, when every verifier can know them.",
            when(time)
        ),
        Rotated::WaitingUntil(time) => format!(
            "Keys that were made before are published and sign from {}; no more were made.",
            when(time)
        ),
    });
    Ok(())
}
