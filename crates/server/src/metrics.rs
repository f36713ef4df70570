//! Metrics: counted everywhere, served only on `ops.listen`.

mod emails;
#[cfg(test)]
mod tests;

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::{self, Data};
use actix_web::{App, HttpResponse, HttpServer};
use gateward_app::domain::Timestamp;
use gateward_cache::NodeAuthCache;
use gateward_crypto::Argon2Hasher;
use gateward_diesel::PostgresStore;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::recorder::PrometheusMetrics;
use crate::wiring::Wired;
pub(crate) use emails::{count_outbox_emails, email_attempted};

/// Histogram buckets of the request times, in seconds: from a cache hit to a full queue.
const SECONDS: &[f64] =
    &[0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// How often histograms are aggregated: until then each request takes some memory.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// The sources of the page.
struct Page {
    prometheus: PrometheusHandle,
    hasher: Arc<Argon2Hasher>,
    connections: Option<PostgresStore>,
    auth_cache: Arc<NodeAuthCache>,
}

/// Installs the recorder.
pub(crate) fn init() -> anyhow::Result<PrometheusHandle> {
    let prometheus = builder()?.install_recorder()?;
    preset();
    Ok(prometheus)
}

fn builder() -> anyhow::Result<PrometheusBuilder> {
    let matcher = Matcher::Suffix("_seconds".to_owned());
    Ok(PrometheusBuilder::new().set_buckets_for_metric(matcher, SECONDS)?)
}

/// Aggregates histograms for as long as the process runs, even without scrapes.
pub(crate) async fn upkeep(prometheus: PrometheusHandle) {
    let mut interval = tokio::time::interval(UPKEEP_INTERVAL);
    loop {
        interval.tick().await;
        prometheus.run_upkeep();
    }
}

/// Registers all metrics with zero: without that, the first increment of a counter is not seen.
fn preset() {
    PrometheusMetrics.preset();
    emails::preset();
    metrics::counter!("gateward_untrusted_forwarded_total").increment(0);
    // Long ago: a job that never succeeded looks like one that has not succeeded for long.
    let never = Timestamp::from_seconds(0);
    note_chained(never);
    note_cleanup(never);
}

/// Notes that all events are in the audit chain.
pub(crate) fn note_chained(now: Timestamp) {
    set("gateward_audit_chained_timestamp_seconds", now.seconds());
}

/// Notes that everything was cleaned up.
pub(crate) fn note_cleanup(now: Timestamp) {
    set("gateward_cleanup_timestamp_seconds", now.seconds());
}

/// Sets a gauge.
fn set(name: &'static str, value: impl TryInto<u32>) {
    metrics::gauge!(name).set(number(value));
}

/// A number as a metric; larger ones saturate.
fn number(number: impl TryInto<u32>) -> f64 {
    f64::from(number.try_into().unwrap_or(u32::MAX))
}

/// Serves the page.
pub(crate) fn serve(
    listener: TcpListener,
    prometheus: PrometheusHandle,
    wired: &Wired,
) -> anyhow::Result<actix_web::dev::Server> {
    let page = Data::new(Page::new(prometheus, wired));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(page.clone())
            .service(web::resource("/metrics").route(web::get().to(show)))
    });
    Ok(server.workers(1).shutdown_timeout(1).disable_signals().listen(listener)?.run())
}

async fn show(page: Data<Page>) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(page.text())
}

impl Page {
    fn new(prometheus: PrometheusHandle, wired: &Wired) -> Self {
        let (hasher, connections) = (wired.hasher.clone(), wired.connections.clone());
        Self { prometheus, hasher, connections, auth_cache: wired.auth_cache.clone() }
    }

    /// All metrics, with the current load.
    fn text(&self) -> String {
        let load = self.hasher.load();
        set("gateward_hash_queue_length", load.queued);
        set("gateward_hash_queue_max", load.queue_max);
        set("gateward_hash_threads_busy", load.busy);
        set("gateward_hash_threads", load.threads);
        if let Some(load) = self.connections.as_ref().map(PostgresStore::load) {
            set("gateward_pool_size", load.size);
            set("gateward_pool_in_use", load.in_use);
            set("gateward_pool_waiting", load.waiting);
        }
        set("gateward_feed_ends", self.auth_cache.ends());
        // Infinite until the node has read the feed once.
        let age = self.auth_cache.age().map_or(f64::INFINITY, |age| age.as_secs_f64());
        metrics::gauge!("gateward_feed_age_seconds").set(age);
        self.prometheus.render()
    }
}
