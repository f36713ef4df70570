//! Invalid bodies: rows W6 and W7.

use std::time::Duration;

use gateward_e2e::{Database, PASSWORD, Wire};
use serde_json::json;

use crate::support::test_server::TestServer;

const BODY_LEN_MAX: usize = 16 * 1024;

/// Row W6: only JSON in UTF-8, with every content type that HTTP allows for it.
#[tokio::test]
async fn w6_only_json_is_a_body() {
    let server = TestServer::new().await;
    server.client.signup("ada").await;
    let body = json!({"identifier": "ada", "password": PASSWORD}).to_string();
    for kind in [
        "application/json",
        "APPLICATION/JSON",
        "Application/Json; Charset=UTF-8",
        "application/json;charset=\"utf-8\"",
        "application/json ; charset=utf-8",
    ] {
        let response = server.post_bytes("/v1/login", kind, body.clone()).await;
        assert_eq!(response.status, 200, "{kind}: {response:?}");
    }
    for kind in [
        "",
        "application/xml",
        "text/xml",
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/problem+json",
        "application/jsonp",
        "application/json5",
        "json",
        "application/json;x",
        "application/json; charset=utf-16",
        "application/json; charset=utf-16; charset=utf-8",
        "application/json; charset=iso-8859-1",
        "application/json, text/plain",
        "application/json; boundary=x",
        "*/*",
        "application/*",
    ] {
        let response = server.post_bytes("/v1/login", kind, body.clone()).await;
        response.is(415, "unsupported_media_type");
    }
    let bare = server.client.request(reqwest::Method::POST, "/v1/login").body(body.clone());
    server.client.send(bare).await.is(415, "unsupported_media_type");
    let twice = server.client.request(reqwest::Method::POST, "/v1/login");
    let twice =
        twice.header("content-type", "application/json").header("content-type", "text/plain");
    server.client.send(twice.body(body.clone())).await.is(415, "unsupported_media_type");
    // The right content type with another encoding is no JSON.
    let wide: Vec<u8> = body.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in
        [wide, b"identifier=ada&password=x".to_vec(), b"<login/>".to_vec(), b"\xff\xfe".to_vec()]
    {
        server
            .post_bytes("/v1/login", "application/json", bytes)
            .await
            .is(400, "malformed_request");
    }
}

/// Rows W6 and W7: bodies are not decompressed, so that a small one cannot become large.
#[tokio::test]
async fn w7_no_body_is_unpacked() {
    let server = TestServer::process(Database::Sqlite, &[]).await;
    let before = server.node.memory_kib();
    for coding in ["gzip", "deflate", "br", "zstd", "identity", "gzip, gzip", "unknown"] {
        let request =
            server.client.post("/v1/login", &json!({})).header("content-encoding", coding);
        server.client.send(request).await.is(415, "unsupported_media_type");
    }
    // The beginning of a gzip stream that would decompress to gigabytes.
    let mut bomb = b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec();
    bomb.extend([0x4c; 12_000]);
    let request = server.client.request(reqwest::Method::POST, "/v1/login").body(bomb);
    let request =
        request.header("content-type", "application/json").header("content-encoding", "gzip");
    server.client.send(request).await.is(415, "unsupported_media_type");
    let text = "POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
    let response = Wire::exchange(&server.node.url, text.as_bytes()).await;
    assert!(matches!(response.statuses()[..], [400 | 415 | 422]), "{response:?}");
    assert!(server.node.memory_kib().saturating_sub(before) < 16 * 1024);
}

/// A login of exactly this many bytes.
fn login_of(length: usize) -> String {
    let body = json!({"identifier": "ada", "password": PASSWORD}).to_string();
    let blanks = length - body.len();
    format!("{}{}}}", &body[..body.len() - 1], " ".repeat(blanks))
}

/// Row W7: at most 16 KiB are read, with a content length or in chunks.
#[tokio::test]
async fn w7_a_body_has_16_kib() {
    let server = TestServer::new().await;
    server.client.signup("ada").await;
    for (length, status) in [(BODY_LEN_MAX, 200), (BODY_LEN_MAX + 1, 413), (1024 * 1024, 413)] {
        let body = login_of(length);
        let response = server.post_bytes("/v1/login", "application/json", body.clone()).await;
        assert_eq!(response.status, status, "{length}: {response:?}");
        let head = "POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                    Transfer-Encoding: chunked\r\n\r\n";
        let chunks = body
            .as_bytes()
            .chunks(1000)
            .map(|chunk| format!("{:x}\r\n{}\r\n", chunk.len(), str::from_utf8(chunk).unwrap()));
        let text = format!("{head}{}0\r\n\r\n", chunks.collect::<Vec<_>>().concat());
        let mut wire = Wire::open(&server.node.url).await;
        wire.send(text.as_bytes()).await;
        let response = wire.read_checkpoint(Duration::from_secs(3)).await;
        assert_eq!(response.statuses(), [status], "{length}: {response:?}");
    }
    let response =
        server.post_bytes("/v1/login", "application/json", login_of(BODY_LEN_MAX + 1)).await;
    response.is(413, "body_too_large");
}

