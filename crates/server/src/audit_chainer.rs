//! The sealer: gives events their places in the audit trail, and tells how far it has come.

use std::time::Duration;

use gateward_app::domain::audit::Checkpoint;
use gateward_app::{App, AuditChainError};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::metrics;

/// How often events are given their places. An event that is taken out before is not missed, so
/// soon; where there is nothing to do, it costs the database one small question.
const CHAIN_INTERVAL: Duration = Duration::from_secs(1);

/// How often it is told how far the audit trail has come: so that what is kept of the log elsewhere
/// shows a tail that was cut off, and is not flooded.
const TELL_INTERVAL: Duration = Duration::from_mins(1);

/// How long the last events may take at the end of the process. Where the database is away, the
/// next node that sees it goes on.
const LAST_CHAIN_SECONDS: Duration = Duration::from_secs(1);

/// Seals the audit trail for as long as the process runs.
pub(crate) async fn chain(app: &App) {
    let mut chainer = AuditChainer { app, logged: Checkpoint::START.seq, trouble: None };
    let (mut chain_ticks, mut log_ticks) = (interval(CHAIN_INTERVAL), interval(TELL_INTERVAL));
    // After a halt, what was missed is not made up for.
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

/// Seals what has happened up to the end of the process, and tells how far that is.
pub(crate) async fn chain_last_events(app: &App) {
    let mut chainer = AuditChainer { app, logged: Checkpoint::START.seq, trouble: None };
    let work = async {
        chainer.chain().await?;
        chainer.log().await
    };
    if let Ok(done) = timeout(LAST_CHAIN_SECONDS, work).await {
        chainer.note(done);
    } else {
        tracing::warn!("the last events have no place in the audit trail yet");
    }
}

struct AuditChainer<'a> {
    app: &'a App,
    /// The number of the head that was told last.
    logged: i64,
    /// Why it failed, if nothing went well since.
    trouble: Option<String>,
}

impl AuditChainer<'_> {
    async fn chain(&self) -> Result<(), AuditChainError> {
        self.app.chain_events().await?;
        metrics::note_chained(self.app.now());
        Ok(())
    }

    /// Tells the head if the chain has moved, whichever node has moved it.
    async fn log(&mut self) -> Result<(), AuditChainError> {
        let Checkpoint { seq, digest, .. } = self.app.latest_checkpoint().await?;
        if seq < self.logged {
            // A restored backup, or somebody who has cut the end off.
            let logged = self.logged;
            tracing::error!(seq, logged, "the audit trail ends before what was told of it");
        }
        if seq != self.logged {
            tracing::info!(seq, %digest, "audit trail chained");
            self.logged = seq;
        }
        Ok(())
    }

    /// Warns of each cause once, until something goes well.
    fn note(&mut self, done: Result<(), AuditChainError>) {
        let cause = done.err().map(|error| format!("{:#}", anyhow::Error::from(error)));
        if self.is_new(cause.as_deref()) {
            tracing::warn!(cause, "the audit trail could not be chained; it is tried again");
        }
    }

    /// Whether this is trouble, and another than the last.
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

    /// The first start has made keys, which is written down.
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
