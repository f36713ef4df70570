//! Tests of whole nodes: several in one process, and one whose store fails.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use gateward_app::NewAlgorithm;
use gateward_testkit::{FaultyStore, MemoryStore, StoreFault, eventually};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::Node;
use crate::testing::{builder, node, send, value};

/// The names of all jobs.
const JOBS: [&str; 6] = [
    "follow_invalidations",
    "rotate_keys",
    "deliver_emails",
    "clean_up",
    "chain_audit",
    "count_outbox_emails",
];

/// More than the jobs of a node need for their first runs.
const PATIENCE: Duration = Duration::from_secs(10);

async fn post(node: &Node, path: &str, body: Value) -> StatusCode {
    send(node, TestRequest::post().uri(path).set_json(body)).await
}

/// The jobs that have ever succeeded.
fn succeeded(node: &Node) -> Vec<&'static str> {
    let when = |job: &str| {
        value(node, &format!("gateward_job_succeeded_timestamp_seconds{{name=\"{job}\"}}")).unwrap()
    };
    JOBS.into_iter().filter(|job| when(job) > 0.0).collect()
}

/// Waits until every job has succeeded.
async fn every_job_succeeds(node: &Node) {
    eventually(PATIENCE, async || {
        let succeeded = succeeded(node);
        if succeeded == JOBS { Ok(()) } else { Err(format!("succeeded: {succeeded:?}")) }
    })
    .await;
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
    every_job_succeeds(&first).await;
    assert_eq!(succeeded(&second), [""; 0]);
    assert!(value(&first, "gateward_cleanup_timestamp_seconds").unwrap() > 0.0);
    assert!(value(&first, "gateward_audit_chained_timestamp_seconds").unwrap() > 0.0);

    second.run_jobs_until(every_job_succeeds(&second)).await;
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

/// Row F38: every job outlives panics and failures of the store, and works once it recovers.
#[tokio::test(start_paused = true)]
async fn no_job_ends_when_the_store_panics_or_fails() {
    let store = FaultyStore::new();
    let node = builder(store.clone()).build().await.unwrap();
    node.prepare_keys(NewAlgorithm::Begins).await.unwrap();
    store.set_fault(Some(StoreFault::Panic));
    node.spawn_jobs();
    for fault in [StoreFault::Panic, StoreFault::Busy] {
        store.set_fault(Some(fault));
        sleep(Duration::from_secs(70)).await;
        assert_eq!(succeeded(&node), [""; 0]);
    }
    store.set_fault(None);
    sleep(Duration::from_secs(70)).await;
    assert_eq!(succeeded(&node), JOBS);
    node.stop().await;
}
