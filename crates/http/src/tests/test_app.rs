//! The whole interface with an in-memory store, real tokens and a manual clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use actix_web::App as Application;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::test::{self, TestRequest};
use async_trait::async_trait;
use gateward_app::domain::ports::{
    HashError, InlineTasks, NoAuthCache, NoBreachedPasswords, NoMetrics, NoOutboxNotifier,
    PasswordHasher,
};
use gateward_app::domain::{EmailAddress, Password, PasswordHash, RequestInfo, Username};
use gateward_app::{NewAlgorithm, Policy, Ports, Signup};
use gateward_crypto::{DialectClaims, Keyring, KeyringSettings, MasterKey, SystemEntropy};
use gateward_testkit::{FixedClock, MemoryStore};
use serde_json::{Value, json};

use super::Hollow;
use crate::{App, Options, RequestMetrics};

pub(crate) const PASSWORD: &str = "correct horse battery";

/// The origin of the public URL.
pub(crate) const OURS: &str = "https://auth.example.org";

/// The only origin in `cors_origins`.
pub(crate) const LISTED: &str = "https://app.example.org";

pub(crate) fn policy() -> Policy {
    Policy { email_interval_seconds: None, ..Policy::new(OURS) }
}

pub(crate) fn options() -> Options {
    Options { cors_origins: vec![LISTED.to_owned()], ..Options::new(OURS) }
}

/// Hashes by writing `plain:` before the password, and counts.
#[derive(Default)]
pub(crate) struct PlainHasher {
    pub(crate) verified: AtomicU32,
}

#[async_trait]
impl PasswordHasher for PlainHasher {
    async fn hash(&self, password: &Password) -> Result<PasswordHash, HashError> {
        Ok(PasswordHash::from_phc(format!("plain:{}", password.expose())))
    }

    async fn verify(&self, password: &Password, hash: &PasswordHash) -> Result<bool, HashError> {
        self.verified.fetch_add(1, Ordering::Relaxed);
        Ok(hash.expose().strip_prefix("plain:") == Some(password.expose()))
    }

    fn needs_rehash(&self, _: &PasswordHash) -> bool {
        false
    }
}

/// The service and the ports that tests observe and control.
pub(crate) struct TestApp {
    pub(crate) app: App,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) store: MemoryStore,
    pub(crate) hasher: Arc<PlainHasher>,
}

impl TestApp {
    /// A service with one account, `ada`.
    pub(crate) async fn new() -> Self {
        Self::with(options()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let test_app = Self::empty(options, policy()).await;
        test_app.sign_up("ada", "ada@example.org").await;
        test_app
    }

    /// A service without accounts.
    pub(crate) async fn empty(options: Options, policy: Policy) -> Self {
        let (store, hasher) = (MemoryStore::new(), Arc::new(PlainHasher::default()));
        let clock = Arc::new(FixedClock::default());
        let entropy = Arc::new(SystemEntropy::new());
        let settings = KeyringSettings {
            issuer: policy.issuer.clone(),
            audience: OURS.to_owned(),
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
            store: Arc::new(store.clone()),
            hasher: hasher.clone(),
            signer: keyring.clone(),
            links: keyring.clone(),
            audit_keys: keyring.clone(),
            breached: Arc::new(NoBreachedPasswords),
            metrics: Arc::new(NoMetrics),
            tasks: Arc::new(InlineTasks),
            auth_cache: Arc::new(NoAuthCache),
            outbox_notifier: Arc::new(NoOutboxNotifier),
            mailer: Arc::new(Hollow),
            key_maker: keyring,
            clock: clock.clone(),
            entropy,
        };
        let core = gateward_app::App::new(ports, policy).await.unwrap();
        core.prepare_keys(NewAlgorithm::Begins).await.unwrap();
        let app = App::new(Arc::new(core), options);
        Self { app, clock, store, hasher }
    }

    pub(crate) async fn sign_up(&self, username: &str, email: &str) {
        let signup = Signup {
            username: Username::parse(username).unwrap(),
            email: EmailAddress::parse(email).unwrap(),
            password: Password::received(PASSWORD.to_owned()).unwrap(),
            request_info: RequestInfo::default(),
        };
        self.app.core().signup(signup).await.unwrap();
    }

    /// Counts requests with `metrics`.
    pub(crate) fn counted_by(self, metrics: Arc<dyn RequestMetrics>) -> Self {
        Self { app: self.app.with_request_metrics(metrics), ..self }
    }

    /// Sends a request and reads the response.
    pub(crate) async fn ask(&self, request: TestRequest) -> TestResponse {
        let service = test::init_service(
            Application::new().configure(|config| crate::configure(&self.app, config)),
        )
        .await;
        let response = test::call_service(&service, request.to_request()).await;
        let (status, headers) = (response.status(), response.headers().clone());
        let text = String::from_utf8(test::read_body(response).await.to_vec()).unwrap();
        let body = serde_json::from_str(&text).unwrap_or_default();
        TestResponse { status, headers, text, body }
    }

    /// Logs `ada` in in bearer mode and returns the response.
    pub(crate) async fn bearer(&self) -> TestResponse {
        self.ask(login("bearer")).await.is(StatusCode::OK)
    }

    /// Logs `ada` in in cookie mode.
    pub(crate) async fn browser(&self) -> Browser {
        Browser::of(&self.ask(login("cookie")).await.is(StatusCode::OK))
    }

    /// Whether a session is active in the store.
    pub(crate) fn lives(&self, session_id: &str) -> bool {
        let sessions = self.store.sessions();
        let session = sessions.iter().find(|session| session.id.to_string() == session_id);
        session.unwrap().end(self.app.core().now()).is_none()
    }
}

/// A login of `ada`.
pub(crate) fn login(transport: &str) -> TestRequest {
    let body = json!({"username": "ada", "password": PASSWORD, "transport": transport});
    TestRequest::post().uri("/v1/login").set_json(body)
}

/// A response.
#[derive(Debug)]
pub(crate) struct TestResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) body: Value,
}

