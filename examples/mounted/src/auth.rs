//! Gateward in this application: its adapters, its keys and its background jobs.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use gateward_cache::NodeAuthCache;
use gateward_crypto::{
    Argon2Hasher, Argon2Settings, Keyring, KeyringSettings, MasterKey, SystemClock, SystemEntropy,
};
use gateward_diesel::{CreateIfMissing, migrate, open};
use gateward_email::{DevInbox, MailSettings, Sender};
use gateward_http::app::domain::ports::{NoBreachedPasswords, NoMetrics, NoOutboxNotifier};
use gateward_http::app::{App as UseCases, Following, NewAlgorithm, Policy, Ports};
use gateward_http::{App, Options, SameSite, SpawnedTasks};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

/// Poll interval of the feed. The cache is fresh for half a second; after that each request reads
/// the database.
const FEED_INTERVAL: Duration = Duration::from_millis(250);

/// Interval between checks of the age of the keys.
const KEY_INTERVAL: Duration = Duration::from_mins(1);

/// Maximum number of cached users.
const USERS_MAX: usize = 1_000;

/// Maximum number of cached verified tokens.
const TOKENS_MAX: usize = 1_000;

/// Interval between cleanups.
const CLEANUP_INTERVAL: Duration = Duration::from_mins(1);

/// Interval between runs that append events to the audit chain. Events written since can be changed
/// undetected.
const CHAIN_INTERVAL: Duration = Duration::from_secs(1);

/// Poll interval of the outbox. A person who waits for an email does not notice half a second.
const EMAIL_INTERVAL: Duration = Duration::from_millis(500);

/// Maximum number of emails delivered at once.
const EMAILS_AT_ONCE: u32 = 8;

/// The sender of emails. Its name is how they refer to the application.
const SENDER: &str = "Notes <notes@localhost.invalid>";

/// Connects the ports to their adapters, on a database in `folder`, and prepares the keys.
pub async fn wire(folder: &Path, public_url: &str) -> anyhow::Result<App> {
    fs::create_dir_all(folder)?;
    let database = format!("sqlite://{}", folder.join("auth.db").display());
    migrate(&database, CreateIfMissing::Yes).await?;
    let store = open(&database, &gateward_diesel::Options::default()).await?;

    let policy = Policy::new(public_url);
    let settings = KeyringSettings {
        issuer: policy.issuer.clone(),
        audience: public_url.to_owned(),
        access_ttl_seconds: policy.access_ttl_seconds,
        session_max_seconds: policy.session_max_seconds,
        verified_max: TOKENS_MAX,
        dialect_claims: gateward_crypto::DialectClaims::default(),
    };
    let entropy = Arc::new(SystemEntropy::new());
    let master_key = master_key(&folder.join("master.key"), &entropy)?;
    let keyring = Arc::new(Keyring::new(settings, master_key, entropy.clone()));
    let hasher = Argon2Hasher::new(Argon2Settings::default(), entropy.clone())?;
    let emails = MailSettings {
        from: Sender::parse(SENDER)?,
        public_url: public_url.to_owned(),
        templates: None,
    };
    // A public application uses an `SmtpMailer` here, and no inbox.
    let inbox = Arc::new(DevInbox::new(emails, Arc::new(SystemClock))?);
    let ports = Ports {
        store,
        hasher: Arc::new(hasher),
        signer: keyring.clone(),
        links: keyring.clone(),
        audit_keys: keyring.clone(),
        breached: Arc::new(NoBreachedPasswords),
        metrics: Arc::new(NoMetrics),
        tasks: Arc::new(SpawnedTasks),
        auth_cache: Arc::new(NodeAuthCache::new(policy.access_ttl_seconds, USERS_MAX)),
        // The outbox is polled.
        outbox_notifier: Arc::new(NoOutboxNotifier),
        mailer: inbox.clone(),
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
        dialects: gateward_http::Dialects::default(),
        same_site: SameSite::Lax,
        clients: Vec::new(),
    };
    Ok(App::new(Arc::new(use_cases), options).with_inbox(inbox))
}

/// Returns the key that wraps the private keys in the database. It must be kept as long as they
/// are.
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

/// Runs Gateward's background jobs for as long as the application runs. Spawn it once per process.
pub async fn background_jobs(auth: App) {
    tokio::join!(follow_feed(&auth), keep_house(&auth), deliver_emails(&auth));
}

/// Applies ended sessions, changed users and new keys of any node.
async fn follow_feed(auth: &App) {
    let (mut look, mut following) = (interval(FEED_INTERVAL), Following::default());
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        look.tick().await;
        match auth.core().follow_feed(&mut following).await {
            Ok(followed) if followed.is_new => auth.announce_invalidations(),
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the feed could not be followed"),
        }
    }
}

/// Rotates old keys, appends to the audit chain, and cleans up.
async fn keep_house(auth: &App) {
    let (mut keys, mut clean_up) = (interval(KEY_INTERVAL), interval(CLEANUP_INTERVAL));
    let mut position = interval(CHAIN_INTERVAL);
    loop {
        tokio::select! {
            _ = position.tick() => {
                if let Err(error) = auth.core().chain_events().await {
                    tracing::warn!(%error, "the audit trail could not be sealed");
                }
            }
            _ = keys.tick() => {
                if let Err(error) = auth.core().rotate_old_keys().await {
                    tracing::warn!(%error, "the keys could not be looked at");
                }
            }
            _ = clean_up.tick() => {
                if let Err(error) = auth.core().clean_up().await {
                    tracing::warn!(%error, "cleanup failed");
                }
                if let Err(error) = auth.core().apply_audit_retention().await {
                    tracing::warn!(%error, "the audit trail could not be cleaned up");
                }
            }
        }
    }
}

/// Leases emails from the outbox and delivers them, several at once. Failed ones are retried
/// automatically.
async fn deliver_emails(auth: &App) {
    let mut look = interval(EMAIL_INTERVAL);
    loop {
        look.tick().await;
        let emails =
            auth.core().lease_outbox_emails(EMAILS_AT_ONCE).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "the outbox could not be read");
                Vec::new()
            });
        let mut under_way = JoinSet::new();
        for message in emails {
            let auth = auth.clone();
            under_way.spawn(async move { auth.core().deliver(message).await });
        }
        while let Some(delivered) = under_way.join_next().await {
            if let Ok(Err(error)) = delivered {
                tracing::warn!(%error, "an email could not be delivered");
            }
        }
    }
}
