//! `Node`: a running node.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gateward_app::domain::ports::{Mailer, Store};
use gateward_app::{App as Core, KeysError, NewAlgorithm, Policy};
use gateward_crypto::MasterKeys;
use gateward_http::App;

use crate::NodeBuilder;
use crate::jobs::audit_chainer::chain_last_events;
use crate::jobs::outbox_worker::OutboxWorker;
use crate::jobs::{Job, RunningJobs};
use crate::metrics::NodeMetrics;

/// A node: the HTTP interface, the use cases, the background jobs and the metrics. Clones are the
/// same node. When the last one is dropped, the jobs end.
#[derive(Clone)]
pub struct Node(Arc<Parts>);

struct Parts {
    app: App,
    core: Arc<Core>,
    outbox: Arc<OutboxWorker>,
    metrics: NodeMetrics,
    jobs: Mutex<Jobs>,
}

/// The background jobs of a node. They start once, and stay stopped.
enum Jobs {
    Waiting(Vec<Job>),
    Running(RunningJobs),
    Stopped,
}

impl fmt::Debug for Node {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Node").finish_non_exhaustive()
    }
}

impl Node {
    /// Begins with what has no default: the store, which is migrated; the master key, or the
    /// present and the previous one; the mailer; and the policy, which has the public URL.
    pub fn builder(
        store: Arc<dyn Store>,
        master_keys: impl Into<MasterKeys>,
        mailer: Arc<dyn Mailer>,
        policy: Policy,
    ) -> NodeBuilder {
        NodeBuilder::new(store, master_keys.into(), mailer, policy)
    }

    pub(crate) fn new(
        app: App,
        core: Arc<Core>,
        outbox: Arc<OutboxWorker>,
        metrics: NodeMetrics,
        jobs: Vec<Job>,
    ) -> Self {
        Self(Arc::new(Parts { app, core, outbox, metrics, jobs: Mutex::new(Jobs::Waiting(jobs)) }))
    }

    /// The HTTP interface. Mount it with [`gateward_http::configure`].
    #[must_use]
    pub fn app(&self) -> &App {
        &self.0.app
    }

    /// The use cases.
    #[must_use]
    pub fn core(&self) -> &Arc<Core> {
        &self.0.core
    }

    /// Checks that the store belongs to this issuer, creates its keys at the first start, and loads
    /// them. Until this has succeeded, nothing can be signed, and the node is not ready. If the
    /// store may start later than the node, repeat it.
    pub async fn prepare_keys(&self, new_algorithm: NewAlgorithm) -> Result<(), KeysError> {
        self.0.core.prepare_keys(new_algorithm).await
    }

    /// Starts the background jobs. Call it within a Tokio runtime, after
    /// [`Node::prepare_keys`]. A node whose jobs run or were stopped does not start them again.
    pub fn spawn_jobs(&self) {
        let mut state = self.jobs();
        if let Jobs::Waiting(jobs) = &mut *state {
            *state = Jobs::Running(RunningJobs::start(std::mem::take(jobs), &self.0.metrics));
        }
    }

    /// Starts the background jobs, and stops them when `shutdown` completes.
    pub async fn run_jobs_until(&self, shutdown: impl Future<Output = ()>) {
        self.spawn_jobs();
        shutdown.await;
        self.stop().await;
    }

    /// Prepares for shutdown: the readiness check fails, open streams end, and no more emails are
    /// leased. Requests are served and the other jobs run until the end.
    pub fn drain(&self) {
        self.0.app.drain();
        self.0.outbox.close();
    }

    /// Stops the background jobs. Call it when no more requests are served. It takes at most a few
    /// seconds: for the emails that are being sent, and the last events of the audit trail.
    pub async fn stop(&self) {
        self.drain();
        self.0.outbox.finish().await;
        let jobs = std::mem::replace(&mut *self.jobs(), Jobs::Stopped);
        if let Jobs::Running(running) = jobs {
            running.stop().await;
        }
        chain_last_events(&self.0.core, &self.0.metrics).await;
    }

    /// The metrics in the text format of Prometheus, with the current load. `None` if the node
    /// keeps none.
    ///
    /// Serve it as `text/plain; version=0.0.4; charset=utf-8`, and not to the public.
    #[must_use]
    pub fn metrics_text(&self) -> Option<String> {
        self.0.metrics.text()
    }

    fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.0.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
