//! Wiring: connects ports with their adapters.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use gateward_app::domain::ports::{Inbox, Mailer, Store, StoreError};
use gateward_app::{App, KeysError, NewAlgorithm, Ports};
use gateward_cache::NodeAuthCache;
use gateward_crypto::{
    Argon2Hasher, DialectClaims, Keyring, KeyringSettings, MasterKey, MasterKeys, SystemClock,
    SystemEntropy,
};
use gateward_diesel::{
    CreateIfMissing, MigrateError, OpenError, Options, PostgresStore, migrate, open, pending,
};
use gateward_email::{DevInbox, SmtpMailer};

use crate::outbox_worker::WorkerNotifier;
use crate::recorder::PrometheusMetrics;
use crate::settings::{Mail, MasterKeySource, Settings, Transport, is_exposed};

/// The use cases with their adapters.
pub(crate) struct Wired {
    pub(crate) app: Arc<App>,
    pub(crate) hasher: Arc<Argon2Hasher>,
    /// The connections to a server, if the store is on one.
    pub(crate) connections: Option<PostgresStore>,
    /// This node's cache of sessions and users.
    pub(crate) auth_cache: Arc<NodeAuthCache>,
    /// Notifies the outbox worker.
    pub(crate) notifier: Arc<WorkerNotifier>,
    /// The inbox of development mode.
    pub(crate) inbox: Option<Arc<dyn Inbox>>,
    /// A new master key that must be saved, and its path.
    new_master_key: Option<(MasterKey, PathBuf)>,
}

/// Connects ports with their adapters. A database that is down is no error yet.
///
/// `create` says whether a SQLite database is created at the very first start.
pub(crate) async fn wire(settings: &Settings, create: CreateIfMissing) -> anyhow::Result<Wired> {
    let entropy = Arc::new(SystemEntropy::new());
    let (master_key, new_master_key) = match &settings.master_key {
        MasterKeySource::Given(key) => (key.clone(), None),
        MasterKeySource::Generated(path) => {
            if let Some(key) = read_master_key(path)? {
                (key, None)
            } else {
                let key = MasterKey::generate(&*entropy);
                (key.clone(), Some((key, path.clone())))
            }
        }
    };
    // Without a master key this is the very first start. With one, a missing database was lost, and
    // must not silently come back empty.
    let first_start = new_master_key.is_some();
    let create = if first_start { create } else { CreateIfMissing::No };
    let options = Options { pool_size: settings.pool_size, create };
    let (store, connections) = open_store(settings.database_url.expose(), &options).await?;
    let keyring_settings = KeyringSettings {
        issuer: settings.policy.issuer.clone(),
        audience: settings.audience.clone(),
        access_ttl_seconds: settings.policy.access_ttl_seconds,
        session_max_seconds: settings.policy.session_max_seconds,
        verified_max: settings.cached_tokens,
        dialect_claims: DialectClaims {
            simplejwt: settings.http.dialects.simplejwt.is_some(),
            flask: settings.http.dialects.flask.is_some(),
        },
    };
    let previous = settings.previous_master_key.clone();
    let master_keys = MasterKeys { present: master_key, previous };
    let keyring = Arc::new(Keyring::new(keyring_settings, master_keys, entropy.clone()));
    let auth_cache =
        Arc::new(NodeAuthCache::new(settings.policy.access_ttl_seconds, settings.cached_users));
    let notifier = Arc::new(WorkerNotifier::default());
    let hasher = Arc::new(Argon2Hasher::new(settings.argon2, entropy.clone())?);
    let (mailer, inbox) = mailer(&settings.mail)?;
    let ports = Ports {
        store,
        hasher: hasher.clone(),
        signer: keyring.clone(),
        links: keyring.clone(),
        audit_keys: keyring.clone(),
        breached: settings.breached.clone(),
        metrics: Arc::new(PrometheusMetrics),
        tasks: Arc::new(gateward_http::SpawnedTasks),
        auth_cache: auth_cache.clone(),
        outbox_notifier: notifier.clone(),
        mailer,
        key_maker: keyring,
        clock: Arc::new(SystemClock),
        entropy,
    };
    let app = Arc::new(App::new(ports, settings.policy.clone()).await?);
    Ok(Wired { app, hasher, connections, auth_cache, notifier, inbox, new_master_key })
}

