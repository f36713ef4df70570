//! Tests of the revocation stream.

use std::future::poll_fn;
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use futures_util::future::join;
use gateward_testkit::StoreFault;
use serde_json::Value;
use tokio::time::{Instant, pause, timeout};

use super::fixture::{SESSION, USER, ended, every_kind};
use crate::streams::STREAMS_MAX;
use crate::testing::{CLIENT, SECRET, TestApp, basic};

/// A test that takes longer hangs, and fails.
const HANGS: Duration = Duration::from_mins(1);

/// An open stream, block by block.
struct Events {
    body: BoxBody,
    text: String,
}

impl Events {
    async fn open(test_app: &TestApp, request: TestRequest) -> Self {
        let response = call(test_app, request).await;
        assert_eq!(response.status(), StatusCode::OK);
        Self { body: response.into_body(), text: String::new() }
    }

    /// The next block, without the empty line after it; `None` at the end of the stream.
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(block);
            }
            let body = &mut self.body;
            let chunk = poll_fn(|context| std::pin::Pin::new(&mut *body).poll_next(context));
            let chunk = timeout(HANGS, chunk).await.expect("the stream hangs")?.unwrap();
            assert!(!chunk.is_empty(), "an empty chunk would end the response");
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The ID and the data of the next event.
    async fn event(&mut self) -> (String, Value) {
        loop {
            let block = self.next().await.expect("the stream has ended");
            if block == ": beat" {
                continue;
            }
            let (id, data) = block.split_once('\n').unwrap();
            let (id, data) = (id.strip_prefix("id: "), data.strip_prefix("data: "));
            return (id.unwrap().to_owned(), serde_json::from_str(data.unwrap()).unwrap());
        }
    }

    /// The cursors of this many events.
    async fn cursors(&mut self, count: usize) -> Vec<String> {
        let mut cursors = Vec::new();
        for _ in 0..count {
            let (id, data) = self.event().await;
            assert_eq!(data["cursor"], id.as_str());
            cursors.push(id);
        }
        cursors
    }
}

async fn call(test_app: &TestApp, request: TestRequest) -> ServiceResponse<BoxBody> {
    test_app.call(request.insert_header(basic(CLIENT, SECRET))).await
}

fn stream() -> TestRequest {
    TestRequest::get().uri("/v1/revocations/stream")
}

#[actix_web::test]
async fn a_late_subscriber_gets_all_that_matters_and_then_what_comes() {
    let test_app = TestApp::empty().await;
    test_app.publish(ended(250)).await;
    let response = call(&test_app, stream()).await;
    let header = |name: &str| response.headers().get(name).unwrap().to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "text/event-stream");
    assert_eq!(header("cache-control"), "no-store");
    assert_eq!(header("x-accel-buffering"), "no");
    assert!(!response.headers().contains_key("content-encoding"));

    let mut events = Events { body: response.into_body(), text: String::new() };
    let first = events.cursors(250).await;
    assert!(first.is_sorted_by_key(|cursor| cursor.parse::<u64>().unwrap()));
    test_app.publish(every_kind()).await;
    test_app.app.announce_invalidations();
    let mut told = Vec::new();
    for _ in 0..4 {
        let (_, data) = events.event().await;
        told.push((data["kind"].clone(), data["id"].clone()));
    }
    let expected = [("session", SESSION), ("user", USER), ("key", "key-1"), ("all", "*")];
    assert_eq!(told, expected.map(|(kind, id)| (Value::from(kind), Value::from(id))));
}

/// Resuming with a cursor skips no entry, wherever the connection breaks.
#[actix_web::test]
async fn going_on_from_the_last_event_gives_exactly_the_rest() {
    let test_app = TestApp::empty().await;
    test_app.publish(ended(3).chain(every_kind())).await;
    let all = Events::open(&test_app, stream()).await.cursors(7).await;
    for (index, last) in all.iter().enumerate() {
        let rest = &all[index + 1..];
        let by_header = stream().insert_header(("last-event-id", last.as_str()));
        let by_query = stream().uri(&format!("/v1/revocations/stream?since={last}"));
        let by_both = stream()
            .uri("/v1/revocations/stream?since=1")
            .insert_header(("last-event-id", last.as_str()));
        for request in [by_header, by_query, by_both] {
            let mut events = Events::open(&test_app, request).await;
            assert_eq!(events.cursors(rest.len()).await, rest, "{last}");
        }
    }
}

#[actix_web::test]
async fn what_is_no_cursor_opens_no_stream() {
    let test_app = TestApp::empty().await;
    for (request, status) in [
        (stream().insert_header(("last-event-id", "")), 422),
        (stream().insert_header(("last-event-id", "a b")), 422),
        (stream().insert_header(("last-event-id", "x".repeat(4097))), 422),
        (stream().uri("/v1/revocations/stream?since="), 422),
        (stream().uri("/v1/revocations/stream?limit=1"), 422),
        (stream().uri("/v1/revocations/stream?since=1&since=1"), 400),
        (stream().insert_header(("last-event-id", "1")).append_header(("last-event-id", "1")), 400),
    ] {
        assert_eq!(call(&test_app, request).await.status().as_u16(), status);
    }
}

