//! Gateward in this application: its adapters, its keys and its chores.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use gateward_crypto::{
    Argon2Hasher, Argon2Settings, Keyring, KeyringSettings, MasterKey, SystemClock, SystemEntropy,
};
use gateward_diesel::{CreateIfMissing, migrate, open};
use gateward_http::app::domain::PasswordPolicy;
use gateward_http::app::domain::key::Algorithm;
use gateward_http::app::{App as UseCases, NewAlgorithm, Policy, Ports};
use gateward_http::{App, Options};
use tokio::time::interval;

/// How often the node looks for keys that another has made: within ten seconds all must know them.
const KEY_INTERVAL: Duration = Duration::from_secs(5);

/// How often sessions that no longer matter are swept away.
const SWEEP_INTERVAL: Duration = Duration::from_mins(1);

/// Gives the ports their adapters, on a database in `folder`, and makes the keys ready.
pub async fn wire(folder: &Path, public_url: &str) -> anyhow::Result<App> {
    fs::create_dir_all(folder)?;
    let database = format!("sqlite://{}", folder.join("auth.db").display());
    migrate(&database, CreateIfMissing::Yes).await?;
    let store = open(&database, &gateward_diesel::Options::default()).await?;

    let policy = policy(public_url);
    let settings = KeyringSettings {
        issuer: policy.issuer.clone(),
        audience: public_url.to_owned(),
        access_ttl_seconds: policy.access_ttl_seconds,
        session_max_seconds: policy.session_max_seconds,
    };
    let entropy = Arc::new(SystemEntropy::new());
    let master_key = master_key(&folder.join("master.key"), &entropy)?;
    let keyring = Arc::new(Keyring::new(settings, master_key, entropy.clone()));
    let hasher = Argon2Hasher::new(Argon2Settings::default(), entropy.clone())?;
    let ports = Ports {
        store,
        hasher: Arc::new(hasher),
        signer: keyring.clone(),
        key_maker: keyring,
        clock: Arc::new(SystemClock),
        entropy,
    };
    let use_cases = UseCases::new(ports, policy).await?;
    use_cases.prepare_keys(NewAlgorithm::Begins).await?;
    let options = Options {
        public_url: public_url.to_owned(),
        base_path: "/v1".to_owned(),
        trusted_proxies: Vec::new(),
        cors_origins: Vec::new(),
        docs: false,
    };
    Ok(App::new(Arc::new(use_cases), options))
}

/// The defaults of `config/default.toml`.
fn policy(public_url: &str) -> Policy {
    Policy {
        issuer: public_url.to_owned(),
        key_algorithm: Algorithm::EdDsa,
        jwks_cache_seconds: 600,
        access_ttl_seconds: 900,
        refresh_idle_seconds: 7 * 24 * 3600,
        session_max_seconds: 30 * 24 * 3600,
        refresh_leeway_seconds: 10,
        sessions_per_user_max: 100,
        password: PasswordPolicy { length_min: 8 },
        signup_enabled: true,
    }
}

/// The key that seals the private keys in the database. It must last as long as they do.
fn master_key(path: &Path, entropy: &SystemEntropy) -> anyhow::Result<MasterKey> {
    match fs::read_to_string(path) {
        Ok(text) => MasterKey::from_base64(text.trim()).context("master.key holds no key"),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let key = MasterKey::generate(entropy);
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            writeln!(file, "{}", key.to_base64().as_str())?;
            file.sync_all()?;
            Ok(key)
        }
        Err(error) => Err(error).context("master.key cannot be read"),
    }
}

/// What Gateward needs done for as long as the application runs. Spawn it once per process.
pub async fn chores(auth: App) {
    let (mut keys, mut sweep) = (interval(KEY_INTERVAL), interval(SWEEP_INTERVAL));
    loop {
        tokio::select! {
            _ = keys.tick() => {
                if let Err(error) = auth.core().reload_keys().await {
                    tracing::warn!(%error, "the keys could not be read");
                }
            }
            _ = sweep.tick() => {
                if let Err(error) = auth.core().sweep().await {
                    tracing::warn!(%error, "sweeping failed");
                }
            }
        }
    }
}