/// A store, and the same one again if it has a connection pool.
type StoreAndConnections = (Arc<dyn Store>, Option<PostgresStore>);

async fn open_store(url: &str, options: &Options) -> Result<StoreAndConnections, OpenError> {
    if url.starts_with("sqlite:") {
        return Ok((open(url, options).await?, None));
    }
    let store = PostgresStore::open(url, options.pool_size)?;
    Ok((Arc::new(store.clone()), Some(store)))
}

/// The mailer, and the inbox in development.
type MailerAndInbox = (Arc<dyn Mailer>, Option<Arc<dyn Inbox>>);

/// Creates the mailer. Does not connect yet.
pub(crate) fn mailer(mail: &Mail) -> anyhow::Result<MailerAndInbox> {
    let (emails, clock) = (mail.settings.clone(), Arc::new(SystemClock));
    match &mail.transport {
        Transport::Inbox => {
            let inbox = DevInbox::new(emails, clock).context("cannot create the inbox")?;
            let inbox = Arc::new(inbox);
            Ok((inbox.clone(), Some(inbox)))
        }
        Transport::Smtp { smtp_server, fallback } => {
            let mailer = SmtpMailer::new(emails, smtp_server.clone(), fallback.clone(), clock)
                .context("mail.smtp_url or mail.fallback_smtp_url cannot be used")?;
            Ok((Arc::new(mailer), None))
        }
    }
}

/// Why a node could not be brought up.
#[derive(Debug)]
pub(crate) enum BringUpError {
    /// The database cannot be reached; a retry may help.
    Outage(anyhow::Error),
    /// An operator must fix something.
    Fatal(anyhow::Error),
}

impl BringUpError {
    /// The error, whatever its kind.
    pub(crate) fn into_inner(self) -> anyhow::Error {
        match self {
            Self::Outage(error) | Self::Fatal(error) => error,
        }
    }
}

impl Wired {
    /// Migrates the database and loads its keys; creates both at the first start.
    pub(crate) async fn bring_up(
        &self,
        settings: &Settings,
        new_algorithm: NewAlgorithm,
    ) -> Result<(), BringUpError> {
        if settings.migrate_on_start {
            let applied = migrate(settings.database_url.expose(), CreateIfMissing::No).await;
            for name in applied.map_err(of_migration)? {
                tracing::info!(migration = %name, "migration applied");
            }
        } else {
            let missing = pending(settings.database_url.expose()).await.map_err(of_migration)?;
            if !missing.is_empty() {
                let count = missing.len();
                return Err(BringUpError::Fatal(anyhow::anyhow!(
                    "the database is missing {count} migrations and database.migrate_on_start is \
                     false; run: gateward migrate"
                )));
            }
        }
        self.keep_master_key().await?;
        self.app.prepare_keys(new_algorithm).await.map_err(of_keys)
    }

    /// Saves a new master key, unless there are keys that it cannot decrypt.
    async fn keep_master_key(&self) -> Result<(), BringUpError> {
        let Some((key, path)) = &self.new_master_key else { return Ok(()) };
        match self.app.list_keys().await {
            Ok(keys) if keys.is_empty() => {}
            Err(KeysError::NoInstance) => {}
            Err(error) => return Err(of_keys(error)),
            // An earlier attempt created them with this key.
            Ok(_) if read_master_key(path).is_ok_and(|kept| kept.is_some()) => return Ok(()),
            Ok(_) => {
                let message = format!(
                    "{} is missing, but the keys in the database are wrapped with it; restore the \
                     file",
                    path.display()
                );
                return Err(BringUpError::Fatal(anyhow::anyhow!(message)));
            }
        }
        write_master_key(key, path).map_err(BringUpError::Fatal)?;
        tracing::info!(path = %path.display(), "master key created");
        Ok(())
    }
}

