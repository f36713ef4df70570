//! The sealer: gives events their places in the audit trail, and tells how far it has come.

use std::time::Duration;

use gateward_app::domain::audit::Head;
use gateward_app::{App, SealError};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::metrics;

/// How often events are given their places. An event that is taken out before is not missed, so soon;
/// where there is nothing to do, it costs the database one small question.
const SEAL_INTERVAL: Duration = Duration::from_secs(1);

/// How often it is told how far the audit trail has come: so that what is kept of the log elsewhere
/// shows a tail that was cut off, and is not flooded.
const TELL_INTERVAL: Duration = Duration::from_mins(1);

/// How long the last events may take at the end of the process. Where the database is away, the next
/// node that sees it goes on.
const LAST_SEAL: Duration = Duration::from_secs(1);

/// Seals the audit trail for as long as the process runs.
pub(crate) async fn seal(app: &App) {
    let mut sealer = Sealer { app, told: Head::START.seq, trouble: None };
    let (mut seals, mut tells) = (interval(SEAL_INTERVAL), interval(TELL_INTERVAL));
    // After a halt, what was missed is not made up for.
    seals.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tells.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let done = tokio::select! {
            _ = seals.tick() => sealer.seal().await,
            _ = tells.tick() => sealer.tell().await,
        };
        sealer.note(done);
    }
}

/// Seals what has happened up to the end of the process, and tells how far that is.
pub(crate) async fn seal_last(app: &App) {
    let mut sealer = Sealer { app, told: Head::START.seq, trouble: None };
    let work = async {
        sealer.seal().await?;
        sealer.tell().await
    };
    if let Ok(done) = timeout(LAST_SEAL, work).await {
        sealer.note(done);
    } else {
        tracing::warn!("the last events have no place in the audit trail yet");
    }
}

struct Sealer<'a> {
    app: &'a App,
    /// The number of the head that was told last.
    told: i64,
    /// Why it failed, if nothing went well since.
    trouble: Option<String>,
}

impl Sealer<'_> {
    async fn seal(&self) -> Result<(), SealError> {
        self.app.seal_events().await?;
        metrics::note_sealed(self.app.now());
        Ok(())
    }

    /// Tells the head if the chain has moved, whichever node has moved it.
    async fn tell(&mut self) -> Result<(), SealError> {
        let Head { seq, digest, .. } = self.app.audit_tip().await?;
        if seq < self.told {
            // A restored backup, or somebody who has cut the end off.
            let told = self.told;
            tracing::error!(seq, told, "the audit trail ends before what was told of it");
        }
        if seq != self.told {
            tracing::info!(seq, %digest, "audit trail sealed");
            self.told = seq;
        }
        Ok(())
    }

    /// Warns of each cause once, until something goes well.
    fn note(&mut self, done: Result<(), SealError>) {
        let cause = done.err().map(|error| format!("{:#}", anyhow::Error::from(error)));
        if self.is_new(cause.as_deref()) {
            tracing::warn!(cause, "the audit trail could not be sealed; it is tried again");
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
    async fn what_happened_before_the_end_is_sealed() {
        let node = brought_up().await;
        let app = &node.wired.app;
        assert_eq!(app.audit_tip().await.unwrap(), Head::START);
        seal_last(app).await;
        let report = app.verify_audit(None, |_, _| {}).await.unwrap();
        assert!(report.tip.seq > 0 && report.waiting == 0, "{report:?}");
        assert_eq!(report.findings.len(), 0, "{report:?}");
    }

    #[tokio::test]
    async fn a_cause_is_warned_of_once_until_something_goes_well() {
        let node = brought_up().await;
        let mut sealer = Sealer { app: &node.wired.app, told: 0, trouble: None };
        let (busy, gone) = (Some("busy"), Some("gone"));
        let causes = [busy, busy, gone, gone, None, gone];
        let warned = causes.map(|cause| sealer.is_new(cause));
        assert_eq!(warned, [true, false, true, false, false, true]);
    }
}
