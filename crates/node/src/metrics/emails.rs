//! Metrics of emails: outcomes, and how many are queued.

use gateward_app::Delivery;
use gateward_app::domain::Timestamp;
use gateward_app::domain::ports::OutboxCounts;

use super::{NodeMetrics, set};

/// The outcomes of a delivery.
const DELIVERIES: [Delivery; 5] = [
    Delivery::Sent,
    Delivery::Discarded,
    Delivery::Postponed,
    Delivery::Unreachable,
    Delivery::Failed,
];

impl NodeMetrics {
    /// Counts a delivery attempt.
    pub(crate) fn email_attempted(&self, delivery: Delivery) {
        self.with(|| mail_total(delivery).increment(1));
    }

    /// Shows how many emails wait or have failed.
    pub(crate) fn outbox_counted(&self, counts: OutboxCounts, now: Timestamp) {
        // An email may be scheduled for later.
        let oldest = counts.oldest_scheduled_at.map_or(0, |at| now.seconds_since(at).max(0));
        self.with(|| {
            set("gateward_mail_waiting", counts.waiting);
            set("gateward_mail_failed", counts.failed);
            set("gateward_mail_oldest_seconds", oldest);
        });
    }
}

/// Registers all outcomes with zero.
pub(super) fn preset() {
    for delivery in DELIVERIES {
        mail_total(delivery).increment(0);
    }
}

fn mail_total(delivery: Delivery) -> metrics::Counter {
    let outcome = match delivery {
        Delivery::Sent => "sent",
        Delivery::Discarded => "discarded",
        Delivery::Postponed => "postponed",
        Delivery::Unreachable => "unreachable",
        Delivery::Failed => "failed",
    };
    metrics::counter!("gateward_mail_total", "outcome" => outcome)
}
