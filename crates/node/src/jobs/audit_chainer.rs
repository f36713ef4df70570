//! `AuditChainer`: appends events to the audit chain, and logs its checkpoints.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gateward_app::domain::audit::Checkpoint;
use gateward_app::{App as Core, AuditChainError};
use tokio::time::{Instant, timeout};

use super::{Failed, Work};
use crate::metrics::NodeMetrics;

/// The name of the job.
pub(super) const NAME: &str = "chain_audit";

/// When all events were last in the chain.
pub(super) const GAUGE: &str = "gateward_audit_chained_timestamp_seconds";

/// How often events are appended to the chain. An event that is deleted before that is not missed,
/// so this is short; an idle run costs one small query.
pub(super) const CHAIN_INTERVAL: Duration = Duration::from_secs(1);

/// How often the latest checkpoint is logged: often enough that a log stored elsewhere shows a
/// truncated chain, without flooding it.
const LOG_INTERVAL: Duration = Duration::from_mins(1);

/// How long shutdown waits for the last events. If the database is unavailable, another node
/// continues later.
const LAST_CHAIN_SECONDS: Duration = Duration::from_secs(1);

/// Appends the last events before the node ends, and logs the checkpoint.
pub(crate) async fn chain_last_events(core: &Arc<Core>, metrics: &NodeMetrics) {
    let mut chainer = AuditChainer::new(core.clone());
    let work = async {
        chainer.chain().await?;
        metrics.job_succeeded(NAME, Some(GAUGE), core.now());
        chainer.log().await
    };
    if let Ok(done) = timeout(LAST_CHAIN_SECONDS, work).await {
        chainer.note(done.err());
    } else {
        tracing::warn!("stopped before the last events were added to the audit chain");
    }
}

/// Appends events to the audit chain, and sometimes logs the checkpoint.
pub(super) struct AuditChainer {
    core: Arc<Core>,
    /// The sequence number of the checkpoint that was logged last.
    logged: i64,
    /// When the checkpoint is read again to be logged.
    log_at: Instant,
    /// The last failure, if it has not recovered since.
    trouble: Option<String>,
}

#[async_trait]
impl Work for AuditChainer {
    async fn run_once(&mut self) -> Result<(), Failed> {
        let chained = self.chain().await;
        // Another node may append events although this one cannot.
        let logged = if self.log_at <= Instant::now() { self.log().await } else { Ok(()) };
        let succeeded = if chained.is_ok() { Ok(()) } else { Err(Failed) };
        self.note(chained.and(logged).err());
        succeeded
    }
}

impl AuditChainer {
    pub(super) fn new(core: Arc<Core>) -> Self {
        Self { core, logged: Checkpoint::START.seq, log_at: Instant::now(), trouble: None }
    }

    async fn chain(&self) -> Result<(), AuditChainError> {
        self.core.chain_events().await.map(|_| ())
    }

    /// Logs the checkpoint if the chain has grown, on whichever node.
    async fn log(&mut self) -> Result<(), AuditChainError> {
        self.log_at = Instant::now() + LOG_INTERVAL;
        let Checkpoint { seq, digest, .. } = self.core.latest_checkpoint().await?;
        if seq < self.logged {
            // A restored backup, or a truncated chain.
            let logged = self.logged;
            tracing::error!(seq, logged, "audit trail ends before the last logged checkpoint");
        }
        if seq != self.logged {
            tracing::info!(seq, %digest, "audit trail chained");
            self.logged = seq;
        }
        Ok(())
    }

    /// Logs each cause once, until it recovers.
    fn note(&mut self, error: Option<AuditChainError>) {
        let cause = error.map(|error| format!("{:#}", anyhow::Error::from(error)));
        if self.is_new(cause.as_deref()) {
            tracing::warn!(cause, "audit chaining failed, will retry");
        }
    }

    /// Whether this is a failure, and another one than the last.
    fn is_new(&mut self, cause: Option<&str>) -> bool {
        let is_new = cause.is_some() && cause != self.trouble.as_deref();
        self.trouble = cause.map(str::to_owned);
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::node;

    /// The first start has created keys, which is an event.
    #[tokio::test]
    async fn what_happened_before_the_end_is_chained() {
        let node = node().await;
        let core = node.core();
        assert_eq!(core.latest_checkpoint().await.unwrap(), Checkpoint::START);
        chain_last_events(core, &NodeMetrics::off()).await;
        let report = core.verify_audit(None, |_, _| {}).await.unwrap();
        assert!(report.latest.seq > 0 && report.waiting == 0, "{report:?}");
        assert_eq!(report.findings.len(), 0, "{report:?}");
    }

    #[tokio::test]
    async fn a_cause_is_warned_of_once_until_something_goes_well() {
        let mut chainer = AuditChainer::new(node().await.core().clone());
        let (busy, gone) = (Some("busy"), Some("gone"));
        let causes = [busy, busy, gone, gone, None, gone];
        let warned = causes.map(|cause| chainer.is_new(cause));
        assert_eq!(warned, [true, false, true, false, false, true]);
    }
}
