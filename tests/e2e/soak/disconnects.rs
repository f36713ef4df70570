//! Clients that disconnect in the middle of a refresh: row F17.

use std::time::Duration;

use gateward_e2e::{Client, Database, PASSWORD, TestResponse, claims, eventually, on_both};
use serde_json::json;
use tokio::io::Interest;
use tokio::net::TcpStream;

use crate::support::pair::{Pair, together};

on_both!(f17_a_client_that_goes_away_at_any_stage_loses_no_session);

/// How many users refresh side by side.
const USERS: usize = 10;

/// How many sessions of each user are interrupted, two hundred in all.
const SESSIONS: usize = 20;

/// After this time, no interrupted request is still running.
const SETTLED: Duration = Duration::from_secs(3);

/// Where the client disconnects.
#[derive(Clone, Copy, Debug)]
enum Phase {
    HalfTheHead,
    TheHead,
    HalfTheBody,
    TheLastByte,
    PartOfTheResponse,
}

const STAGES: [Phase; 5] = [
    Phase::HalfTheHead,
    Phase::TheHead,
    Phase::HalfTheBody,
    Phase::TheLastByte,
    Phase::PartOfTheResponse,
];

/// Sends a refresh up to a stage and disconnects, with a close or with a reset.
async fn revoked_before(url: &str, token: &str, key: &str, phase: Phase, reset: bool) {
    let address = url.strip_prefix("http://").unwrap();
    let body = json!({"refresh_token": token}).to_string();
    let head = format!(
        "POST /v1/refresh HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Idempotency-Key: {key}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let whole = format!("{head}{body}");
    let length = match phase {
        Phase::HalfTheHead => head.len() / 2,
        Phase::TheHead => head.len(),
        Phase::HalfTheBody => head.len() + body.len() / 2,
        Phase::TheLastByte | Phase::PartOfTheResponse => whole.len(),
    };
    let stream = TcpStream::connect(address).await.unwrap();
    // Without delay, so that the last byte leaves before the stream is closed.
    stream.set_nodelay(true).unwrap();
    send(&stream, &whole.as_bytes()[..length]).await;
    if matches!(phase, Phase::PartOfTheResponse) {
        let mut some = [0; 20];
        while stream.try_read(&mut some).is_err() {
            stream.ready(Interest::READABLE).await.unwrap();
        }
        assert!(some.starts_with(b"HTTP/1.1 200"), "{:?}", String::from_utf8_lossy(&some));
    }
    if reset {
        stream.set_zero_linger().unwrap();
    }
}

async fn send(stream: &TcpStream, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        stream.writable().await.unwrap();
        if let Ok(count) = stream.try_write(bytes) {
            bytes = &bytes[count..];
        }
    }
}

/// Starts sessions, interrupts the first refresh of each, and sends it again with the same key.
/// Returns the resulting pairs.
async fn cut_off_and_retry(clients: [Client; 2], user: usize) -> Vec<TestResponse> {
    let name = format!("ada{user}");
    let ended = clients[0].begin(&name).await;
    assert_eq!(clients[0].logout(ended.refresh_token()).await.status, 204);
    let mut pairs = Vec::new();
    for number in 0..SESSIONS {
        let first = clients[number % 2].login(&name, PASSWORD).await;
        let phase = STAGES[(user + number) % STAGES.len()];
        let key = format!("the-key-of-{user}-{number}");
        let client = &clients[(user + number) % 2];
        let reset = (number / STAGES.len()).is_multiple_of(2);
        revoked_before(&client.url, first.refresh_token(), &key, phase, reset).await;
        // A refusal takes several statements, and so a transaction that could stay open.
        revoked_before(&client.url, ended.refresh_token(), &key, Phase::TheLastByte, reset).await;
        // At once or a little later, on the same node or on the other one.
        tokio::time::sleep(Duration::from_millis(3 * (number as u64 % 3))).await;
        let client = &clients[(user + number / 2) % 2];
        let next = client.refresh(first.refresh_token(), Some(&key)).await;
        assert_eq!(next.status, 200, "{phase:?} {next:?}");
        let again = client.refresh(first.refresh_token(), Some(&key)).await;
        assert_eq!(again.refresh_token(), next.refresh_token(), "{phase:?}");
        pairs.push(next);
    }
    pairs
}

/// Row F17: wherever the client disconnects, no connection stays in a transaction, and a client
/// that repeats the request gets its pair and continues.
async fn f17_a_client_that_goes_away_at_any_stage_loses_no_session(kind: Database) {
    let pair = Pair::processes(kind, &[]).await;
    let clients = pair.clients();
    let users = (0..USERS).map(|user| cut_off_and_retry(clients.clone(), user));
    let pairs = together(users).await.into_iter().flatten();

    // An interrupted request may still run. Using the next token before it ends would be a replay.
    tokio::time::sleep(SETTLED).await;
    for second in pairs {
        let third = clients[0].refresh(second.refresh_token(), Some("the-next-key")).await;
        assert_eq!(third.status, 200, "{third:?}");
        let fourth = clients[1].refresh(third.refresh_token(), None).await;
        assert_eq!(claims(fourth.refresh_token())["gen"], 4, "each generation follows one");
        assert_eq!(clients[0].me(fourth.access()).await.status, 200);
    }
    match kind {
        Database::Postgres => no_transaction_stays_open(&pair).await,
        // There is one writer: a transaction left open would block this one.
        Database::Sqlite => drop(pair.command(&["user", "disable", "ada0"]).await),
    }
    for node in &pair.nodes {
        let log = node.log();
        let broken: Vec<&str> =
            log.lines().filter(|line| line.contains(r#""level":"ERROR""#)).collect();
        assert!(broken.is_empty(), "{broken:#?}");
    }
}

/// Asserts that no connection of the idle nodes is in a transaction.
async fn no_transaction_stays_open(pair: &Pair) {
    let sql = "SELECT count(*) FILTER (WHERE state = 'idle'), count(*) FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let server = pair.database.postgres().await;
    // The nodes' background jobs may run for a moment.
    eventually(Duration::from_secs(2), async || {
        let row = server.query_one(sql, &[]).await.unwrap();
        let (idle, all): (i64, i64) = (row.get(0), row.get(1));
        // Each of the two nodes has a pool of eight, and two more connections to follow the feed.
        assert!((1..=20).contains(&all), "{all} connections");
        if idle == all { Ok(()) } else { Err(format!("{idle} of {all} are idle")) }
    })
    .await;
}
