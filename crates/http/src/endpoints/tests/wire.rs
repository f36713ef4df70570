//! Tests of the revocation stream over a socket: its delivery, and its end at shutdown.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::time::Duration;

use actix_web::{App as Application, HttpServer};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::fixture::ended;
use crate::testing::{CLIENT, SECRET, TestApp, basic};

/// A test that takes longer hangs, and fails.
const HANGS: Duration = Duration::from_mins(1);

/// How long a server waits for its connections at shutdown: longer than the test.
const SHUTDOWN_SECONDS: u64 = 600;

/// A connection and the text received so far.
struct Line {
    stream: TcpStream,
    text: String,
}

impl Line {
    /// Connects and requests the stream.
    async fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let (name, value) = basic(CLIENT, SECRET);
        let request = format!(
            "GET /v1/revocations/stream HTTP/1.1\r\nHost: {address}\r\n\
             Accept-Encoding: gzip, br\r\n{name}: {value}\r\n\r\n"
        );
        stream.writable().await.unwrap();
        assert_eq!(stream.try_write(request.as_bytes()).unwrap(), request.len());
        Self { stream, text: String::new() }
    }

    /// Reads until this text has arrived.
    async fn read_until(&mut self, words: &str) {
        while !self.text.contains(words) {
            timeout(HANGS, self.stream.readable()).await.expect("nothing comes").unwrap();
            let mut bytes = [0; 4096];
            match self.stream.try_read(&mut bytes) {
                Ok(0) => panic!("the connection is closed: {}", self.text),
                Ok(count) => self.text.push_str(std::str::from_utf8(&bytes[..count]).unwrap()),
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
        }
    }
}

/// Row F11: events are sent without delay, and a node that shuts down does not wait for open
/// streams.
#[actix_web::test]
async fn f11_events_come_at_once_and_open_streams_hold_up_no_stop() {
    let test_app = TestApp::empty().await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let app = test_app.app.clone();
    let server = HttpServer::new(move || {
        let app = app.clone();
        Application::new().configure(move |config| crate::configure(&app, config))
    });
    let server = server.workers(1).disable_signals().shutdown_timeout(SHUTDOWN_SECONDS);
    let server = server.listen(listener).unwrap().run();
    let handle = server.handle();
    let running = actix_web::rt::spawn(server);

    let mut line = Line::open(&address).await;
    line.read_until("\r\n\r\n").await;
    assert!(line.text.starts_with("HTTP/1.1 200 OK\r\n"), "{}", line.text);
    let head = line.text.to_lowercase();
    assert!(head.contains("\r\ntransfer-encoding: chunked\r\n"), "{head}");
    assert!(!head.contains("content-encoding") && !head.contains("data:"), "{head}");
    test_app.publish(ended(1)).await;
    test_app.app.announce_invalidations();
    line.read_until("\"reason\":\"logout\"}\n\n").await;

    test_app.app.drain();
    timeout(HANGS, handle.stop(true)).await.expect("the stop is held up");
    line.read_until("\r\n0\r\n\r\n").await;
    timeout(HANGS, running).await.expect("the server goes on").unwrap().unwrap();
}
