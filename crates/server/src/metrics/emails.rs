//! Metrics of emails: what became of them, and how many wait.

use std::time::Duration;

use gateward_app::domain::Timestamp;
use gateward_app::domain::ports::OutboxCounts;
use gateward_app::{App, Delivery};

use super::set;

/// How often the emails are counted, which asks the database: whoever reads the page does so about
/// as often.
const INTERVAL: Duration = Duration::from_secs(15);

/// What can become of an email.
const DELIVERIES: [Delivery; 5] = [
    Delivery::Sent,
    Delivery::Discarded,
    Delivery::Postponed,
    Delivery::Unreachable,
    Delivery::Failed,
];

/// Counts an email that was tried.
pub(crate) fn email_attempted(delivery: Delivery) {
    mail_total(delivery).increment(1);
}

/// Counts the emails that wait or were given up, for as long as the process runs.
pub(crate) async fn count_outbox_emails(app: &App) {
    let mut interval = tokio::time::interval(INTERVAL);
    loop {
        interval.tick().await;
        match app.count_outbox_emails().await {
            Ok(counts) => show(counts, app.now()),
            // Whoever takes emails warns of it.
            Err(error) => tracing::debug!(%error, "the emails could not be counted"),
        }
    }
}

/// Shows everything that can become of an email as not counted yet.
pub(super) fn preset() {
    for delivery in DELIVERIES {
        mail_total(delivery).increment(0);
    }
}

pub(super) fn show(counts: OutboxCounts, now: Timestamp) {
    // An email may be planned for later.
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
