//! `EndpointFixture`: the service with an in-memory store that counts transactions and can fail,
//! and its callers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use actix_web::App as Application;
use actix_web::body::BoxBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gateward_app::domain::email::EmailMessage;
use gateward_app::domain::feed::{FeedItem, InvalidationEvent};
use gateward_app::domain::ports::{
    Access, FeedWatch, HashError, InlineTasks, MailError, Mailer, NoAuthCache, NoBreachedPasswords,
    NoMetrics, NoOutboxNotifier, PasswordHasher, Store, StoreError, Tx,
};
use gateward_app::domain::{EmailAddress, Password, PasswordHash, Username};
use gateward_app::{NewAccount, NewAlgorithm, Policy, Ports};
use gateward_crypto::{DialectClaims, Keyring, KeyringSettings, MasterKey, SystemEntropy};
use gateward_testkit::{FixedClock, MemoryStore, fixtures};
use serde_json::{Value, json};

use crate::{ApiClient, App, ClientRight, Options};

pub(super) const URL: &str = "https://auth.example.org";
pub(super) const AUDIENCE: &str = "https://api.example.org";
pub(super) const PASSWORD: &str = "correct horse battery";

/// How long a password confirmation is recent, in seconds; shorter than an access token lives.
pub(super) const RECENT_SECONDS: i64 = 300;

/// A client with all rights.
pub(super) const CLIENT: &str = "checker";

/// The secret of every client.
pub(super) const SECRET: &str = "6f1c9a7e42d83b5064f7a1e9c03d8b52";

/// An in-memory store that counts transactions and can be made to fail.
#[derive(Default)]
struct FragileStore {
    store: MemoryStore,
    started: AtomicU32,
    is_broken: AtomicBool,
}

#[async_trait]
impl Store for FragileStore {
    async fn begin(&self, access: Access) -> Result<Box<dyn Tx>, StoreError> {
        self.started.fetch_add(1, Ordering::Relaxed);
        if self.is_broken.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable("canary: broken on purpose".into()));
        }
        self.store.begin(access).await
    }

    async fn watch_feed(&self) -> Result<Box<dyn FeedWatch>, StoreError> {
        self.store.watch_feed().await
    }
}

/// Hashes by prefixing the password with `plain:`; sends no emails.
struct Plain;

#[async_trait]
impl PasswordHasher for Plain {
    async fn hash(&self, password: &Password) -> Result<PasswordHash, HashError> {
        Ok(PasswordHash::from_phc(format!("plain:{}", password.expose())))
    }

    async fn verify(&self, password: &Password, hash: &PasswordHash) -> Result<bool, HashError> {
        Ok(hash.expose().strip_prefix("plain:") == Some(password.expose()))
    }

    fn needs_rehash(&self, _: &PasswordHash) -> bool {
        false
    }
}

#[async_trait]
impl Mailer for Plain {
    async fn send(&self, _: &EmailMessage) -> Result<(), MailError> {
        Ok(())
    }
}

/// The service and the ports that tests observe and control.
pub(super) struct EndpointFixture {
    pub(super) app: App,
    pub(super) clock: FixedClock,
    pub(super) keyring: Arc<Keyring>,
    fragile: Arc<FragileStore>,
}

/// A complete response.
pub(super) struct TestResponse {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl TestResponse {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The status and code of a problem.
    pub(super) fn problem(&self) -> (u16, String) {
        let code = self.json()["code"].as_str().unwrap_or_default().to_owned();
        (self.status.as_u16(), code)
    }
}

/// A logged-in user.
pub(super) struct LoggedIn {
    pub(super) access: String,
    pub(super) refresh: String,
    pub(super) session_id: String,
    pub(super) user_id: String,
}

impl LoggedIn {
    /// A request with the access token.
    pub(super) fn sends(&self, request: TestRequest) -> TestRequest {
        request.insert_header(("authorization", format!("Bearer {}", self.access)))
    }
}

impl EndpointFixture {
    pub(super) async fn new() -> Self {
        let clock = FixedClock::default();
        let entropy = Arc::new(SystemEntropy::new());
        let settings = KeyringSettings {
            issuer: URL.to_owned(),
            audience: AUDIENCE.to_owned(),
            access_ttl_seconds: 900,
            session_max_seconds: 30 * 24 * 3600,
            verified_max: 0,
            dialect_claims: DialectClaims::default(),
        };
        let master = MasterKey::generate(&*entropy);
        let keyring = Arc::new(Keyring::new(settings, master, entropy.clone()));
        let fragile = Arc::new(FragileStore::default());
        let ports = Ports {
            store: fragile.clone(),
            hasher: Arc::new(Plain),
            signer: keyring.clone(),
            links: keyring.clone(),
            audit_keys: keyring.clone(),
            breached: Arc::new(NoBreachedPasswords),
            metrics: Arc::new(NoMetrics),
            tasks: Arc::new(InlineTasks),
            auth_cache: Arc::new(NoAuthCache),
            outbox_notifier: Arc::new(NoOutboxNotifier),
            mailer: Arc::new(Plain),
            key_maker: keyring.clone(),
            clock: Arc::new(clock.clone()),
            entropy,
        };
        let core = gateward_app::App::new(ports, policy()).await.unwrap();
        core.prepare_keys(NewAlgorithm::Begins).await.unwrap();
        Self { app: App::new(Arc::new(core), options()), clock, keyring, fragile }
    }

