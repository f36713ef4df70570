//! The revocation feed, by pages and as server-sent events.

mod soak;

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gateward_e2e::{Client, Database, PASSWORD, TestResponse, claims, on_both};
use rustix::process::Signal;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::support::feed_follower::{
    Events, Reader, SERVICES, about, credentials_of, request_of, told,
};
use crate::support::test_server::TestServer;

on_both!(
    every_end_is_told_by_pages_and_as_events,
    a_stream_goes_on_behind_the_last_event,
    f11_a_node_that_stops_ends_its_streams_at_once,
);

/// Starts a session and ends it. Returns its identifier.
async fn logout(client: &Client, name: &str) -> String {
    let pair = client.login(name, PASSWORD).await;
    assert_eq!(client.logout(pair.refresh_token()).await.status, 204);
    pair.text_of("session_id").to_owned()
}

/// The key that signed an access token.
fn key_of(pair: &TestResponse) -> String {
    let header = pair.access().split('.').next().unwrap();
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

/// A logout, a disabled user, a compromised key, and the end of all sessions.
async fn every_end_is_told_by_pages_and_as_events(kind: Database) {
    let server = TestServer::start(kind, &SERVICES).await;
    let mut events = Events::open(&server.client, None).await;
    let mut reader = Reader::new(&server.client, 1);
    let bob = server.client.begin("bob").await;
    assert_eq!(server.client.signup("ada").await.status, 201);
    let own = |pair: &TestResponse| pair.text_of("session_id").to_owned();
    let all = ("all".to_owned(), "*".to_owned(), "ended_by_admin".to_owned());
    let mut everything = Vec::new();

    let session = logout(&server.client, "ada").await;
    let logged_out = [("session".to_owned(), session, "logout".to_owned())].to_vec();
    server.command(&["user", "disable", "bob"]).await;
    let reason = "account_disabled".to_owned();
    let user = claims(bob.access())["sub"].as_str().unwrap().to_owned();
    let disabled =
        [("session".to_owned(), own(&bob), reason.clone()), ("user".to_owned(), user, reason)];
    let ada = server.client.login("ada", PASSWORD).await;
    server.command(&["keys", "retire", &key_of(&ada), "--compromised"]).await;
    let compromised = [("key".to_owned(), key_of(&ada), "key_compromised".to_owned())];
    server.command(&["session", "end-all"]).await;

    for expected in [&logged_out[..], &disabled, &compromised, &[all]] {
        let mut subjects = Vec::new();
        while subjects.len() < expected.len() {
            let event = events.next().await.unwrap();
            // An entry may come again: an operator's command publishes it before and after its
            // work.
            if everything.iter().all(|before| about(before) != about(&event)) {
                subjects.push(owned(about(&event)));
            }
            everything.push(event);
        }
        subjects.sort();
        assert_eq!(subjects, expected);
    }
    for event in events.until_silence().await {
        assert!(everything.iter().any(|before| about(before) == about(&event)), "{event}");
        everything.push(event);
    }
    for entry in &everything {
        for time in ["before", "until"] {
            assert!(entry[time].as_str().unwrap().ends_with('Z'), "{entry}");
        }
        assert!(entry["before"].as_str() < entry["until"].as_str(), "{entry}");
    }
    let pages: Vec<Value> = reader.rest().await.iter().map(told).collect();
    assert_eq!(pages, everything.iter().map(told).collect::<Vec<_>>());
    assert_eq!(reader.rest().await, [] as [Value; 0], "once learned, nothing is new");
}

fn owned((kind, id, reason): (&str, &str, &str)) -> (String, String, String) {
    (kind.to_owned(), id.to_owned(), reason.to_owned())
}

/// From each event on, exactly the rest follows: by the header, by `since`, and by pages.
async fn a_stream_goes_on_behind_the_last_event(kind: Database) {
    let server = TestServer::start(kind, &SERVICES).await;
    assert_eq!(server.client.signup("ada").await.status, 201);
    let mut events = Events::open(&server.client, None).await;
    let mut all = Vec::new();
    for _ in 0..8 {
        let session = logout(&server.client, "ada").await;
        let event = events.next().await.unwrap();
        assert_eq!(about(&event), ("session", session.as_str(), "logout"));
        all.push(event);
    }
    drop(events);
    for (index, event) in all.iter().enumerate() {
        let cursor = event["cursor"].as_str().unwrap();
        let rest: Vec<Value> = all[index + 1..].iter().map(told).collect();
        let mut events = Events::open(&server.client, Some(cursor)).await;
        let events: Vec<Value> = events.take(rest.len()).await.iter().map(told).collect();
        assert_eq!(events, rest);
        let mut reader = Reader::new(&server.client, 3);
        reader.cursor = Some(cursor.to_owned());
        let pages: Vec<Value> = reader.rest().await.iter().map(told).collect();
        assert_eq!(pages, rest);
    }
    // After the last cursor only new entries follow.
    let last = all[7]["cursor"].as_str().unwrap();
    let mut events = Events::open(&server.client, Some(last)).await;
    events.is_silent().await;
    let session = logout(&server.client, "ada").await;
    assert_eq!(about(&events.next().await.unwrap()), ("session", session.as_str(), "logout"));
}

/// Only an authorized service may follow the feed.
#[tokio::test]
async fn the_feed_is_for_services_that_may_follow_it() {
    let server = TestServer::with(&SERVICES).await;
    let client = &server.client;
    let ada = client.begin("ada").await;
    for path in ["/v1/revocations", "/v1/revocations/stream"] {
        for (service, status, code) in [
            ("stranger", 403, "forbidden"),
            ("nobody", 401, "invalid_credentials"),
            ("CHECKER", 401, "invalid_credentials"),
        ] {
            let refused = client.send(request_of(client, service, path)).await;
            assert_eq!((refused.status.as_u16(), refused.code()), (status, code), "{refused:?}");
        }
        let plain = || client.request(reqwest::Method::GET, path);
        for (request, code) in [
            (
                plain().basic_auth("checker", Some("another secret that is long enough")),
                "invalid_credentials",
            ),
            (plain().basic_auth("checker", Some("")), "invalid_credentials"),
            (plain(), "missing_token"),
            (plain().bearer_auth(ada.access()), "missing_token"),
        ] {
            let refused = client.send(request).await;
            assert_eq!((refused.status.as_u16(), refused.code()), (401, code), "{refused:?}");
            assert!(refused.header("www-authenticate").unwrap().starts_with("Basic "));
        }
        let bad = request_of(client, "checker", &format!("{path}?since=not%20a%20cursor"));
        client.send(bad).await.is(422, "validation_failed");
    }
}

/// A transaction that starts first and commits last: a reader that is past its position still gets
/// its entry, and the node itself refuses the session that the entry ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_entry_is_skipped_that_is_committed_late() {
    let server = TestServer::start(Database::Postgres, &SERVICES).await;
    let ada = server.client.begin("ada").await;
    let mut reader = Reader::new(&server.client, 2);
    let mut events = Events::open(&server.client, None).await;
    let mut database = server.database.postgres().await;
    for round in 0..4 {
        let late = server.client.login("ada", PASSWORD).await;
        assert_eq!(server.client.me(late.access()).await.status, 200);
        let held = database.transaction().await.unwrap();
        let insert = "INSERT INTO invalidation_events (kind, subject, reason, happened_at, expires_at) \
                      VALUES ('session', $1, 'logout', now(), now() + interval '15 minutes')";
        held.execute(insert, &[&late.text_of("session_id")]).await.unwrap();
        for _ in 0..=round {
            let session = logout(&server.client, "ada").await;
            let page = reader.some().await;
            assert_eq!(about(&page[0]), ("session", session.as_str(), "logout"));
            assert_eq!(page.len(), 1, "{page:?}");
            assert_eq!(told(&events.next().await.unwrap()), told(&page[0]));
        }
        assert_eq!(server.client.me(late.access()).await.status, 200, "nothing is committed");
        held.commit().await.unwrap();

        let page = reader.some().await;
        assert_eq!(about(&page[0]), ("session", late.text_of("session_id"), "logout"));
        assert_eq!(page.len(), 1, "{page:?}");
        assert_eq!(told(&events.next().await.unwrap()), told(&page[0]));
        server.client.until_refused(late.access(), Duration::from_secs(5)).await;
        server.client.me(late.access()).await.is(401, "session_ended");
    }
    assert_eq!(reader.rest().await, [] as [Value; 0]);
    assert_eq!(server.client.me(ada.access()).await.status, 200);
}

/// Opens a stream and does not read it, with the smallest possible receive buffer.
async fn open_and_be_silent(url: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let address = url.strip_prefix("http://").unwrap().parse().unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let credentials = credentials_of("checker");
    let head = format!(
        "GET /v1/revocations/stream HTTP/1.1\r\nHost: x\r\nAuthorization: {credentials}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 200");
    stream
}

/// Row F11: with open streams, one of them to a client that does not read.
async fn f11_a_node_that_stops_ends_its_streams_at_once(kind: Database) {
    let mut server = TestServer::process(kind, &SERVICES).await;
    assert_eq!(server.client.signup("ada").await.status, 201);
    logout(&server.client, "ada").await;
    let mut events = Events::open(&server.client, None).await;
    assert!(events.next().await.is_some());
    let _silent = open_and_be_silent(&server.node.url).await;

    let started = Instant::now();
    server.node.signal(Signal::TERM);
    assert!(events.next().await.is_none(), "the stream goes on");
    assert_eq!(server.node.ended().await.code(), Some(0), "{}", server.node.log());
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}
