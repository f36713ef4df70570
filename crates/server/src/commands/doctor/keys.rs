//! The keys, the issuer, and the audit trail, which is signed with one of the keys.

use gateward_app::domain::Timestamp;
use gateward_app::domain::key::{KeyPurpose, StoredKey};
use gateward_app::{App, KeysError, Policy};
use gateward_diesel::CreateIfMissing;

use super::finding::{Code, Finding};
use super::{chain, settings};
use crate::settings::Settings;
use crate::wiring::wire;

/// A day in seconds: how much older than configured a key may get before it is a finding.
const DAY_SECONDS: i64 = 24 * 3600;

/// Checks keys and issuer; returns the IDs of the public keys if they could be read.
pub(super) async fn check(settings: &Settings) -> (Vec<Finding>, Option<Vec<String>>) {
    // Already reported, and the key cannot be used until it is fixed.
    if settings::exposed_key(settings).is_some() {
        return (Vec::new(), None);
    }
    let (stored, other) = match read(settings).await {
        Err(KeysFault::OtherIssuer(issuer)) => {
            // Continues with the stored issuer, so that the rest is checked too.
            let policy = Policy { issuer: issuer.clone(), ..settings.policy.clone() };
            let finding = of_issuer(&settings.policy.issuer, &issuer);
            (read(&Settings { policy, ..settings.clone() }).await, Some(finding))
        }
        read => (read, None),
    };
    let mut found = Vec::from_iter(other);
    let key_ids = match stored {
        Ok((app, keys)) => {
            found.extend(of_keys(&app, &keys).await);
            Some(public_ids(&keys))
        }
        Err(KeysFault::Found(finding)) => {
            found.push(finding);
            None
        }
        // It has just changed.
        Err(KeysFault::OtherIssuer(_)) => None,
    };
    (found, key_ids)
}

/// Why the keys could not be read.
enum KeysFault {
    /// The database belongs to this issuer.
    OtherIssuer(String),
    /// Anything else.
    Found(Finding),
}

async fn read(settings: &Settings) -> Result<(std::sync::Arc<App>, Vec<StoredKey>), KeysFault> {
    let wired = wire(settings, CreateIfMissing::No).await.map_err(|error| {
        let what = format!("a node cannot start: {error:#}");
        KeysFault::Found(Finding::new(Code::Start, what, "fix this, then run this again"))
    })?;
    match wired.app.list_keys().await {
        Ok(keys) => Ok((wired.app, keys)),
        Err(KeysError::OtherIssuer { stored, .. }) => Err(KeysFault::OtherIssuer(stored)),
        Err(error @ KeysError::NoInstance) => Err(KeysFault::Found(Finding::warning(
            Code::NeverUsed,
            error.to_string(),
            "start a node: gateward serve",
        ))),
        Err(error) => Err(KeysFault::Found(Finding::unanswered("the keys", error))),
    }
}

fn of_issuer(configured: &str, stored: &str) -> Finding {
    Finding::new(
        Code::Issuer,
        format!("the database belongs to the issuer {stored}, but the settings have {configured}"),
        "set tokens.issuer (or http.public_url) to the issuer of the database, or change the \
         issuer: gateward config set-issuer URL",
    )
}

async fn of_keys(app: &App, keys: &[StoredKey]) -> Vec<Finding> {
    let mut found = overdue(keys, app.policy().rotate_after_days, app.now());
    match app.reload_keys().await {
        Ok(()) => found.extend(chain::check(app).await),
        Err(KeysError::Key(error)) => found.push(Finding::new(
            Code::MasterKey,
            format!(
                "keys.master_key does not match this database: {error}; the audit trail was \
                     not checked"
            ),
            "set the master key that its signing keys are wrapped with, or restore its file",
        )),
        Err(error) => found.push(Finding::unanswered("keys and audit trail", error)),
    }
    found
}

/// Findings for purposes whose newest key is too old.
pub(super) fn overdue(keys: &[StoredKey], rotate_after_days: i64, now: Timestamp) -> Vec<Finding> {
    let age_max = rotate_after_days.saturating_add(1).saturating_mul(DAY_SECONDS);
    let newest_of = |purpose: KeyPurpose| {
        let active = keys.iter().filter(move |key| key.purpose == purpose);
        let newest = active.filter(|key| key.revoked_at.is_none()).map(|key| key.active_from).max();
        (purpose, newest)
    };
    let finding = |(purpose, newest): (KeyPurpose, Option<Timestamp>)| {
        let purpose = purpose.as_str();
        let what = match newest.map(|from| now.seconds_since(from)) {
            None => format!("there is no key for the purpose {purpose}"),
            Some(age) if age > age_max => format!(
                "the newest key for the purpose {purpose} is {} days old; keys rotate after \
                 {rotate_after_days}",
                age / DAY_SECONDS
            ),
            Some(_) => return None,
        };
        let remedy = "start a node, which creates the next key, and check its log; or run: \
                      gateward keys rotate";
        Some(Finding::new(Code::KeyOverdue, what, remedy))
    };
    KeyPurpose::ALL.into_iter().map(newest_of).filter_map(finding).collect()
}

fn public_ids(keys: &[StoredKey]) -> Vec<String> {
    let public = keys.iter().filter(|key| key.purpose == KeyPurpose::Access);
    public.map(|key| key.id.to_string()).collect()
}
