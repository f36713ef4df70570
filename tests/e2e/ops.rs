//! `/metrics`: on `ops.listen` only, in the text format, with the metrics that an operator needs
//! first.

use gateward_e2e::Client;
use regex::Regex;

use crate::support::test_server::TestServer;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_are_told_on_the_other_port_alone() {
    let server = TestServer::new().await;
    let client = &server.client;
    let pair = client.begin("ada").await;
    client.me(pair.access()).await;
    client.me("garbage").await.is(401, "invalid_token");
    for number in 0..20 {
        client.get(&format!("/{}/{number}", pair.access())).await.is(404, "not_found");
    }
    client.get("/metrics").await.is(404, "not_found");

    let ops = Client::new(&server.node.ops_url);
    for path in ["/", "/v1/me", "/health/ready", "/openapi.json", "/metrics/"] {
        assert_eq!(ops.get(path).await.status, 404, "{path}");
    }
    assert_eq!(ops.send(ops.request(reqwest::Method::POST, "/metrics")).await.status, 405);
    let page = ops.get("/metrics").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let line = Regex::new(
        r#"^(# (HELP|TYPE) .+|[a-z_]+(\{([a-z]+="[^"\n]*",?)+\})? [0-9.e+-]+|[a-z_]+\{.*le="\+Inf"\} \d+|)$"#,
    );
    let line = line.unwrap();
    for text in page.text.lines() {
        assert!(line.is_match(text), "{text:?}");
    }
    for expected in [
        r#"gateward_http_requests_total{route="/v1/signup",method="POST",status="201"} 1"#,
        r#"gateward_http_requests_total{route="/v1/me",method="GET",status="401"} 1"#,
        "# TYPE gateward_http_request_seconds histogram",
        r#"gateward_http_request_seconds_bucket{route="/v1/login",le="0.1"}"#,
        r#"gateward_http_request_seconds_count{route="/v1/login"} 1"#,
        "gateward_sessions_started_total 1",
        r#"gateward_sessions_ended_total{reason="logout"} 0"#,
        r#"gateward_logins_total{outcome="succeeded"} 1"#,
        r#"gateward_refreshes_total{outcome="replayed"} 0"#,
        r#"gateward_rate_limited_total{scope="login"} 0"#,
        "gateward_denied_total 0",
        "gateward_untrusted_forwarded_total 0",
        r#"gateward_mail_total{outcome="sent"} "#,
        "gateward_mail_waiting ",
        "gateward_feed_age_seconds ",
        "gateward_audit_chained_total ",
        "gateward_audit_chained_timestamp_seconds ",
        "gateward_cleanup_timestamp_seconds ",
        "gateward_hash_queue_length 0",
        "gateward_hash_queue_max ",
        "gateward_hash_threads ",
        "gateward_hash_threads_busy 0",
    ] {
        assert!(page.text.contains(expected), "{expected}:\n{}", page.text);
    }
    // Unknown paths share one label, because a client could invent any number of them.
    for (text, count) in [("\"404\"", 21), ("request_seconds_count{route=\"unmatched\"}", 21)] {
        let lost: Vec<&str> = page.text.lines().filter(|line| line.contains(text)).collect();
        assert!(lost.len() == 1 && lost[0].ends_with(&format!(" {count}")), "{lost:?}");
    }
    assert!(!page.text.contains("ada") && !page.text.contains(pair.access()));
}
