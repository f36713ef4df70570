//! Metrics of requests.

use gateward_http::{CompletedRequest, RequestMetrics};
use metrics::{Counter, counter, histogram};

use super::NodeMetrics;

impl RequestMetrics for NodeMetrics {
    fn completed(&self, request: &CompletedRequest<'_>) {
        self.with(|| {
            let route = request.route.to_owned();
            histogram!("gateward_http_request_seconds", "route" => route.clone())
                .record(request.seconds);
            let labels = [
                ("route", route),
                ("method", request.method.to_owned()),
                ("status", request.status.to_string()),
            ];
            counter!("gateward_http_requests_total", &labels).increment(1);
        });
    }

    fn untrusted_forwarded(&self) {
        self.with(|| untrusted_total().increment(1));
    }
}

/// Registers the counter that has no labels with zero.
pub(super) fn preset() {
    untrusted_total().increment(0);
}

fn untrusted_total() -> Counter {
    counter!("gateward_untrusted_forwarded_total")
}
