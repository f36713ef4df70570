//! Metrics: counted everywhere, told on `ops.listen` alone.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::{self, Data};
use actix_web::{App, HttpResponse, HttpServer};
use gateward_app::Delivery;
use gateward_app::domain::Timestamp;
use gateward_app::domain::ports::OutboxCounts;
use gateward_crypto::Argon2Hasher;
use gateward_memory::NodeMemory;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::wiring::Wired;

/// The bounds of the request times, in seconds: from a look-up in memory to a queue that is full.
const SECONDS: &[f64] =
    &[0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// How often what was counted is put together: until then each request takes some memory.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// How often the letters are counted, which asks the database: whoever reads the page does so about
/// as often.
const LETTERS_INTERVAL: Duration = Duration::from_secs(15);

/// What can become of a letter.
const DELIVERIES: [Delivery; 5] = [
    Delivery::Sent,
    Delivery::Dropped,
    Delivery::Postponed,
    Delivery::Unreachable,
    Delivery::GivenUp,
];

/// What the page is made of.
struct Page {
    prometheus: PrometheusHandle,
    hasher: Arc<Argon2Hasher>,
    memory: Arc<NodeMemory>,
}

/// Begins to count.
pub(crate) fn init() -> anyhow::Result<PrometheusHandle> {
    let matcher = Matcher::Suffix("_seconds".to_owned());
    Ok(PrometheusBuilder::new().set_buckets_for_metric(matcher, SECONDS)?.install_recorder()?)
}

/// Puts together what was counted, for as long as the process runs, whether anybody asks or not.
pub(crate) async fn upkeep(prometheus: PrometheusHandle) {
    let mut interval = tokio::time::interval(UPKEEP_INTERVAL);
    loop {
        interval.tick().await;
        prometheus.run_upkeep();
    }
}

/// Counts a letter that was tried.
pub(crate) fn letter_tried(delivery: Delivery) {
    mail_total(delivery).increment(1);
}

/// Counts the letters that wait or were given up, for as long as the process runs.
pub(crate) async fn count_letters(app: &gateward_app::App) {
    for delivery in DELIVERIES {
        // A counter that is not there cannot be seen to rise from nothing.
        mail_total(delivery).increment(0);
    }
    let mut interval = tokio::time::interval(LETTERS_INTERVAL);
    loop {
        interval.tick().await;
        match app.count_letters().await {
            Ok(counts) => show_letters(counts, app.now()),
            // Whoever takes letters warns of it.
            Err(error) => tracing::debug!(%error, "the letters could not be counted"),
        }
    }
}

fn mail_total(delivery: Delivery) -> metrics::Counter {
    let outcome = match delivery {
        Delivery::Sent => "sent",
        Delivery::Dropped => "dropped",
        Delivery::Postponed => "postponed",
        Delivery::Unreachable => "unreachable",
        Delivery::GivenUp => "given_up",
    };
    metrics::counter!("gateward_mail_total", "outcome" => outcome)
}

fn show_letters(counts: OutboxCounts, now: Timestamp) {
    // A letter may be planned for later.
    let oldest = counts.oldest_planned_at.map_or(0, |at| now.seconds_since(at).max(0));
    metrics::gauge!("gateward_mail_waiting").set(number(counts.waiting));
    metrics::gauge!("gateward_mail_dead").set(number(counts.dead));
    metrics::gauge!("gateward_mail_oldest_seconds").set(number(oldest));
}

/// A number as metrics have it; one that is too large is the largest.
fn number(number: impl TryInto<u32>) -> f64 {
    f64::from(number.try_into().unwrap_or(u32::MAX))
}

/// Serves the page.
pub(crate) fn serve(
    listener: TcpListener,
    prometheus: PrometheusHandle,
    wired: &Wired,
) -> anyhow::Result<actix_web::dev::Server> {
    let (hasher, memory) = (wired.hasher.clone(), wired.memory.clone());
    let page = Data::new(Page { prometheus, hasher, memory });
    let server = HttpServer::new(move || {
        App::new()
            .app_data(page.clone())
            .service(web::resource("/metrics").route(web::get().to(show)))
    });
    Ok(server.workers(1).shutdown_timeout(1).disable_signals().listen(listener)?.run())
}

async fn show(page: Data<Page>) -> HttpResponse {
    let load = page.hasher.load();
    let numbers = [
        ("gateward_hash_queue_length", load.queued),
        ("gateward_hash_queue_max", load.queue_max),
        ("gateward_hash_threads_busy", load.busy),
        ("gateward_hash_threads", load.threads),
    ];
    for (name, value) in numbers {
        metrics::gauge!(name).set(number(value));
    }
    metrics::gauge!("gateward_feed_ends").set(number(page.memory.ends()));
    // A node that has never read the feed knows nothing, however long it waits.
    let age = page.memory.age().map_or(f64::INFINITY, |age| age.as_secs_f64());
    metrics::gauge!("gateward_feed_age_seconds").set(age);
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(page.prometheus.render())
}