/// Classifies an error of the migrations.
pub(crate) fn of_migration(error: MigrateError) -> BringUpError {
    match error {
        MigrateError::Unreachable(_) => BringUpError::Outage(
            anyhow::Error::from(error)
                .context("cannot use the server of database.url; start it, or correct the setting"),
        ),
        _ => BringUpError::Fatal(error.into()),
    }
}

fn of_keys(error: KeysError) -> BringUpError {
    match error {
        KeysError::Store(StoreError::Unavailable(_) | StoreError::Busy) => {
            BringUpError::Outage(error.into())
        }
        KeysError::Key(_) => BringUpError::Fatal(anyhow::Error::from(error).context(
            "keys.master_key does not match this database; set the master key that its signing \
             keys are wrapped with",
        )),
        KeysError::OtherIssuer { .. } => BringUpError::Fatal(anyhow::Error::from(error).context(
            "tokens.issuer does not match this database; set it (or http.public_url) to the issuer \
             of the database, or change the issuer: gateward config set-issuer URL",
        )),
        _ => BringUpError::Fatal(error.into()),
    }
}

/// Reads the master key that an earlier start created.
fn read_master_key(path: &Path) -> anyhow::Result<Option<MasterKey>> {
    let shown = path.display();
    let exposed = is_exposed(path);
    match exposed.and_then(|exposed| Ok((exposed, fs::read_to_string(path)?))) {
        Ok((false, text)) => Ok(Some(MasterKey::from_base64(text.trim()).with_context(|| {
            format!("{shown} does not contain a valid master key; restore the original file")
        })?)),
        Ok((true, _)) => {
            bail!(
                "{shown} contains the master key and is readable by other users; run: chmod 600 \
                 {shown}"
            )
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => bail!("cannot read the master key from {shown}: {error}"),
    }
}

/// Saves a new master key, readable only by its owner. Never overwrites, never writes half a key.
fn write_master_key(key: &MasterKey, path: &Path) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let draft = folder.join(format!("master.key.{}", std::process::id()));
    let written = fs::create_dir_all(folder).and_then(|()| {
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        writeln!(file, "{}", key.to_base64().as_str())?;
        file.sync_all()?;
        fs::hard_link(&draft, path)?;
        // The directory entry must survive a power loss too: without it, all keys are lost.
        File::open(folder)?.sync_all()
    });
    let _ = fs::remove_file(&draft);
    match written {
        // An earlier attempt got this far.
        Err(error)
            if error.kind() == ErrorKind::AlreadyExists
                && fs::read_to_string(path)
                    .is_ok_and(|text| text.trim() == key.to_base64().as_str()) =>
        {
            Ok(())
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!("another process has just created {}; start again", path.display())
        }
        written => written.with_context(|| format!("cannot create {}", path.display())),
    }
}

#[cfg(test)]
pub(crate) mod testing {
    //! A node for tests, on a database of its own.

    use std::collections::BTreeMap;

    use super::*;

    /// A node at its very first start.
    pub(crate) struct Node {
        pub(crate) wired: Wired,
        pub(crate) settings: Settings,
        _folder: tempfile::TempDir,
    }

    pub(crate) async fn brought_up() -> Node {
        let folder = tempfile::tempdir().unwrap();
        let database = format!("sqlite://{}/gateward.db", folder.path().display());
        let options = [
            ("GATEWARD__DATABASE__URL", database.as_str()),
            ("GATEWARD__PASSWORD__ARGON2_MEMORY_KIB", "7168"),
            ("GATEWARD__KEYS__MASTER_KEY", "q83vEjRWeJASNFZ4kKvN7wEjRWeJq83vq83vEjRWeJA="),
        ];
        let environment: BTreeMap<String, String> =
            options.map(|(variable, value)| (variable.to_owned(), value.to_owned())).into();
        let settings = Settings::from_layers(None, &environment).unwrap();
        migrate(&database, CreateIfMissing::Yes).await.unwrap();
        let wired = wire(&settings, CreateIfMissing::No).await.unwrap();
        wired.bring_up(&settings, NewAlgorithm::Begins).await.unwrap();
        Node { wired, settings, _folder: folder }
    }
}