    pub(super) fn store(&self) -> &MemoryStore {
        &self.fragile.store
    }

    /// The number of started transactions.
    pub(super) fn started(&self) -> u32 {
        self.fragile.started.load(Ordering::Relaxed)
    }

    /// Makes the store fail or work.
    pub(super) fn break_store(&self, is_broken: bool) {
        self.fragile.is_broken.store(is_broken, Ordering::Relaxed);
    }

    /// Sends a request without reading the response.
    pub(super) async fn call(&self, request: TestRequest) -> ServiceResponse<BoxBody> {
        let app = Application::new().configure(|config| crate::configure(&self.app, config));
        call_service(&init_service(app).await, request.to_request()).await.map_into_boxed_body()
    }

    pub(super) async fn send(&self, request: TestRequest) -> TestResponse {
        let response = self.call(request).await;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = String::from_utf8(read_body(response).await.to_vec()).unwrap();
        TestResponse { status, headers, body }
    }

    /// Creates an account and logs in to it.
    pub(super) async fn sign_in(&self, name: &str, admin: bool) -> LoggedIn {
        let account = NewAccount {
            username: Username::parse(name).unwrap(),
            email: EmailAddress::parse(&format!("{name}@example.org")).unwrap(),
            password: Password::received(PASSWORD.to_owned()).unwrap(),
            admin,
        };
        self.app.core().create_user(account).await.unwrap();
        self.log_in(name, "First/1").await
    }

    /// Logs in with this user agent.
    pub(super) async fn log_in(&self, name: &str, agent: &'static str) -> LoggedIn {
        let body = json!({ "username": name, "password": PASSWORD });
        let request = TestRequest::post().uri("/v1/login").insert_header(("user-agent", agent));
        let reply = self.send(request.set_json(body)).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
        let pair = reply.json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        LoggedIn {
            access: text(&pair["access_token"]),
            refresh: text(&pair["refresh_token"]),
            session_id: text(&pair["session_id"]),
            user_id: text(&pair["user"]["id"]),
        }
    }

    /// Adds invalidation events to the feed.
    pub(super) async fn tell(&self, invalidation: impl IntoIterator<Item = InvalidationEvent>) {
        let at = fixtures::NOW;
        let item = |invalidation| FeedItem { invalidation, at, until: at.plus_seconds(910) };
        let items: Vec<FeedItem> = invalidation.into_iter().map(item).collect();
        let mut tx = self.store().begin(Access::Write).await.unwrap();
        tx.insert_invalidation_events(&items).await.unwrap();
        tx.commit().await.unwrap();
    }
}

/// The header with the credentials of a client.
pub(super) fn basic(name: &str, secret: &str) -> (&'static str, String) {
    ("authorization", format!("Basic {}", STANDARD.encode(format!("{name}:{secret}"))))
}

fn policy() -> Policy {
    Policy {
        reauthentication_seconds: RECENT_SECONDS,
        email_interval_seconds: None,
        ..Policy::new(URL)
    }
}

fn options() -> Options {
    use ClientRight::{Introspect, Revocations, Revoke};
    let client =
        |name: &str, may: &[ClientRight]| ApiClient::new(name.to_owned(), SECRET, may.to_vec());
    Options {
        clients: vec![
            client(CLIENT, &[Introspect, Revoke, Revocations]),
            client("introspect", &[Introspect]),
            client("revoke", &[Revoke]),
            client("revocations", &[Revocations]),
            client("idle", &[]),
        ],
        ..Options::new(URL)
    }
}
