//! What the public can see, and which headers the node trusts: rows W16 and 15.3.4.

use gateward_e2e::{Client, Database, Wire};
use serde_json::Value;

use crate::support::test_server::TestServer;

/// Rows W16, 13.4.5 and 15.2.3: metrics are not public, the documentation can be switched off, and
/// health reveals only the status.
#[tokio::test]
async fn w16_strangers_see_nothing_of_the_inside() {
    let smtp_server = [("mail.transport", "smtp"), ("mail.smtp_url", "smtp://127.0.0.1:1")];
    let server = TestServer::with(&[&[("http.docs", "false")][..], &smtp_server].concat()).await;
    let client = &server.client;
    for path in [
        "/metrics",
        "/docs",
        "/docs/",
        "/openapi.json",
        "/docs/start.js",
        "/docs/swagger-ui.css",
        "/dev/inbox",
        "/dev/inbox.json",
        "/dev/inbox/1.html",
        "/v1/openapi.json",
        "/v1/metrics",
        "/debug",
        "/status",
    ] {
        client.get(path).await.is(404, "not_found");
    }
    for path in ["/health/live", "/health/ready"] {
        let response = client.get(path).await;
        assert_eq!(
            (response.status.as_u16(), response.text.as_str()),
            (200, "{\"status\":\"ok\"}")
        );
    }
    // Every problem links to this page.
    assert_eq!(client.get("/docs/problems").await.status, 200);
    let metadata = client.get("/.well-known/oauth-authorization-server").await;
    assert_eq!(metadata.body.get("service_documentation"), None);

    let ops = Client::new(&server.node.ops_url);
    assert_eq!(ops.get("/metrics").await.status, 200);
    for path in ["/", "/v1/me", "/health/live", "/docs"] {
        assert_eq!(ops.get(path).await.status, 404, "{path}");
    }
}

/// Row W16: metrics count requests, not users, and clients cannot add label values.
#[tokio::test]
async fn w16_metrics_know_no_people() {
    let server = TestServer::new().await;
    let client = &server.client;
    let pair = client.begin("ada").await;
    client.me(pair.access()).await;
    client.login("ada", "wrong").await;
    for number in 0..20 {
        client.get(&format!("/canary/{number}")).await;
        client.get(&format!("/docs/canary{number}?canary=1")).await;
        let method = reqwest::Method::from_bytes(format!("CANARY{number}").as_bytes()).unwrap();
        server.send_with(method, "/v1/me", &[("user-agent", "canary")]).await;
    }
    let text = Client::new(&server.node.ops_url).get("/metrics").await.text;
    assert!(text.contains("gateward_http_requests_total"), "{text}");
    let user = pair.body["user"]["id"].as_str().unwrap();
    let session = pair.text_of("session_id");
    for trace in ["ada", "example.org", "canary", "CANARY", "127.0.0.1", user, session] {
        assert!(!text.contains(trace), "{trace}: {text}");
    }
    let series =
        text.lines().filter(|line| line.starts_with("gateward_http_requests_total")).count();
    assert!(series < 30, "{series} series: {text}");
}

/// The IP address in the log for a request with these `X-Forwarded-For` headers.
async fn client_ip(server: &TestServer, lines: &[&[u8]]) -> Value {
    let text = "POST /v1/login HTTP/1.1\r\nHost: x\r\nX-Real-IP: 192.0.2.66\r\n\
                Forwarded: for=192.0.2.66\r\nCF-Connecting-IP: 192.0.2.66\r\nConnection: close\r\n";
    let mut bytes = text.as_bytes().to_vec();
    for line in lines {
        bytes.extend([b"X-Forwarded-For: ", *line, b"\r\n"].concat());
    }
    bytes.extend(b"\r\n");
    let response = Wire::exchange(&server.node.url, &bytes).await;
    assert_eq!(response.statuses(), [415], "{response:?}");
    let id = response.body()["request_id"].clone();
    for _ in 0..200 {
        let lines = server.node.lines("request completed");
        if let Some(line) = lines.iter().find(|line| line["request_id"] == id) {
            return line["client_ip"].clone();
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("no line for {id}: {}", server.node.log());
}

/// Rows 15.3.4 and 4.1.3: a client cannot forge its own IP address.
#[tokio::test]
async fn a_forwarded_address_from_a_stranger_is_ignored() {
    let server = TestServer::process(Database::Sqlite, &[]).await;
    let cases: [&[&[u8]]; 4] =
        [&[], &[b"198.51.100.7"], &[b"127.0.0.1, 198.51.100.7"], &[b"10.0.0.1", b"::1"]];
    for lines in cases {
        assert_eq!(client_ip(&server, lines).await, "127.0.0.1", "{lines:?}");
    }
}

/// Rows 15.3.4 and 4.1.3: of a trusted proxy, the hop that it saw counts; anyone can write what is
/// before it.
#[tokio::test]
async fn the_rightmost_untrusted_hop_is_the_client() {
    let server =
        TestServer::process(Database::Sqlite, &[("http.trusted_proxies", "127.0.0.1,10.0.0.0/8")])
            .await;
    let seen = "198.51.100.7";
    let cases: [(&[&[u8]], &str); 9] = [
        (&[], "127.0.0.1"),
        (&[b"198.51.100.7"], seen),
        (&[b"192.0.2.66, 198.51.100.7"], seen),
        (&[b"192.0.2.66,198.51.100.7 , 10.1.2.3"], seen),
        (&[b"192.0.2.66", b"198.51.100.7"], seen),
        (&[b"127.0.0.1, 198.51.100.7"], seen),
        (&[b"\xe9\xff, 198.51.100.7"], seen),
        (&[b"2001:db8::1"], "2001:db8::1"),
        (&[b"198.51.100.7, unknown"], "127.0.0.1"),
    ];
    for (lines, expected) in cases {
        assert_eq!(client_ip(&server, lines).await, expected, "{lines:?}");
    }
}
