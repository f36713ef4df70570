//! Metrics of what the use cases count.

use gateward_app::domain::EndReason;
use gateward_app::domain::ports::{LoginOutcome, Metric, Metrics, RateLimitScope, RefreshOutcome};
use metrics::{Counter, counter};

use super::NodeMetrics;

impl Metrics for NodeMetrics {
    fn count(&self, metric: Metric, times: u64) {
        self.with(|| counter_of(metric).increment(times));
    }
}

/// Registers all counters with zero.
pub(super) fn preset() {
    let single = [Metric::SessionStarted, Metric::Denied, Metric::EventChained];
    let all = single
        .into_iter()
        .chain(EndReason::ALL.iter().copied().map(Metric::SessionEnded))
        .chain(LoginOutcome::ALL.iter().copied().map(Metric::Login))
        .chain(RefreshOutcome::ALL.iter().copied().map(Metric::Refresh))
        .chain(RateLimitScope::ALL.iter().copied().map(Metric::RateLimited));
    for metric in all {
        counter_of(metric).increment(0);
    }
}

/// Labels are fixed words: no usernames, and nothing that a client can choose.
fn counter_of(metric: Metric) -> Counter {
    match metric {
        Metric::SessionStarted => counter!("gateward_sessions_started_total"),
        Metric::SessionEnded(reason) => {
            counter!("gateward_sessions_ended_total", "reason" => reason.as_str())
        }
        Metric::Login(outcome) => {
            counter!("gateward_logins_total", "outcome" => outcome.as_str())
        }
        Metric::Refresh(outcome) => {
            counter!("gateward_refreshes_total", "outcome" => outcome.as_str())
        }
        Metric::RateLimited(scope) => {
            counter!("gateward_rate_limited_total", "scope" => scope.as_str())
        }
        Metric::Denied => counter!("gateward_denied_total"),
        Metric::EventChained => counter!("gateward_audit_chained_total"),
    }
}
