//! `NodeMetrics`: the metrics of one node, in a Prometheus recorder of its own.

mod emails;
mod events;
mod requests;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use gateward_app::domain::Timestamp;
use gateward_cache::NodeAuthCache;
use gateward_crypto::Argon2Hasher;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusRecorder};

use crate::jobs::Job;

/// Histogram buckets of the request times, in seconds: from a cache hit to a full queue.
const SECONDS: &[f64] =
    &[0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// How often histograms are aggregated: until then each request takes some memory.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// The metrics could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("the metrics could not be set up")]
pub struct MetricsError(#[from] BuildError);

/// The connections of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLoad {
    /// Maximum number of connections.
    pub size: usize,
    /// Number of connections in use by units of work.
    pub in_use: usize,
    /// Number of units of work waiting for a connection.
    pub waiting: usize,
}

/// Reads the connections of the store.
pub(crate) type ConnectionLoads = Arc<dyn Fn() -> ConnectionLoad + Send + Sync>;

/// The sources of the values that are read for each scrape.
pub(crate) struct Loads {
    pub(crate) hasher: Arc<Argon2Hasher>,
    pub(crate) auth_cache: Arc<NodeAuthCache>,
    /// Absent if the store has no pool of connections.
    pub(crate) connections: Option<ConnectionLoads>,
}

/// The metrics of one node. Clones share the values. When metrics are off, counts are discarded.
#[derive(Clone)]
pub(crate) struct NodeMetrics(Option<Arc<Recording>>);

struct Recording {
    recorder: PrometheusRecorder,
    loads: Loads,
}

impl NodeMetrics {
    pub(crate) const fn off() -> Self {
        Self(None)
    }

    /// Records until the last clone is dropped. Call it within a Tokio runtime.
    pub(crate) fn recording(loads: Loads) -> Result<Self, MetricsError> {
        let matcher = Matcher::Suffix("_seconds".to_owned());
        let builder = PrometheusBuilder::new().set_buckets_for_metric(matcher, SECONDS)?;
        let recording = Arc::new(Recording { recorder: builder.build_recorder(), loads });
        // No background job: histograms grow before the store is there, and even without scrapes.
        let weak = Arc::downgrade(&recording);
        tokio::spawn(async move {
            let mut interval = tokio::time::interval(UPKEEP_INTERVAL);
            loop {
                interval.tick().await;
                let Some(recording) = weak.upgrade() else { return };
                recording.recorder.handle().run_upkeep();
            }
        });
        Ok(Self(Some(recording)))
    }

    /// Runs code that uses the macros of `metrics`, with the recorder of this node.
    fn with(&self, record: impl FnOnce()) {
        if let Some(recording) = &self.0 {
            metrics::with_local_recorder(&recording.recorder, record);
        }
    }

    /// Registers all metrics with zero: without that, the first increment of a counter is not seen.
    pub(crate) fn preset(&self, jobs: &[Job]) {
        self.with(|| {
            events::preset();
            emails::preset();
            requests::preset();
        });
        // Long ago: a job that never succeeded looks like one that has not succeeded for long.
        for job in jobs {
            self.job_succeeded(job.name, job.gauge, Timestamp::from_seconds(0));
        }
    }

    /// Records when a background job last succeeded, also in a gauge of its own if it has one.
    pub(crate) fn job_succeeded(
        &self,
        job: &'static str,
        own_gauge: Option<&'static str>,
        now: Timestamp,
    ) {
        self.with(|| {
            metrics::gauge!("gateward_job_succeeded_timestamp_seconds", "name" => job)
                .set(number(now.seconds()));
            if let Some(gauge) = own_gauge {
                set(gauge, now.seconds());
            }
        });
    }

    /// All metrics, with the current load.
    pub(crate) fn text(&self) -> Option<String> {
        let recording = self.0.as_ref()?;
        self.with(|| recording.loads.show());
        Some(recording.recorder.handle().render())
    }
}

impl Loads {
    fn show(&self) {
        let load = self.hasher.load();
        set("gateward_hash_queue_length", load.queued);
        set("gateward_hash_queue_max", load.queue_max);
        set("gateward_hash_threads_busy", load.busy);
        set("gateward_hash_threads", load.threads);
        if let Some(load) = self.connections.as_ref().map(|load| load()) {
            set("gateward_pool_size", load.size);
            set("gateward_pool_in_use", load.in_use);
            set("gateward_pool_waiting", load.waiting);
        }
        set("gateward_feed_ends", self.auth_cache.ends());
        // Infinite until the node has read the feed once.
        let age = self.auth_cache.age().map_or(f64::INFINITY, |age| age.as_secs_f64());
        metrics::gauge!("gateward_feed_age_seconds").set(age);
    }
}

/// Sets a gauge.
fn set(name: &'static str, value: impl TryInto<u32>) {
    metrics::gauge!(name).set(number(value));
}

/// A number as a metric; larger ones saturate.
fn number(number: impl TryInto<u32>) -> f64 {
    f64::from(number.try_into().unwrap_or(u32::MAX))
}
