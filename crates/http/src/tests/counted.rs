//! Tests of the metrics of the middleware and their labels.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use actix_web::test::TestRequest;

use crate::testing::{TestApp, options};
use crate::{CompletedRequest, Options, RequestMetrics};

/// Keeps the labels of every completed request.
#[derive(Default)]
struct Kept {
    completed: Mutex<Vec<String>>,
    untrusted: AtomicU64,
}

impl RequestMetrics for Kept {
    fn completed(&self, request: &CompletedRequest<'_>) {
        let CompletedRequest { route, method, status, seconds } = request;
        assert!(*seconds > 0.0 && *seconds < 60.0, "{seconds} seconds");
        self.completed.lock().unwrap().push(format!("{method} {route} {status}"));
    }

    fn untrusted_forwarded(&self) {
        self.untrusted.fetch_add(1, Ordering::Relaxed);
    }
}

fn from(peer: &str, uri: &str) -> TestRequest {
    TestRequest::get().uri(uri).peer_addr(format!("{peer}:1").parse().unwrap())
}

#[actix_web::test]
async fn requests_are_counted_by_the_pattern_of_their_path_and_never_by_what_stands_in_it() {
    let kept = Arc::new(Kept::default());
    let test_app = TestApp::new().await.counted_by(kept.clone());
    for id in ["00000000-0000-7000-8000-00000000000a", "canary"] {
        test_app.send(from("192.0.2.1", &format!("/v1/sessions/{id}/explain?canary=1"))).await;
    }
    let line = "GET /v1/sessions/{sid}/explain 401".to_owned();
    assert_eq!(*kept.completed.lock().unwrap(), vec![line; 2]);
}

/// Rows 15.3.4 and L3: forwarding headers from untrusted peers are ignored and counted.
#[actix_web::test]
async fn what_forwards_and_is_no_trusted_proxy_is_counted_once_for_each_request() {
    let trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    let kept = Arc::new(Kept::default());
    let test_app = TestApp::with(Options { trusted_proxies, ..options() }).await;
    let test_app = test_app.counted_by(kept.clone());
    let count = || kept.untrusted.load(Ordering::Relaxed);
    for (expected, header) in (1..).zip([
        "X-Forwarded-For",
        "Forwarded",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "X-Real-IP",
    ]) {
        test_app.send(from("192.0.2.1", "/v1/me").insert_header((header, "x"))).await;
        assert_eq!(count(), expected, "{header}");
        test_app.send(from("10.0.0.1", "/v1/me").insert_header((header, "x"))).await;
        assert_eq!(count(), expected, "{header} of a trusted proxy");
    }
    test_app.send(from("192.0.2.1", "/v1/me")).await;
    assert_eq!(count(), 5);
}
