//! The doctor's findings between clients and a node: an untrusted proxy, and wrong clocks.

use std::net::SocketAddr;

use gateward_e2e::{Database, ShiftedClock, on_both};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use super::system::{System, examine, free_addresses};

on_both!(
    a_proxy_that_forwards_and_is_not_trusted_is_found,
    a_clock_that_is_off_by_a_minute_is_found,
);

/// Starts a proxy that adds the client IP address to the first request of each connection.
async fn start_proxy(node: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(forward(client, node));
        }
    });
    address
}

async fn forward(mut client: TcpStream, node: SocketAddr) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = client.read_u8().await else { return };
        head.push(byte);
    }
    head.truncate(head.len() - 2);
    head.extend_from_slice(b"X-Forwarded-For: 203.0.113.7\r\n\r\n");
    let mut node = TcpStream::connect(node).await.unwrap();
    node.write_all(&head).await.unwrap();
    let _ = copy_bidirectional(&mut client, &mut node).await;
}

async fn a_proxy_that_forwards_and_is_not_trusted_is_found(kind: Database) {
    for (trusted, codes) in [("", &["proxy_untrusted"][..]), ("127.0.0.1", &[])] {
        let [listen, _] = free_addresses();
        let proxy = start_proxy(listen).await;
        let settings = [("http.trusted_proxies", trusted)];
        let system = System::start_at(kind, listen, proxy, &settings).await;
        let report = examine(&system.plan);
        assert_eq!(report.findings, codes, "{trusted}");
        assert_eq!(report.warnings, [""; 0], "{trusted}");
    }
}

/// Only the doctor's clock is wrong. SQLite has no server with a clock of its own.
async fn a_clock_that_is_off_by_a_minute_is_found(kind: Database) {
    let Some(clock) = ShiftedClock::new() else { return };
    let system = System::start(kind).await;
    let mut plan = system.plan();
    plan.environment.extend(clock.environment());
    let codes: &[&str] = match kind {
        Database::Sqlite => &["clock_public_url"],
        Database::Postgres => &["clock_database", "clock_public_url"],
    };
    for (seconds, codes) in [(60, codes), (-60, codes), (0, &[])] {
        clock.set(seconds);
        let report = examine(&plan);
        assert_eq!(report.findings, codes, "{seconds}");
        assert_eq!(report.warnings, [""; 0], "{seconds}");
    }
}
