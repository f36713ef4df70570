//! Metrics: counted everywhere, told on `ops.listen` alone.

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

/// The bounds of the request times, in seconds: from a look-up in memory to a queue that is full.
const SECONDS: &[f64] =
    &[0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// How often what was counted is put together: until then each request takes some memory.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// What the page is made of.
struct Page {
    prometheus: PrometheusHandle,
    hasher: Arc<Argon2Hasher>,
    connections: Option<PostgresStore>,
    auth_cache: Arc<NodeAuthCache>,
}

/// Begins to count.
pub(crate) fn init() -> anyhow::Result<PrometheusHandle> {
    let prometheus = builder()?.install_recorder()?;
    preset();
    Ok(prometheus)
}

fn builder() -> anyhow::Result<PrometheusBuilder> {
    let matcher = Matcher::Suffix("_seconds".to_owned());
    Ok(PrometheusBuilder::new().set_buckets_for_metric(matcher, SECONDS)?)
}

/// Puts together what was counted, for as long as the process runs, whether anybody asks or not.
pub(crate) async fn upkeep(prometheus: PrometheusHandle) {
    let mut interval = tokio::time::interval(UPKEEP_INTERVAL);
    loop {
        interval.tick().await;
        prometheus.run_upkeep();
    }
}

/// Shows what can be counted as not counted yet: a counter that is not there cannot be seen to rise
/// from nothing.
fn preset() {
    PrometheusMetrics.preset();
    emails::preset();
    metrics::counter!("gateward_untrusted_forwarded_total").increment(0);
    // Long ago: what has never gone well is told like what has not for long.
    let never = Timestamp::from_seconds(0);
    note_chained(never);
    note_cleanup(never);
}

/// Notes that no event was left without a place in the audit trail.
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

    /// What was counted, and how much there is to do at this moment.
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
        // A node that has never read the feed knows nothing, however long it waits.
        let age = self.auth_cache.age().map_or(f64::INFINITY, |age| age.as_secs_f64());
        metrics::gauge!("gateward_feed_age_seconds").set(age);
        self.prometheus.render()
    }
}
