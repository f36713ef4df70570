//! Metrics of emails: outcomes, and how many are queued.

use std::time::Duration;

use gateward_app::domain::Timestamp;
use gateward_app::domain::ports::OutboxCounts;
use gateward_app::{App, Delivery};

use super::set;

/// How often the emails are counted in the database: about as often as metrics are scraped.
const INTERVAL: Duration = Duration::from_secs(15);

/// The outcomes of a delivery.
const DELIVERIES: [Delivery; 5] = [
    Delivery::Sent,
    Delivery::Discarded,
    Delivery::Postponed,
    Delivery::Unreachable,
    Delivery::Failed,
];

/// Counts a delivery attempt.
pub(crate) fn email_attempted(delivery: Delivery) {
    mail_total(delivery).increment(1);
}

/// Counts waiting and failed emails for as long as the process runs.
pub(crate) async fn count_outbox_emails(app: &App) {
    let mut interval = tokio::time::interval(INTERVAL);
    loop {
        interval.tick().await;
        match app.count_outbox_emails().await {
            Ok(counts) => show(counts, app.now()),
            // The outbox worker warns about it.
            Err(error) => tracing::debug!(%error, "counting emails failed"),
        }
    }
}

/// Registers all outcomes with zero.
pub(super) fn preset() {
    for delivery in DELIVERIES {
        mail_total(delivery).increment(0);
    }
}

pub(super) fn show(counts: OutboxCounts, now: Timestamp) {
    // An email may be scheduled for later.
    let oldest = counts.oldest_scheduled_at.map_or(0, |at| now.seconds_since(at).max(0));
    set("gateward_mail_waiting", counts.waiting);
    set("gateward_mail_failed", counts.failed);
    set("gateward_mail_oldest_seconds", oldest);
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