impl TestResponse {
    /// Checks the status.
    pub(crate) fn is(self, status: StatusCode) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// Checks that the response is a problem with this code and sets no cookie.
    pub(crate) fn refused(self, code: &str) -> Self {
        assert_eq!(self.body["code"], code, "{self:?}");
        assert_eq!(self.cookies(), [""; 0]);
        self
    }

    /// A string in the body.
    pub(crate) fn text_of(&self, member: &str) -> &str {
        self.body[member].as_str().unwrap_or_else(|| panic!("no {member} in {self:?}"))
    }

    /// The names of the fields of the body.
    pub(crate) fn members(&self) -> Vec<&str> {
        self.body.as_object().unwrap().keys().map(String::as_str).collect()
    }

    /// A header, which must be present.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}")).to_str().unwrap()
    }

    /// The `Set-Cookie` headers.
    pub(crate) fn cookies(&self) -> Vec<&str> {
        self.headers.get_all("set-cookie").map(|line| line.to_str().unwrap()).collect()
    }

    /// The value of a cookie that is set.
    pub(crate) fn cookie(&self, name: &str) -> &str {
        let mut values = self.cookies().into_iter().filter_map(|line| {
            line.split(';').next().unwrap().strip_prefix(name)?.strip_prefix('=')
        });
        values.next().unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }
}

/// A browser with the cookies of a session.
#[derive(Clone, Debug)]
pub(crate) struct Browser {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) csrf: String,
    pub(crate) session_id: String,
}

impl Browser {
    /// Creates a browser with the cookies of a response.
    pub(crate) fn of(reply: &TestResponse) -> Self {
        let cookie = |name| reply.cookie(name).to_owned();
        Self {
            access: cookie("__Host-gateward-access"),
            refresh: cookie("__Secure-gateward-refresh"),
            csrf: cookie("__Host-gateward-csrf"),
            session_id: reply.text_of("session_id").to_owned(),
        }
    }

    /// A request with the cookies for this path, without the CSRF token.
    pub(crate) fn bare(&self, method: &str, path: &str) -> TestRequest {
        let Self { access, refresh, csrf, .. } = self;
        let refresh = match path {
            "/v1/refresh" => format!("__Secure-gateward-refresh={refresh}; "),
            _ => String::new(),
        };
        let line = format!(
            "theirs=1; __Host-gateward-access={access}; {refresh}__Host-gateward-csrf={csrf}"
        );
        let request = TestRequest::default().method(method.parse().unwrap()).uri(path);
        request.insert_header(("cookie", line))
    }

    /// A request of our own page: with the cookies for this path and the CSRF token.
    pub(crate) fn request(&self, method: &str, path: &str) -> TestRequest {
        self.bare(method, path).insert_header(("x-csrf-token", self.csrf.as_str()))
    }
}
