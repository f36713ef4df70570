//! Wiring: connects ports with their adapters.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use gateward_app::domain::ports::{Inbox, Mailer, Store, StoreError};
use gateward_app::{App, KeysError, NewAlgorithm};
use gateward_crypto::{MasterKey, MasterKeys, SystemClock, SystemEntropy};
use gateward_diesel::{
    CreateIfMissing, MigrateError, OpenError, Options, PostgresStore, migrate, open, pending,
};
use gateward_email::{DevInbox, SmtpMailer};
use gateward_node::{ConnectionLoad, Node, read_master_key, write_master_key};

use crate::settings::{Mail, MasterKeySource, Settings, Transport};

/// The node, as the settings describe it.
pub(crate) struct Wired {
    pub(crate) node: Node,
    /// The use cases of the node.
    pub(crate) app: Arc<App>,
    /// A new master key that must be saved, and its path.
    new_master_key: Option<(MasterKey, PathBuf)>,
}

/// Builds the node. A database that is down is no error yet.
///
/// `create` says whether a SQLite database is created at the very first start.
pub(crate) async fn wire(settings: &Settings, create: CreateIfMissing) -> anyhow::Result<Wired> {
    let (master_key, new_master_key) = match &settings.master_key {
        MasterKeySource::Given(key) => (key.clone(), None),
        MasterKeySource::Generated(path) => {
            if let Some(key) = read_master_key(path)? {
                (key, None)
            } else {
                let key = MasterKey::generate(&SystemEntropy::new());
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
    let previous = settings.previous_master_key.clone();
    let master_keys = MasterKeys { present: master_key, previous };
    let (mailer, inbox) = mailer(&settings.mail)?;
    let mut builder = Node::builder(store, master_keys, mailer, settings.policy.clone())
        .audience(settings.audience.clone())
        .http(settings.http.clone())
        .argon2(settings.argon2)
        .breached(settings.breached.clone())
        .cached_tokens(settings.cached_tokens)
        .cached_users(settings.cached_users);
    if let Some(inbox) = inbox {
        builder = builder.inbox(inbox);
    }
    if let Some(connections) = connections {
        builder = builder.connections(move || load(&connections));
    }
    let node = builder.build().await?;
    Ok(Wired { app: node.core().clone(), node, new_master_key })
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

fn load(connections: &PostgresStore) -> ConnectionLoad {
    let load = connections.load();
    ConnectionLoad { size: load.size, in_use: load.in_use, waiting: load.waiting }
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
        self.node.prepare_keys(new_algorithm).await.map_err(of_keys)
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
        write_master_key(key, path).map_err(|error| BringUpError::Fatal(error.into()))?;
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
