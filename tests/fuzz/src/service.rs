//! `TestService`: the whole HTTP interface in this process, on an in-memory store.

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use actix_http::Request;
use actix_web::http::header::HeaderMap;
use actix_web::rt::{System, SystemRunner};
use actix_web::test::{self, TestRequest};
use actix_web::{App as Application, body};
use futures_util::future::LocalBoxFuture;
use gateward_domain::ports::{
    InlineTasks, NoAuthCache, NoBreachedPasswords, NoMetrics, NoOutboxNotifier,
};
use gateward_http::app::{App as Core, NewAlgorithm, Policy, Ports};
use gateward_http::{
    ApiClient, App, ClientRight, Dialects, Flask, FlaskTransport, Options, SimpleJwt,
};
use gateward_testkit::{FixedClock, MemoryStore, PlainHasher, SeededEntropy};
use serde_json::Value;

use crate::mailbox::Mailbox;
use crate::request::RequestText;
use crate::variables::find;
use crate::{ISSUER, Operations, Variables, keyring};

/// The password of every account.
pub const PASSWORD: &str = "correct horse battery";

/// The secret of the API client `api`, of 32 characters or more.
pub(crate) const CLIENT_SECRET: &str = "a-long-secret-for-trying-it-out-alone";

/// The path of the dialect `flask` with cookies.
const FLASK_COOKIE: &str = "/flask-cookie";

type Serve = Box<dyn Fn(Request) -> LocalBoxFuture<'static, Answer>>;

/// Status, headers and body of a response.
type Answer = (u16, HeaderMap, Vec<u8>);

/// The service. Each request finds the same data.
pub struct TestService {
    system: SystemRunner,
    store: MemoryStore,
    /// The data that each request finds.
    prepared: MemoryStore,
    /// With the dialect `flask` by header, and by cookie.
    wires: [Serve; 2],
    /// The values that inputs name.
    pub variables: Variables,
    /// The documented operations.
    pub operations: Operations,
}

/// A request and its response.
pub struct Exchange {
    /// The request.
    pub request: RequestText,
    /// The status of the response.
    pub status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// What the preparation of the data works with.
pub(crate) struct Parts<'a> {
    pub(crate) core: &'a Core,
    pub(crate) mailbox: &'a Mailbox,
    pub(crate) wires: &'a [Serve; 2],
}

impl TestService {
    /// A service with a few accounts, sessions, links and codes.
    #[must_use]
    pub fn new() -> Self {
        let system = System::new();
        let store = MemoryStore::new();
        let mailbox = Arc::new(Mailbox::default());
        let core = Arc::new(system.block_on(core(&store, &mailbox)));
        let by = [FlaskTransport::Header, FlaskTransport::Cookie];
        let wires = by.map(|transport| system.block_on(wire(&core, transport)));
        let parts = Parts { core: &core, mailbox: &mailbox, wires: &wires };
        let variables = system.block_on(crate::prepare::prepare(&parts));
        let operations = Operations::new(&by.map(options));
        let prepared = store.snapshot();
        Self { system, store, prepared, wires, variables, operations }
    }

    /// Sends a request.
    #[must_use]
    pub fn send(&self, request: RequestText) -> Exchange {
        self.store.restore(&self.prepared);
        let answer = send(&self.wires, request.target.path(), request.to_test_request());
        let (status, headers, body) = self.system.block_on(answer);
        Exchange { request, status, headers, body }
    }
}

impl Default for TestService {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "\n{:?}\n{} {:?}", self.request, self.status, self.headers)?;
        writeln!(formatter, "\n{}", self.body.escape_ascii())
    }
}

impl Exchange {
    /// A header of the response.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether a header of the request contains a secret.
    #[must_use]
    pub fn carries(&self, secret: &str) -> bool {
        let mut values = self.request.headers.iter().map(|(_, value)| value.as_bytes());
        values.any(|value| find(value, secret.as_bytes()).is_some())
    }

    /// Asserts that the body has the type that it declares, and that a problem is complete.
    pub(crate) fn check_problem(&self) {
        let kind = self.header("content-type").unwrap_or_default();
        if !kind.starts_with("application/") || !kind.contains("json") {
            return;
        }
        let body: Value = serde_json::from_slice(&self.body).expect("the body is JSON");
        if kind.contains("problem") {
            assert_eq!(body["status"], self.status, "{self:?}");
            assert!(body["code"].is_string() && body["detail"].is_string(), "{self:?}");
        }
    }
}

/// Sends a request over the wire that serves its path.
pub(crate) fn send(
    wires: &[Serve; 2],
    path: &str,
    request: TestRequest,
) -> LocalBoxFuture<'static, Answer> {
    wires[usize::from(path.starts_with(FLASK_COOKIE))](request.to_request())
}

/// The use cases. Keys differ between runs, everything else is the same.
async fn core(store: &MemoryStore, mailbox: &Arc<Mailbox>) -> Core {
    let policy = Policy { email_interval_seconds: None, ..Policy::new(ISSUER) };
    let entropy = Arc::new(SeededEntropy::new(1));
    let keyring = Arc::new(keyring(0));
    let ports = Ports {
        store: Arc::new(store.clone()),
        hasher: Arc::new(PlainHasher::default()),
        signer: keyring.clone(),
        links: keyring.clone(),
        audit_keys: keyring.clone(),
        breached: Arc::new(NoBreachedPasswords),
        metrics: Arc::new(NoMetrics),
        tasks: Arc::new(InlineTasks),
        auth_cache: Arc::new(NoAuthCache),
        outbox_notifier: Arc::new(NoOutboxNotifier),
        mailer: mailbox.clone(),
        key_maker: keyring,
        clock: Arc::new(FixedClock::default()),
        entropy,
    };
    let core = Core::new(ports, policy).await.unwrap();
    core.prepare_keys(NewAlgorithm::Begins).await.unwrap();
    core
}

fn options(transport: FlaskTransport) -> Options {
    let path = match transport {
        FlaskTransport::Header => "/flask",
        FlaskTransport::Cookie => FLASK_COOKIE,
    };
    let flask = Flask { path: path.to_owned(), transport, csrf: true, rotate: true };
    let rights = vec![ClientRight::Introspect, ClientRight::Revoke, ClientRight::Revocations];
    Options {
        trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
        cors_origins: vec!["https://app.example.org".to_owned()],
        clients: vec![ApiClient::new("api".to_owned(), CLIENT_SECRET, rights)],
        docs: true,
        dialects: Dialects { simplejwt: Some(SimpleJwt { rotate: true }), flask: Some(flask) },
        ..Options::new(ISSUER)
    }
}

/// The HTTP interface with one transport of the dialect `flask`.
async fn wire(core: &Arc<Core>, transport: FlaskTransport) -> Serve {
    let app = App::new(Arc::clone(core), options(transport));
    let application = Application::new()
        .configure(|config| gateward_http::configure(&app, config))
        .configure(gateward_http::configure_not_found);
    let service = Rc::new(test::init_service(application).await);
    Box::new(move |request| {
        let service = Rc::clone(&service);
        Box::pin(async move {
            let response = test::call_service(&*service, request).await;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            let kind = headers.get("content-type").and_then(|kind| kind.to_str().ok());
            // The revocation stream has no end.
            if kind.is_some_and(|kind| kind.starts_with("text/event-stream")) {
                return (status, headers, Vec::new());
            }
            let body = body::to_bytes(response.into_body()).await;
            let body = body.unwrap_or_else(|_| panic!("the body of the response failed"));
            (status, headers, body.to_vec())
        })
    })
}
