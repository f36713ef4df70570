//! `gateward keys`

use std::time::Duration;

use gateward_app::domain::key::{KeyId, KeyState};
use gateward_app::{App, RetireError, Retired, Rotated};
use gateward_crypto::{MasterKey, SystemEntropy};
use gateward_http::rfc3339;

use super::{ready, tell};
use crate::cli::KeysCommand;
use crate::settings::Settings;

/// The time in which every node learns that a key was revoked.
const SPREAD: Duration = Duration::from_secs(2);

/// Prints a new master key.
#[expect(clippy::unnecessary_wraps, reason = "all commands look alike")]
pub(crate) fn generate() -> anyhow::Result<()> {
    tell(MasterKey::generate(&SystemEntropy::new()).to_base64().as_str());
    Ok(())
}

pub(crate) async fn run(command: KeysCommand, settings: &Settings) -> anyhow::Result<()> {
    match command {
        KeysCommand::GenerateMaster => generate(),
        KeysCommand::List => list(settings).await,
        KeysCommand::Rotate { compromised } => rotate(settings, compromised).await,
        KeysCommand::Retire { key, compromised } => retire(settings, &key, compromised).await,
        KeysCommand::Rewrap => rewrap(settings).await,
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
            KeyState::Retired if key.revoked_at.is_some() => "revoked",
            KeyState::Retired => "retired",
        };
        tell(&format!(
            "{:<45} {:<8} {:<9} {state:<9} {}",
            key.id.to_string(),
            key.purpose.as_str(),
            key.algorithm.as_str(),
            rfc3339(key.active_from)
        ));
    }
    Ok(())
}

async fn rotate(settings: &Settings, compromised: bool) -> anyhow::Result<()> {
    let wired = ready(settings).await?;
    if compromised {
        return revoke_all(&wired.app).await;
    }
    tell(&match wired.app.rotate_keys().await? {
        Rotated::From(time) => format!(
            "Created and published new keys. They become active at {}, once every verifier can \
             have fetched them.",
            rfc3339(time)
        ),
        Rotated::WaitingUntil(time) => format!(
            "New keys are already scheduled and become active at {}. No further keys were created.",
            rfc3339(time)
        ),
    });
    Ok(())
}

/// Revokes all active keys. Those that do not sign yet go first, so that none of them replaces a
/// revoked one.
async fn revoke_all(app: &App) -> anyhow::Result<()> {
    let (keys, now) = (app.list_keys().await?, app.now());
    let order = |state: KeyState| match state {
        KeyState::Next => 0,
        KeyState::Retiring => 1,
        KeyState::Signing => 2,
        KeyState::Retired => 3,
    };
    let mut active: Vec<_> = keys
        .iter()
        .map(|key| (order(app.key_state(key, &keys, now)), key))
        // The settings of this shell may consider a key retired that nodes still use.
        .filter(|(_, key)| key.revoked_at.is_none())
        .collect();
    active.sort_by_key(|(order, _)| *order);
    for (_, key) in active {
        revoke(app, &key.id).await?;
    }
    Ok(())
}

async fn retire(settings: &Settings, key: &str, compromised: bool) -> anyhow::Result<()> {
    let wired = ready(settings).await?;
    let id = KeyId(key.to_owned());
    if compromised {
        return revoke(&wired.app, &id).await;
    }
    let done = wired.app.retire_key(&id).await.map_err(|error| refusal(&id, error))?;
    tell(&outcome(&id, done));
    Ok(())
}

/// Revokes a key. Nodes may use it until they learn of that, so everything it signed is ended
/// twice.
async fn revoke(app: &App, id: &KeyId) -> anyhow::Result<()> {
    let first = app.revoke_key(id).await.map_err(|error| refusal(id, error))?;
    tokio::time::sleep(SPREAD).await;
    let second = app.revoke_key(id).await.map_err(|error| refusal(id, error))?;
    tell(&outcome(id, first.and(second)));
    Ok(())
}

fn refusal(id: &KeyId, error: RetireError) -> anyhow::Error {
    match error {
        RetireError::NoSuchKey => {
            anyhow::anyhow!("no key with ID {id}; see: gateward keys list")
        }
        RetireError::Keys(error) => error.into(),
    }
}

/// The result of retiring a key.
fn outcome(id: &KeyId, done: Retired) -> String {
    match done {
        Retired::SuccessorFrom(time) => format!(
            "Key {id} signs until {}; its successor is published. Tokens that it signed stay valid \
             until they expire.",
            rfc3339(time)
        ),
        Retired::Withdrawn => format!("Key {id} was removed before it was used."),
        Retired::Already => format!("Key {id} is already retired. Nothing was changed."),
        Retired::Compromised { sessions, links } => format!(
            "Revoked key {id}; another key signs now. Sessions ended: {sessions}, emailed links \
             revoked: {links}."
        ),
    }
}

async fn rewrap(settings: &Settings) -> anyhow::Result<()> {
    let wired = ready(settings).await?;
    let count = wired.app.rewrap_keys().await?;
    tell(&format!(
        "Wrapped {count} keys with keys.master_key. Once every node has it, remove \
         keys.previous_master_key."
    ));
    Ok(())
}
