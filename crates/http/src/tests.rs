//! Tests of the middleware with failing ports; the modules test the whole interface.

mod cookies;
mod cors;
mod counted;
mod csrf;
mod docs_page;
mod document;
mod examples;
mod logouts;
mod refreshes;
pub(crate) mod test_app;
mod two_credentials;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use actix_web::{App as Application, HttpResponse, test, web};
use async_trait::async_trait;
use gateward_app::Ports;
use gateward_app::domain::audit::{Checkpoint, CheckpointKind};
use gateward_app::domain::email::EmailMessage;
use gateward_app::domain::key::{Algorithm, KeyId, KeyPurpose, StoredKey};
use gateward_app::domain::link::LinkSecret;
use gateward_app::domain::ports::{
    Access, AuditKeys, FeedWatch, HashError, InlineTasks, KeyError, KeyMaker, LinkMaker, MailError,
    Mailer, NoAuthCache, NoBreachedPasswords, NoMetrics, NoOutboxNotifier, PasswordHasher, Store,
    StoreError, TokenSigner, Tx,
};
use gateward_app::domain::refresh::{PresentedToken, Salt};
use gateward_app::domain::{
    AccessClaims, AccessGrant, Password, PasswordHash, Session, SessionId, Timestamp, TokenError,
    TokenText,
};
use gateward_testkit::{FixedClock, SeededEntropy};
use serde_json::{Value, json};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::App;
use test_app::{options, policy};

/// A store that panics in every transaction.
struct PanickingStore;

#[async_trait]
impl Store for PanickingStore {
    async fn begin(&self, _: Access) -> Result<Box<dyn Tx>, StoreError> {
        panic!("canary: the store panics");
    }

    async fn watch_feed(&self) -> Result<Box<dyn FeedWatch>, StoreError> {
        Err(StoreError::Busy)
    }
}

/// Accepts everything and stores nothing; its public keys panic.
struct Hollow;

#[async_trait]
impl PasswordHasher for Hollow {
    async fn hash(&self, _: &Password) -> Result<PasswordHash, HashError> {
        Ok(PasswordHash::from_phc(String::new()))
    }

    async fn verify(&self, _: &Password, _: &PasswordHash) -> Result<bool, HashError> {
        Ok(true)
    }

    fn needs_rehash(&self, _: &PasswordHash) -> bool {
        false
    }
}

impl TokenSigner for Hollow {
    fn sign_access(&self, _: &AccessGrant<'_>) -> Result<TokenText, TokenError> {
        Err(TokenError::NoKey)
    }

    fn sign_refresh(&self, _: &Session) -> Result<TokenText, TokenError> {
        Err(TokenError::NoKey)
    }

    fn verify_access(&self, _: &str, _: Timestamp) -> Result<AccessClaims, TokenError> {
        panic!("canary: the signer panics");
    }

    fn verify_access_ignoring_expiry(
        &self,
        _: &str,
        _: Timestamp,
    ) -> Result<AccessClaims, TokenError> {
        Err(TokenError::Invalid)
    }

    fn verify_refresh(&self, _: &str, _: Timestamp) -> Result<PresentedToken, TokenError> {
        Err(TokenError::Invalid)
    }

    fn csrf_token(&self, _: SessionId) -> Result<TokenText, TokenError> {
        Err(TokenError::NoKey)
    }

    fn refresh_key(&self, _: Timestamp) -> Result<KeyId, TokenError> {
        Err(TokenError::NoKey)
    }

    fn jwks(&self, _: Timestamp) -> Option<String> {
        panic!("canary: the key set panics");
    }
}

impl LinkMaker for Hollow {
    fn link_key(&self, _: Timestamp) -> Result<KeyId, TokenError> {
        Err(TokenError::NoKey)
    }

    fn link_secret(&self, _: &KeyId, _: &Salt) -> Result<LinkSecret, TokenError> {
        Err(TokenError::NoKey)
    }
}

impl AuditKeys for Hollow {
    fn sign_checkpoint(&self, _: CheckpointKind, _: &Checkpoint) -> Result<String, TokenError> {
        Err(TokenError::NoKey)
    }

    fn read_checkpoint(&self, _: &str) -> Result<(CheckpointKind, Checkpoint), TokenError> {
        Err(TokenError::Invalid)
    }

    fn pseudonym(&self, _: &str) -> Result<[u8; 32], TokenError> {
        Ok([0; 32])
    }
}

#[async_trait]
impl Mailer for Hollow {
    async fn send(&self, _: &EmailMessage) -> Result<(), MailError> {
        Ok(())
    }
}

