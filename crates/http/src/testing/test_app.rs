//! `TestApp`: the whole interface with an in-memory store, real tokens and a manual clock.

use std::sync::Arc;

use actix_web::App as Application;
use actix_web::body::BoxBody;
use actix_web::dev::ServiceResponse;
use actix_web::test::{self, TestRequest};
use gateward_app::domain::feed::{FeedItem, InvalidationEvent};
use gateward_app::domain::ports::{
    Access, Inbox, InlineTasks, NoAuthCache, NoBreachedPasswords, NoMetrics, NoOutboxNotifier,
    Store, TokenSigner,
};
use gateward_app::{NewAlgorithm, Policy, Ports};
use gateward_crypto::{DialectClaims, Keyring, KeyringSettings, MasterKey, SystemEntropy};
use gateward_testkit::{
    DroppingMailer, FaultyStore, FixedClock, MemoryStore, PlainHasher, StoreFault, fixtures,
};

use super::panicking_signer::PanickingSigner;
use super::{AUDIENCE, TestResponse, options, policy};
use crate::{App, Options, RequestMetrics};

/// The service and the ports that tests observe and control.
pub(crate) struct TestApp {
    pub(crate) app: App,
    pub(crate) clock: FixedClock,
    pub(crate) store: MemoryStore,
    pub(crate) hasher: Arc<PlainHasher>,
    pub(crate) keyring: Arc<Keyring>,
    faulty_store: FaultyStore,
}

impl TestApp {
    /// A service with one account, `ada`.
    pub(crate) async fn new() -> Self {
        Self::with(options()).await
    }

    /// A service with these options and one account, `ada`.
    pub(crate) async fn with(options: Options) -> Self {
        let test_app = Self::set_up(options, policy()).await;
        test_app.sign_up("ada", "ada@example.org").await;
        test_app
    }

    /// A service without accounts.
    pub(crate) async fn empty() -> Self {
        Self::set_up(options(), policy()).await
    }

    /// A service with these options and this policy, without accounts.
    pub(crate) async fn set_up(options: Options, policy: Policy) -> Self {
        Self::build(options, policy, |keyring| keyring).await
    }

    /// A service that panics whenever it uses the store or a token.
    pub(crate) async fn panicking() -> Self {
        let test_app = Self::build(options(), policy(), |_| Arc::new(PanickingSigner)).await;
        test_app.set_fault(Some(StoreFault::Panic));
        test_app
    }

    async fn build(
        options: Options,
        policy: Policy,
        signer: impl FnOnce(Arc<Keyring>) -> Arc<dyn TokenSigner>,
    ) -> Self {
        let (faulty_store, clock) = (FaultyStore::new(), FixedClock::default());
        let (hasher, entropy) = (Arc::new(PlainHasher::default()), Arc::new(SystemEntropy::new()));
        let settings = KeyringSettings {
            issuer: policy.issuer.clone(),
            audience: AUDIENCE.to_owned(),
            access_ttl_seconds: policy.access_ttl_seconds,
            session_max_seconds: policy.session_max_seconds,
            verified_max: 0,
            dialect_claims: DialectClaims {
                simplejwt: options.dialects.simplejwt.is_some(),
                flask: options.dialects.flask.is_some(),
            },
        };
        let master = MasterKey::generate(&*entropy);
        let keyring = Arc::new(Keyring::new(settings, master, entropy.clone()));
        let ports = Ports {
            store: Arc::new(faulty_store.clone()),
            hasher: hasher.clone(),
            signer: signer(keyring.clone()),
            links: keyring.clone(),
            audit_keys: keyring.clone(),
            breached: Arc::new(NoBreachedPasswords),
            metrics: Arc::new(NoMetrics),
            tasks: Arc::new(InlineTasks),
            auth_cache: Arc::new(NoAuthCache),
            outbox_notifier: Arc::new(NoOutboxNotifier),
            mailer: Arc::new(DroppingMailer),
            key_maker: keyring.clone(),
            clock: Arc::new(clock.clone()),
            entropy,
        };
        let core = gateward_app::App::new(ports, policy).await.unwrap();
        core.prepare_keys(NewAlgorithm::Begins).await.unwrap();
        let app = App::new(Arc::new(core), options);
        let store = faulty_store.memory().clone();
        Self { app, clock, store, hasher, keyring, faulty_store }
    }

    /// Counts requests with `metrics`.
    pub(crate) fn counted_by(self, metrics: Arc<dyn RequestMetrics>) -> Self {
        Self { app: self.app.with_request_metrics(metrics), ..self }
    }

    /// Serves this development inbox.
    pub(crate) fn with_inbox(self, inbox: Arc<dyn Inbox>) -> Self {
        Self { app: self.app.with_inbox(inbox), ..self }
    }

    /// The number of started transactions.
    pub(crate) fn transactions(&self) -> u32 {
        self.faulty_store.transactions()
    }

    /// Makes the store fail like this from now on, or work.
    pub(crate) fn set_fault(&self, fault: Option<StoreFault>) {
        self.faulty_store.set_fault(fault);
    }

    /// Sends a request without reading the body of the response.
    pub(crate) async fn call(&self, request: TestRequest) -> ServiceResponse<BoxBody> {
        let app = Application::new().configure(|config| crate::configure(&self.app, config));
        let service = test::init_service(app).await;
        test::call_service(&service, request.to_request()).await.map_into_boxed_body()
    }

    /// Sends a request and reads the response.
    pub(crate) async fn send(&self, request: TestRequest) -> TestResponse {
        let response = self.call(request).await;
        let (status, headers) = (response.status(), response.headers().clone());
        let text = String::from_utf8(test::read_body(response).await.to_vec()).unwrap();
        TestResponse::new(status, headers, text)
    }

    /// Adds invalidation events to the feed.
    pub(crate) async fn publish(&self, events: impl IntoIterator<Item = InvalidationEvent>) {
        let at = fixtures::NOW;
        let item = |invalidation| FeedItem { invalidation, at, until: at.plus_seconds(910) };
        let items: Vec<FeedItem> = events.into_iter().map(item).collect();
        let mut tx = self.store.begin(Access::Write).await.unwrap();
        tx.insert_invalidation_events(&items).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Whether a session is active in the store.
    pub(crate) fn is_active(&self, session_id: &str) -> bool {
        let sessions = self.store.sessions();
        let session = sessions.iter().find(|session| session.id.to_string() == session_id);
        session.unwrap().end(self.app.core().now()).is_none()
    }
}
