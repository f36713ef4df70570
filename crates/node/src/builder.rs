//! `NodeBuilder`: the parts of a node, with their defaults.

use std::sync::Arc;

use gateward_app::domain::ports::{
    BreachedPasswords, HashError, Inbox, Mailer, NoBreachedPasswords, Store,
};
use gateward_app::{App as Core, Policy, Ports};
use gateward_cache::NodeAuthCache;
use gateward_crypto::{
    Argon2Error, Argon2Hasher, Argon2Settings, DialectClaims, Keyring, KeyringSettings, MasterKeys,
    SystemClock, SystemEntropy,
};
use gateward_http::{App, Options, SpawnedTasks};

use crate::Node;
use crate::jobs;
use crate::jobs::outbox_worker::{OutboxWorker, WorkerNotifier};
use crate::metrics::{ConnectionLoad, ConnectionLoads, Loads, MetricsError, NodeMetrics};

/// How many verified access tokens are cached by default.
const CACHED_TOKENS: usize = 10_000;

/// How many users are cached by default.
const CACHED_USERS: usize = 10_000;

/// Why a node could not be built.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The parameters of the password hasher are out of range, or it cannot start its threads.
    #[error(transparent)]
    Hasher(#[from] Argon2Error),
    /// The password hasher does not work.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The metrics could not be set up.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
}

/// The parts of a node. Create it with [`Node::builder`].
pub struct NodeBuilder {
    store: Arc<dyn Store>,
    master_keys: MasterKeys,
    mailer: Arc<dyn Mailer>,
    audience: String,
    options: Options,
    policy: Policy,
    argon2: Argon2Settings,
    breached: Arc<dyn BreachedPasswords>,
    cached_tokens: usize,
    cached_users: usize,
    inbox: Option<Arc<dyn Inbox>>,
    connections: Option<ConnectionLoads>,
    metrics: bool,
}

/// The adapters that more than the use cases use.
struct Shared {
    hasher: Arc<Argon2Hasher>,
    auth_cache: Arc<NodeAuthCache>,
    notifier: Arc<WorkerNotifier>,
    entropy: Arc<SystemEntropy>,
}

impl NodeBuilder {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        master_keys: MasterKeys,
        mailer: Arc<dyn Mailer>,
        policy: Policy,
    ) -> Self {
        Self {
            store,
            master_keys,
            mailer,
            audience: policy.public_url.clone(),
            options: Options::new(&policy.public_url),
            policy,
            argon2: Argon2Settings::default(),
            breached: Arc::new(NoBreachedPasswords),
            cached_tokens: CACHED_TOKENS,
            cached_users: CACHED_USERS,
            inbox: None,
            connections: None,
            metrics: true,
        }
    }

    /// The `aud` claim of access tokens. By default the public URL.
    #[must_use]
    pub fn audience(self, audience: impl Into<String>) -> Self {
        Self { audience: audience.into(), ..self }
    }

    /// The options of the HTTP interface, its dialects among them. By default those of
    /// [`Options::new`].
    #[must_use]
    pub fn http(self, options: Options) -> Self {
        Self { options, ..self }
    }

    /// The parameters of password hashing.
    #[must_use]
    pub fn argon2(self, argon2: Argon2Settings) -> Self {
        Self { argon2, ..self }
    }

    /// Breached passwords, which are refused. By default no password is refused for that.
    #[must_use]
    pub fn breached(self, breached: Arc<dyn BreachedPasswords>) -> Self {
        Self { breached, ..self }
    }

    /// How many verified access tokens are cached, by default 10,000. 0 verifies each again.
    #[must_use]
    pub fn cached_tokens(self, cached_tokens: usize) -> Self {
        Self { cached_tokens, ..self }
    }

    /// How many users are cached, by default 10,000. 0 reads them from the store each time.
    #[must_use]
    pub fn cached_users(self, cached_users: usize) -> Self {
        Self { cached_users, ..self }
    }

    /// Serves the development inbox. See [`App::with_inbox`] for why it must never be public.
    #[must_use]
    pub fn inbox(self, inbox: Arc<dyn Inbox>) -> Self {
        Self { inbox: Some(inbox), ..self }
    }

    /// Shows the connections of the store in the metrics. `load` is called for each scrape.
    #[must_use]
    pub fn connections(self, load: impl Fn() -> ConnectionLoad + Send + Sync + 'static) -> Self {
        Self { connections: Some(Arc::new(load)), ..self }
    }

    /// Whether the node keeps metrics, which it does by default.
    #[must_use]
    pub fn metrics(self, metrics: bool) -> Self {
        Self { metrics, ..self }
    }

    /// Builds the node. Call it within a Tokio runtime. It does not use the store yet.
    pub async fn build(self) -> Result<Node, NodeError> {
        let shared = self.shared()?;
        let loads = Loads {
            hasher: shared.hasher.clone(),
            auth_cache: shared.auth_cache.clone(),
            connections: self.connections.clone(),
        };
        let metrics =
            if self.metrics { NodeMetrics::recording(loads)? } else { NodeMetrics::off() };
        let (entropy, notifier) = (shared.entropy.clone(), shared.notifier.clone());
        let (options, inbox) = (self.options.clone(), self.inbox.clone());
        let policy = self.policy.clone();
        let ports = self.ports(shared, &metrics);
        let core = Arc::new(Core::new(ports, policy).await?);
        let app = App::new(core.clone(), options).with_request_metrics(Arc::new(metrics.clone()));
        let app = match inbox {
            Some(inbox) => app.with_inbox(inbox),
            None => app,
        };
        let outbox = OutboxWorker::new(core.clone(), entropy, notifier, metrics.clone());
        let jobs = jobs::all(&app, &core, &outbox, &metrics);
        metrics.preset(&jobs);
        Ok(Node::new(app, core, outbox, metrics, jobs))
    }

    fn shared(&self) -> Result<Shared, NodeError> {
        let entropy = Arc::new(SystemEntropy::new());
        let (ttl, users) = (self.policy.access_ttl_seconds, self.cached_users);
        Ok(Shared {
            hasher: Arc::new(Argon2Hasher::new(self.argon2, entropy.clone())?),
            auth_cache: Arc::new(NodeAuthCache::new(ttl, users)),
            notifier: Arc::default(),
            entropy,
        })
    }

    /// Connects the ports with their adapters.
    fn ports(self, shared: Shared, metrics: &NodeMetrics) -> Ports {
        let Shared { hasher, auth_cache, notifier, entropy } = shared;
        let settings = KeyringSettings {
            issuer: self.policy.issuer,
            audience: self.audience,
            access_ttl_seconds: self.policy.access_ttl_seconds,
            session_max_seconds: self.policy.session_max_seconds,
            verified_max: self.cached_tokens,
            dialect_claims: DialectClaims {
                simplejwt: self.options.dialects.simplejwt.is_some(),
                flask: self.options.dialects.flask.is_some(),
            },
        };
        let keyring = Arc::new(Keyring::new(settings, self.master_keys, entropy.clone()));
        Ports {
            store: self.store,
            hasher,
            signer: keyring.clone(),
            links: keyring.clone(),
            audit_keys: keyring.clone(),
            breached: self.breached,
            metrics: Arc::new(metrics.clone()),
            tasks: Arc::new(SpawnedTasks),
            auth_cache,
            outbox_notifier: notifier,
            mailer: self.mailer,
            key_maker: keyring,
            clock: Arc::new(SystemClock),
            entropy,
        }
    }
}