impl KeyMaker for Hollow {
    fn make_key(
        &self,
        _: KeyPurpose,
        _: Algorithm,
        _: Timestamp,
        _: Timestamp,
    ) -> Result<StoredKey, KeyError> {
        Err(KeyError::Failed)
    }

    fn install_keys(&self, _: &[StoredKey]) -> Result<(), KeyError> {
        Ok(())
    }

    fn check_keys(&self, _: &[StoredKey]) -> Result<(), KeyError> {
        Ok(())
    }

    fn rewrap_key(&self, key: &StoredKey) -> Result<StoredKey, KeyError> {
        Ok(key.clone())
    }
}

/// Counts logged errors.
struct ErrorCount(Arc<AtomicU32>);

impl Subscriber for ErrorCount {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() || *metadata.level() == Level::ERROR
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
        event.record(&mut NoCanary);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Fails on a log line that repeats the message of a panic.
struct NoCanary;

impl Visit for NoCanary {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        assert!(!format!("{value:?}").contains("canary"), "{field}: {value:?}");
    }
}

pub(crate) async fn app() -> App {
    let ports = Ports {
        store: Arc::new(PanickingStore),
        hasher: Arc::new(Hollow),
        signer: Arc::new(Hollow),
        links: Arc::new(Hollow),
        audit_keys: Arc::new(Hollow),
        breached: Arc::new(NoBreachedPasswords),
        metrics: Arc::new(NoMetrics),
        auth_cache: Arc::new(NoAuthCache),
        outbox_notifier: Arc::new(NoOutboxNotifier),
        mailer: Arc::new(Hollow),
        key_maker: Arc::new(Hollow),
        clock: Arc::new(FixedClock::default()),
        entropy: Arc::new(SeededEntropy::new(1)),
        tasks: Arc::new(InlineTasks),
    };
    let core = gateward_app::App::new(ports, policy()).await.unwrap();
    App::new(Arc::new(core), options())
}

/// Counts the errors that are logged while a future runs.
async fn errors_logged<T>(work: impl Future<Output = T>) -> (T, u32) {
    let count = Arc::new(AtomicU32::new(0));
    let _guard = tracing::subscriber::set_default(ErrorCount(Arc::clone(&count)));
    let value = work.await;
    (value, count.load(Ordering::Relaxed))
}

/// Requests whose handlers panic: in the handler itself, and in a detached use case.
fn panicking() -> [TestRequest; 3] {
    let login = json!({"identifier": "ada", "password": "correct horse battery"});
    [
        TestRequest::get().uri("/.well-known/jwks.json"),
        TestRequest::get().uri("/v1/me").insert_header(("authorization", "Bearer x")),
        TestRequest::post().uri("/v1/login").set_json(login),
    ]
}

/// Rows F38 and 16.5.4: a panic becomes a 500 without details, is logged once, and does not affect
/// the process and other routes.
#[actix_web::test]
async fn f38_a_panic_is_a_problem_and_nothing_else() {
    let app = app().await;
    let service = test::init_service(
        Application::new()
            .configure(|config| crate::configure(&app, config))
            .route("/theirs", web::get().to(|| async { HttpResponse::Ok().body("theirs") })),
    )
    .await;
    for request in panicking() {
        let request = request.insert_header(("origin", "https://app.example.org")).to_request();
        let (response, errors) = errors_logged(test::call_service(&service, request)).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(errors, 1);
        let headers = response.headers().clone();
        let text = |name: &str| headers.get(name).unwrap().to_str().unwrap().to_owned();
        assert_eq!(text("content-type"), "application/problem+json");
        assert_eq!(text("x-content-type-options"), "nosniff");
        assert_eq!(text("referrer-policy"), "no-referrer");
        assert_eq!(text("cross-origin-resource-policy"), "same-origin");
        assert_eq!(text("cache-control"), "no-store");
        assert!(text("content-security-policy").contains("frame-ancestors 'none'"));
        assert_eq!(text("strict-transport-security"), "max-age=31536000; includeSubDomains");
        // A page of a listed origin can read the response.
        assert_eq!(text("access-control-allow-origin"), "https://app.example.org");
        let bytes = test::read_body(response).await;
        let body: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(body["code"], "internal");
        assert_eq!(body["status"], 500);
        assert_eq!(body["request_id"], text("x-request-id"));
        assert!(!bytes.windows(6).any(|window| window == b"canary"), "{body}");
    }
    let request = TestRequest::get().uri("/health/live").to_request();
    assert_eq!(test::call_service(&service, request).await.status(), StatusCode::OK);
    let request = TestRequest::get().uri("/theirs").to_request();
    assert_eq!(test::call_and_read_body(&service, request).await, "theirs");
}