/// Sends chunks until the node closes the connection.
async fn send_endlessly(url: &str, line: &str, status: u16) {
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    let mut wire = Wire::open(url).await;
    let head = format!(
        "{line} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\n\r\n"
    );
    wire.send(head.as_bytes()).await;
    wire.send(chunk.as_bytes()).await;
    let response = wire.read_checkpoint(Duration::from_secs(3)).await;
    assert_eq!(response.statuses(), [status], "{line}: {response:?}");
    assert!(response.has_line("connection: close"), "{line}: {response:?}");
    let revoked_before = async {
        while wire.send(chunk.as_bytes()).await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    // The node lingers for five seconds, so that the client can read the response.
    tokio::time::timeout(Duration::from_secs(8), revoked_before).await.expect(line);
}

/// Row W7: an endless body is cut off, whether or not the operation reads it.
#[tokio::test]
async fn w7_an_endless_body_is_cut_off() {
    let server = TestServer::process(Database::Sqlite, &[]).await;
    let before = server.node.memory_kib();
    let kinds = [
        ("POST /v1/login", 413),
        ("POST /v1/me/password", 401),
        ("GET /v1/me", 401),
        ("GET /health/live", 200),
        ("POST /nothing", 404),
        ("POST /health/live", 405),
    ];
    let endless = kinds.map(|(line, status)| send_endlessly(&server.node.url, line, status));
    futures_util::future::join_all(endless).await;
    let grown = server.node.memory_kib().saturating_sub(before);
    assert!(grown < 16 * 1024, "{grown} KiB");
}

/// Rows W7 and 4.2.1: a body with two possible ends is refused, and what follows it is never parsed
/// as a request.
#[tokio::test]
async fn w7_message_boundaries_are_unambiguous() {
    let server = TestServer::new().await;
    let smuggled = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n";
    let head = "POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
    for fields in [
        "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n",
        "Content-Length: 2\r\nContent-Length: 40\r\n",
        "Content-Length: 2\r\nContent-Length: 2\r\n",
        "Content-Length: 2, 40\r\n",
        "Content-Length: +2\r\n",
        "Content-Length: -2\r\n",
        "Content-Length: 0x2\r\n",
        "Content-Length: 99999999999999999999999\r\n",
        "Content-Length : 2\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding:\u{b}chunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        " Content-Length: 2\r\n",
        "X: y\r\n Content-Length: 2\r\n",
        "Host: y\r\nContent-Length: 2\r\n",
        "X: a\rb\r\nContent-Length: 2\r\n",
        "X: a\0b\r\nContent-Length: 2\r\n",
    ] {
        let text = format!("{head}{fields}\r\n{{}}0\r\n\r\n{smuggled}");
        let response = Wire::exchange(&server.node.url, text.as_bytes()).await;
        // One refusal, then the connection closes.
        assert!(matches!(response.statuses()[..], [400 | 415]), "{fields:?}: {response:?}");
        assert!(!response.text.contains("\"ok\""), "{fields:?}: {response:?}");
    }
    for chunks in [
        "2;x\r\n{}\r\n-1\r\n",
        "zz\r\n{}\r\n0\r\n\r\n",
        "2\r\n{}xx0\r\n\r\n",
        "fffffffffffffffff\r\n{}\r\n",
    ] {
        let text = format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunks}{smuggled}");
        let response = Wire::exchange(&server.node.url, text.as_bytes()).await;
        assert!(
            matches!(response.statuses()[..], [400 | 422] | [400 | 422, 400]),
            "{chunks:?}: {response:?}"
        );
        assert!(!response.text.contains("\"ok\""), "{chunks:?}: {response:?}");
    }
    // The body of a request that takes none is not parsed as the next request either.
    let text = format!(
        "GET /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{smuggled}",
        smuggled.len()
    );
    let response = Wire::exchange(&server.node.url, text.as_bytes()).await;
    assert_eq!(response.statuses(), [200], "{response:?}");
    // Pipelined requests on a connection get their responses in order.
    let text = format!("{smuggled}GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n{smuggled}");
    let response = Wire::exchange(&server.node.url, text.as_bytes()).await;
    assert_eq!(response.statuses(), [200, 404, 200], "{response:?}");
}
