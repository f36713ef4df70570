//! Streams without a reader, and streams on which nothing happens.

use std::time::{Duration, Instant};

use gateward_e2e::Database;
use serde_json::Value;

use super::{logout, open_and_be_silent};
use crate::support::feed_follower::{Events, Reader, SERVICES, told};
use crate::support::test_server::TestServer;

/// Readers that do not read use bounded memory, delay no other reader, and get everything once they
/// read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_that_are_slow_cost_no_memory_and_miss_nothing() {
    const SILENT: usize = 10;
    const ENTRIES: usize = 20_000;
    let server = TestServer::process(Database::Postgres, &SERVICES).await;
    assert_eq!(server.client.signup("ada").await.status, 201);
    let mut slow = Events::open(&server.client, None).await;
    let mut silent = Vec::new();
    for _ in 0..SILENT {
        silent.push(open_and_be_silent(&server.node.url).await);
    }
    let before = server.node.memory_kib();
    let database = server.database.postgres().await;
    let insert = format!(
        "INSERT INTO invalidation_events (kind, subject, reason, happened_at, expires_at) \
         SELECT 'session', gen_random_uuid()::text, 'logout', now(), now() + interval '15 minutes' \
         FROM generate_series(1, {})",
        ENTRIES / 20
    );
    for _ in 0..20 {
        database.batch_execute(&insert).await.unwrap();
    }
    // Some sessions really end, which other readers see at once.
    for _ in 0..20 {
        logout(&server.client, "ada").await;
    }
    let mut quick = Reader::new(&server.client, 100);
    let all: Vec<Value> = quick.rest().await.iter().map(told).collect();
    assert_eq!(all.len(), ENTRIES + 20);
    tokio::time::sleep(Duration::from_secs(3)).await;
    let grown = server.node.memory_kib().saturating_sub(before);
    // The unread data is ten times five megabytes.
    assert!(grown < 25 * 1024, "{grown} KiB for readers that do not read");
    let got: Vec<Value> = slow.take(all.len()).await.iter().map(told).collect();
    assert!(got == all, "a slow reader has missed something");
    drop(silent);
}

/// An idle stream sends heartbeats, so that both ends can detect a dead connection.
#[tokio::test]
async fn a_stream_beats_when_nothing_happens() {
    let server = TestServer::with(&SERVICES).await;
    let mut events = Events::open(&server.client, None).await;
    let started = Instant::now();
    events.beat().await;
    assert!(started.elapsed() > Duration::from_secs(10), "{:?}", started.elapsed());
}