/// Row INV13: for a client that does not read, nothing is read from the store or buffered.
#[actix_web::test]
async fn inv13_a_slow_reader_costs_nothing() {
    let test_app = TestApp::empty().await;
    test_app.publish(ended(1000)).await;
    let mut events = Events::open(&test_app, stream()).await;
    let first = events.cursors(1).await;
    let started = test_app.transactions();
    for _ in 0..10 {
        test_app.publish(ended(100)).await;
        test_app.app.announce_invalidations();
        tokio::task::yield_now().await;
    }
    assert_eq!(test_app.transactions(), started, "nothing was read meanwhile");
    let rest = events.cursors(1999).await;
    let all: Vec<u64> = [first, rest].concat().iter().map(|it| it.parse().unwrap()).collect();
    assert!(all.is_sorted_by(|one, next| one + 1 == *next), "{all:?}");
    assert!(test_app.transactions() - started >= 1900 / 100, "page by page");
}

#[actix_web::test]
async fn invalidation_events_wake_a_stream_at_once_and_nobody_else_must_say_so() {
    let test_app = TestApp::empty().await;
    test_app.publish(ended(1)).await;
    let mut events = Events::open(&test_app, stream()).await;
    events.cursors(1).await;
    pause();
    let started = Instant::now();
    // An application that does not follow the feed never announces events.
    let silent = async {
        tokio::task::yield_now().await;
        test_app.publish(ended(1)).await;
    };
    join(events.event(), silent).await;
    assert!(started.elapsed() <= Duration::from_millis(1100), "{:?}", started.elapsed());

    let started = Instant::now();
    let invalidation = async {
        tokio::task::yield_now().await;
        test_app.publish(ended(1)).await;
        test_app.app.announce_invalidations();
    };
    join(events.event(), invalidation).await;
    assert_eq!(started.elapsed(), Duration::ZERO, "the clock stands still");
}

#[actix_web::test]
async fn a_stream_beats_every_15_seconds() {
    let test_app = TestApp::empty().await;
    pause();
    let started = Instant::now();
    let mut events = Events::open(&test_app, stream()).await;
    for beats in 1..=3_u32 {
        assert_eq!(events.next().await.as_deref(), Some(": beat"));
        let due = Duration::from_secs(15) * beats;
        assert!(started.elapsed() >= due, "{:?}", started.elapsed());
        assert!(started.elapsed() < due + Duration::from_secs(1), "{:?}", started.elapsed());
    }
}

/// Row F11: a node that shuts down ends its streams and opens no new ones.
#[actix_web::test]
async fn f11_a_stream_ends_when_its_node_stops() {
    let test_app = TestApp::empty().await;
    let mut idle = Events::open(&test_app, stream()).await;
    test_app.publish(ended(1000)).await;
    let mut busy = Events::open(&test_app, stream().insert_header(("last-event-id", "1"))).await;
    busy.cursors(1).await;
    idle.cursors(1000).await;
    pause();
    let started = Instant::now();
    let stop = async {
        tokio::task::yield_now().await;
        test_app.app.drain();
    };
    let (end, ()) = join(idle.next(), stop).await;
    assert_eq!(end, None);
    assert_eq!(started.elapsed(), Duration::ZERO, "it was woken");
    while busy.next().await.is_some() {}
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(call(&test_app, stream()).await.status(), StatusCode::SERVICE_UNAVAILABLE);
}

/// Row F2: if the store fails, open streams end, so that clients resume later, and none can open.
#[actix_web::test]
async fn f2_a_store_that_fails_ends_the_stream() {
    let test_app = TestApp::empty().await;
    test_app.publish(ended(1)).await;
    let mut events = Events::open(&test_app, stream()).await;
    let last = events.cursors(1).await.remove(0);
    test_app.set_fault(Some(StoreFault::Unavailable));
    test_app.app.announce_invalidations();
    assert_eq!(events.next().await, None);
    assert_eq!(call(&test_app, stream()).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    test_app.set_fault(None);
    test_app.publish(ended(1)).await;
    let mut events = Events::open(&test_app, stream().insert_header(("last-event-id", last))).await;
    events.cursors(1).await;
}

/// Row INV13: the number of open streams is limited; closing one frees its slot.
#[actix_web::test]
async fn inv13_there_is_room_for_so_many_streams() {
    let test_app = TestApp::empty().await;
    let mut open = Vec::new();
    for _ in 0..STREAMS_MAX {
        open.push(Events::open(&test_app, stream()).await);
    }
    let refused = call(&test_app, stream()).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers().get("retry-after").unwrap(), "10");
    open.pop();
    for _ in 0..3 {
        let head = call(&test_app, stream().method(Method::HEAD)).await;
        assert_eq!(head.status(), StatusCode::OK, "it needs no place for long");
    }
    Events::open(&test_app, stream()).await;
}
