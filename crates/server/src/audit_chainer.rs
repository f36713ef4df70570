//! `AuditChainer`: appends events to the audit chain, and logs its checkpoints.

use std::time::Duration;

use gateward_app::domain::audit::Checkpoint;
use gateward_app::{App, AuditChainError};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::metrics;

/// How often events are appended to the chain. An event that is deleted before that is not missed,
/// so this is short; an idle run costs one small query.
const CHAIN_INTERVAL: Duration = Duration::from_secs(1);

/// How often the latest checkpoint is logged: often enough that a log stored elsewhere shows a
/// truncated chain, without flooding it.
const TELL_INTERVAL: Duration = Duration::from_mins(1);

/// How long shutdown waits for the last events. If the database is unavailable, another node
/// continues later.
const LAST_CHAIN_SECONDS: Duration = Duration::from_secs(1);

/// Appends events to the audit chain for as long as the process runs.
pub(crate) async fn chain(app: &App) {
    let mut chainer = AuditChainer { app, logged: Checkpoint::START.seq, trouble: None };
    let (mut chain_ticks, mut log_ticks) = (interval(CHAIN_INTERVAL), interval(TELL_INTERVAL));
    // After a pause, missed ticks are skipped.
    chain_ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    log_ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let done = tokio::select! {
            _ = chain_ticks.tick() => chainer.chain().await,
            _ = log_ticks.tick() => chainer.log().await,
        };
        chainer.note(done);
    }
}

/// Appends the last events before the process ends, and logs the checkpoint.
pub(crate) async fn chain_last_events(app: &App) {
    let mut chainer = AuditChainer { app, logged: Checkpoint::START.seq, trouble: None };
    let work = async {
        chainer.chain().await?;
        chainer.log().await
    };
    if let Ok(done) = timeout(LAST_CHAIN_SECONDS, work).await {
        chainer.note(done);
    } else {
        tracing::warn!("stopped before the last events were added to the audit chain");
    }
}

struct AuditChainer<'a> {
    app: &'a App,
    /// The sequence number of the checkpoint that was logged last.
    logged: i64,
    /// The last failure, if it has not recovered since.
    trouble: Option<String>,
}

impl AuditChainer<'_> {
    async fn chain(&self) -> Result<(), AuditChainError> {
        self.app.chain_events().await?;
        metrics::note_chained(self.app.now());
        Ok(())
    }

    /// Logs the checkpoint if the chain has grown, on whichever node.
    async fn log(&mut self) -> Result<(), AuditChainError> {
        let Checkpoint { seq, digest, .. } = self.app.latest_checkpoint().await?;
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
    fn note(&mut self, done: Result<(), AuditChainError>) {
        let cause = done.err().map(|error| format!("{:#}", anyhow::Error::from(error)));
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
    use crate::wiring::testing::brought_up;

    /// The first start has created keys, which is an event.
    #[tokio::test]
    async fn what_happened_before_the_end_is_chained() {
        let node = brought_up().await;
        let app = &node.wired.app;
        assert_eq!(app.latest_checkpoint().await.unwrap(), Checkpoint::START);
        chain_last_events(app).await;
        let report = app.verify_audit(None, |_, _| {}).await.unwrap();
        assert!(report.latest.seq > 0 && report.waiting == 0, "{report:?}");
        assert_eq!(report.findings.len(), 0, "{report:?}");
    }

    #[tokio::test]
    async fn a_cause_is_warned_of_once_until_something_goes_well() {
        let node = brought_up().await;
        let mut chainer = AuditChainer { app: &node.wired.app, logged: 0, trouble: None };
        let (busy, gone) = (Some("busy"), Some("gone"));
        let causes = [busy, busy, gone, gone, None, gone];
        let warned = causes.map(|cause| chainer.is_new(cause));
        assert_eq!(warned, [true, false, true, false, false, true]);
    }
}
