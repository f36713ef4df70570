//! Nodes for tests, on an in-memory store.

use std::sync::Arc;

use actix_web::App as Application;
use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, call_service, init_service};
use gateward_app::domain::ports::Store;
use gateward_app::{NewAlgorithm, Policy};
use gateward_crypto::{Argon2Settings, MasterKey, SystemEntropy};
use gateward_testkit::{DroppingMailer, MemoryStore};

use crate::{Node, NodeBuilder};

/// A builder with a password hash that is as cheap as allowed.
pub(crate) fn builder(store: impl Store + 'static) -> NodeBuilder {
    let master_key = MasterKey::generate(&SystemEntropy::new());
    let argon2 = Argon2Settings { memory_kib: 7168, ..Argon2Settings::default() };
    let policy = Policy::new("http://127.0.0.1:8080");
    Node::builder(Arc::new(store), master_key, Arc::new(DroppingMailer), policy).argon2(argon2)
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

/// The value in the metrics of a node, whose name includes the labels.
pub(crate) fn value(node: &Node, name: &str) -> Option<f64> {
    let text = node.metrics_text().unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map(|value| value.parse().unwrap())
}
