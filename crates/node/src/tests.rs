//! Tests of whole nodes: several in one process, and one whose store fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use actix_web::App as Application;
use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, call_service, init_service};
use async_trait::async_trait;
use gateward_app::domain::email::EmailMessage;
use gateward_app::domain::ports::{Access, FeedWatch, MailError, Mailer, Store, StoreError, Tx};
use gateward_app::{NewAlgorithm, Policy};
use gateward_crypto::{Argon2Settings, MasterKey, SystemEntropy};
use gateward_testkit::MemoryStore;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{Node, NodeBuilder};

/// The names of all jobs.
const JOBS: [&str; 6] = [
    "follow_invalidations",
    "rotate_keys",
    "deliver_emails",
    "clean_up",
    "chain_audit",
    "count_outbox_emails",
];

/// Accepts every email and sends none.
struct NoMail;

#[async_trait]
impl Mailer for NoMail {
    async fn send(&self, _: &EmailMessage) -> Result<(), MailError> {
        Ok(())
    }
}

/// A builder with a password hash that is as cheap as allowed.
pub(crate) fn builder(store: impl Store + 'static) -> NodeBuilder {
    let master_key = MasterKey::generate(&SystemEntropy::new());
    let argon2 = Argon2Settings { memory_kib: 7168, ..Argon2Settings::default() };
    let policy = Policy::new("http://127.0.0.1:8080");
    Node::builder(Arc::new(store), master_key, Arc::new(NoMail), policy).argon2(argon2)
}

/// A node at its very first start.
pub(crate) async fn node() -> Node {
    let node = builder(MemoryStore::new()).build().await.unwrap();
    node.prepare_keys(NewAlgorithm::Begins).await.unwrap();
    node
}

/// Sends a request to a node.
pub(crate) async fn send(node: &Node, request: TestRequest) -> StatusCode {
    let service =
        Application::new().configure(|config| gateward_http::configure(node.app(), config));
    call_service(&init_service(service).await, request.to_request()).await.status()
}

async fn post(node: &Node, path: &str, body: Value) -> StatusCode {
    send(node, TestRequest::post().uri(path).set_json(body)).await
}

/// The value in the metrics of a node, whose name includes the labels.
pub(crate) fn value(node: &Node, name: &str) -> Option<f64> {
    let text = node.metrics_text().unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map(|value| value.parse().unwrap())
}

/// The jobs that have ever succeeded.
fn succeeded(node: &Node) -> Vec<&'static str> {
    let when = |job: &str| {
        value(node, &format!("gateward_job_succeeded_timestamp_seconds{{name=\"{job}\"}}")).unwrap()
    };
    JOBS.into_iter().filter(|job| when(job) > 0.0).collect()
}

/// Waits until something is true, for at most ten seconds.
pub(crate) async fn eventually(is_true: impl Fn() -> bool) {
    for _ in 0..1000 {
        if is_true() {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not become true");
}

#[actix_web::test]
async fn two_nodes_in_one_process_share_nothing() {
    let (first, second) = (node().await, node().await);
    let password = "correct horse battery";
    let account = json!({"username": "ada", "email": "ada@example.org", "password": password});
    let login = json!({"identifier": "ada", "password": password});
    assert_eq!(post(&first, "/v1/signup", account).await, StatusCode::CREATED);
    assert_eq!(post(&first, "/v1/login", login.clone()).await, StatusCode::OK);
    assert_eq!(post(&second, "/v1/login", login).await, StatusCode::UNAUTHORIZED);

    let succeeded = "gateward_logins_total{outcome=\"succeeded\"}";
    let failed = "gateward_logins_total{outcome=\"failed\"}";
    assert_eq!((value(&first, succeeded), value(&first, failed)), (Some(1.0), Some(0.0)));
    assert_eq!((value(&second, succeeded), value(&second, failed)), (Some(0.0), Some(1.0)));
    let requests = |node, path, status| {
        let labels = format!("route=\"/v1/{path}\",method=\"POST\",status=\"{status}\"");
        value(node, &format!("gateward_http_requests_total{{{labels}}}"))
    };
    assert_eq!(requests(&first, "login", 200), Some(1.0));
    assert_eq!(requests(&second, "login", 200), None);
    assert_eq!(requests(&second, "signup", 201), None);
    assert_eq!(value(&first, "gateward_sessions_started_total"), Some(1.0));
    assert_eq!(value(&second, "gateward_sessions_started_total"), Some(0.0));
}

#[actix_web::test]
async fn the_jobs_of_a_node_start_and_stop_together_and_alone() {
    let (first, second) = (node().await, node().await);
    first.spawn_jobs();
    first.spawn_jobs();
    eventually(|| succeeded(&first) == JOBS).await;
    assert_eq!(succeeded(&second), [""; 0]);
    assert!(value(&first, "gateward_cleanup_timestamp_seconds").unwrap() > 0.0);
    assert!(value(&first, "gateward_audit_chained_timestamp_seconds").unwrap() > 0.0);

    second.run_jobs_until(eventually(|| succeeded(&second) == JOBS)).await;
    let ready = |node| async move { send(node, TestRequest::get().uri("/health/ready")).await };
    assert_eq!(ready(&first).await, StatusCode::OK);
    assert_eq!(ready(&second).await, StatusCode::SERVICE_UNAVAILABLE);
    first.stop().await;
    first.spawn_jobs();
    assert_eq!(ready(&first).await, StatusCode::SERVICE_UNAVAILABLE);
}

#[actix_web::test]
async fn a_node_without_metrics_works_and_shows_none() {
    let node = builder(MemoryStore::new()).metrics(false).build().await.unwrap();
    node.prepare_keys(NewAlgorithm::Begins).await.unwrap();
    node.spawn_jobs();
    assert_eq!(send(&node, TestRequest::get().uri("/health/ready")).await, StatusCode::OK);
    assert_eq!(node.metrics_text(), None);
    node.stop().await;
}

/// A store that works, fails or panics, as the test says.
#[derive(Clone)]
struct FaultyStore(MemoryStore, Arc<AtomicU8>);

const WORKS: u8 = 0;
const FAILS: u8 = 1;
const PANICS: u8 = 2;

#[async_trait]
impl Store for FaultyStore {
    async fn begin(&self, access: Access) -> Result<Box<dyn Tx>, StoreError> {
        match self.1.load(Ordering::Relaxed) {
            FAILS => Err(StoreError::Busy),
            PANICS => panic!("the store panics"),
            _ => self.0.begin(access).await,
        }
    }

    async fn watch_feed(&self) -> Result<Box<dyn FeedWatch>, StoreError> {
        self.0.watch_feed().await
    }
}

/// Row F38: every job outlives panics and failures of the store, and works once it recovers.
#[tokio::test(start_paused = true)]
async fn no_job_ends_when_the_store_panics_or_fails() {
    let state = Arc::new(AtomicU8::new(WORKS));
    let node = builder(FaultyStore(MemoryStore::new(), state.clone())).build().await.unwrap();
    node.prepare_keys(NewAlgorithm::Begins).await.unwrap();
    state.store(PANICS, Ordering::Relaxed);
    node.spawn_jobs();
    for fault in [PANICS, FAILS] {
        state.store(fault, Ordering::Relaxed);
        sleep(Duration::from_secs(70)).await;
        assert_eq!(succeeded(&node), [""; 0]);
    }
    state.store(WORKS, Ordering::Relaxed);
    sleep(Duration::from_secs(70)).await;
    assert_eq!(succeeded(&node), JOBS);
    node.stop().await;
}
