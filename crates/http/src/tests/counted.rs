//! Tests of the metrics of the middleware and their labels.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use actix_web::test::TestRequest;
use metrics::{
    Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

use super::test_app::{TestApp, options};
use crate::Options;

/// Records every counter and histogram.
#[derive(Default)]
struct Kept {
    counters: Mutex<Vec<(String, Arc<AtomicU64>)>>,
    histograms: Mutex<Vec<String>>,
}

struct Ignored;

impl HistogramFn for Ignored {
    fn record(&self, _: f64) {}
}

impl Kept {
    /// The value of the counter with this name and these labels.
    fn count(&self, name: &str) -> u64 {
        let counters = self.counters.lock().unwrap();
        let of_name = counters.iter().filter(|(known, _)| known == name);
        of_name.map(|(_, count)| count.load(Ordering::Relaxed)).sum()
    }
}

impl Recorder for Kept {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let count = Arc::new(AtomicU64::new(0));
        self.counters.lock().unwrap().push((shown(key), Arc::clone(&count)));
        Counter::from_arc(count)
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.histograms.lock().unwrap().push(shown(key));
        Histogram::from_arc(Arc::new(Ignored))
    }
}

/// A name and its labels in one line.
fn shown(key: &Key) -> String {
    let labels: Vec<_> =
        key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
    format!("{} {}", key.name(), labels.join(" ")).trim_end().to_owned()
}

fn from(peer: &str, uri: &str) -> TestRequest {
    TestRequest::get().uri(uri).peer_addr(format!("{peer}:1").parse().unwrap())
}

#[actix_web::test]
async fn requests_are_counted_by_the_pattern_of_their_path_and_never_by_what_stands_in_it() {
    let test_app = TestApp::new().await;
    let kept = Kept::default();
    let _guard = metrics::set_default_local_recorder(&kept);
    for id in ["00000000-0000-7000-8000-00000000000a", "canary"] {
        test_app.ask(from("192.0.2.1", &format!("/v1/sessions/{id}/explain?canary=1"))).await;
    }
    let pattern = "route=/v1/sessions/{sid}/explain";
    let line = format!("gateward_http_requests_total {pattern} method=GET status=401");
    assert_eq!(kept.count(&line), 2);
    let histograms = kept.histograms.lock().unwrap().clone();
    assert_eq!(histograms, vec![format!("gateward_http_request_seconds {pattern}"); 2]);
}

/// Rows 15.3.4 and L3: forwarding headers from untrusted peers are ignored and counted.
#[actix_web::test]
async fn what_forwards_and_is_no_trusted_proxy_is_counted_once_for_each_request() {
    let trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    let test_app = TestApp::with(Options { trusted_proxies, ..options() }).await;
    let kept = Kept::default();
    let _guard = metrics::set_default_local_recorder(&kept);
    let name = "gateward_untrusted_forwarded_total";
    for (count, header) in (1..).zip([
        "X-Forwarded-For",
        "Forwarded",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "X-Real-IP",
    ]) {
        test_app.ask(from("192.0.2.1", "/v1/me").insert_header((header, "x"))).await;
        assert_eq!(kept.count(name), count, "{header}");
        test_app.ask(from("10.0.0.1", "/v1/me").insert_header((header, "x"))).await;
        assert_eq!(kept.count(name), count, "{header} of a trusted proxy");
    }
    test_app.ask(from("192.0.2.1", "/v1/me")).await;
    assert_eq!(kept.count(name), 5);
}
