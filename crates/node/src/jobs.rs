//! The background jobs of a node, as a list.

pub(crate) mod audit_chainer;
mod follower;
mod housekeeping;
pub(crate) mod outbox_worker;
#[cfg(test)]
mod tests;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;
use gateward_app::App as Core;
use gateward_app::domain::ports::Clock;
use gateward_crypto::SystemClock;
use gateward_http::App;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::metrics::NodeMetrics;
use audit_chainer::AuditChainer;
use follower::Follower;
use housekeeping::{CleanUp, CountOutboxEmails, RotateKeys};
use outbox_worker::{DeliverEmails, OutboxWorker};

/// The shortest pause after a panic, so that a job that always panics does not flood the log.
const PANIC_PAUSE: Duration = Duration::from_secs(1);

/// A background job: work that a node repeats.
pub(crate) struct Job {
    /// The name in metrics and logs.
    pub(crate) name: &'static str,
    /// The pause after an iteration that succeeded.
    pub(crate) interval: Duration,
    /// The pause after an iteration that failed.
    pub(crate) back_off: Duration,
    /// A gauge of its own for the last success, besides the one of all jobs.
    pub(crate) gauge: Option<&'static str>,
    pub(crate) work: Box<dyn Work>,
}

/// An iteration failed, and the job has logged why.
#[derive(Debug)]
pub(crate) struct Failed;

/// The work of a job.
#[async_trait]
pub(crate) trait Work: Send {
    /// Does it once. It may be dropped at any time.
    async fn run_once(&mut self) -> Result<(), Failed>;

    /// Waits until the next iteration is due, or until something happens that cannot wait.
    async fn wait(&mut self, due: Instant) {
        sleep_until(due).await;
    }
}

/// The jobs of a node. Each runs in its own task: cleanup may take long, and neither invalidation
/// events nor emails nor the audit trail must wait for it.
pub(crate) fn all(
    app: &App,
    core: &Arc<Core>,
    outbox: &Arc<OutboxWorker>,
    metrics: &NodeMetrics,
) -> Vec<Job> {
    vec![
        Job {
            name: "follow_invalidations",
            interval: follower::LOOK_INTERVAL,
            back_off: follower::LOOK_INTERVAL,
            gauge: None,
            work: Box::new(Follower::new(app.clone(), core.clone())),
        },
        Job {
            name: "rotate_keys",
            interval: housekeeping::KEY_AGE_INTERVAL,
            back_off: housekeeping::KEY_AGE_INTERVAL,
            gauge: None,
            work: Box::new(RotateKeys(core.clone())),
        },
        outbox_worker::job(DeliverEmails::new(outbox.clone())),
        Job {
            name: "clean_up",
            interval: housekeeping::CLEANUP_INTERVAL,
            back_off: housekeeping::CLEANUP_INTERVAL,
            gauge: Some("gateward_cleanup_timestamp_seconds"),
            work: Box::new(CleanUp(core.clone())),
        },
        Job {
            name: audit_chainer::NAME,
            interval: audit_chainer::CHAIN_INTERVAL,
            back_off: audit_chainer::CHAIN_INTERVAL,
            gauge: Some(audit_chainer::GAUGE),
            work: Box::new(AuditChainer::new(core.clone())),
        },
        Job {
            name: "count_outbox_emails",
            interval: housekeeping::COUNT_INTERVAL,
            back_off: housekeeping::COUNT_INTERVAL,
            gauge: None,
            work: Box::new(CountOutboxEmails(core.clone(), metrics.clone())),
        },
    ]
}

impl Job {
    /// Repeats the work until the task ends. An iteration that fails or panics does not end it.
    async fn run(mut self, metrics: NodeMetrics) {
        loop {
            if AssertUnwindSafe(self.iterate(&metrics)).catch_unwind().await.is_err() {
                // The panic hook reports the panic itself.
                tracing::error!(job = self.name, "background job panicked, will retry");
                sleep(self.back_off.max(PANIC_PAUSE)).await;
            }
        }
    }

    /// Does the work once, and waits until it is due again.
    async fn iterate(&mut self, metrics: &NodeMetrics) {
        let pause = match self.work.run_once().await {
            Ok(()) => {
                metrics.job_succeeded(self.name, self.gauge, SystemClock.now());
                self.interval
            }
            Err(Failed) => self.back_off,
        };
        self.work.wait(Instant::now() + pause).await;
    }
}

/// Jobs that run, each in its own task. Dropping this ends them.
pub(crate) struct RunningJobs(JoinSet<()>);

impl RunningJobs {
    /// Starts all of them. Call it within a Tokio runtime.
    pub(crate) fn start(jobs: Vec<Job>, metrics: &NodeMetrics) -> Self {
        let mut tasks = JoinSet::new();
        for job in jobs {
            tasks.spawn(job.run(metrics.clone()));
        }
        Self(tasks)
    }

    /// Ends all of them, and waits until they have ended. A unit of work that is open rolls back.
    pub(crate) async fn stop(mut self) {
        self.0.shutdown().await;
    }
}
