//! `PrometheusMeter`: what happens becomes counters.

use gateward_app::domain::EndReason;
use gateward_app::domain::ports::{LoginOutcome, Meter, Occurrence, Pathway, RefreshOutcome};
use metrics::{Counter, counter};

/// Counts what happens in the recorder of the process; without one, nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PrometheusMeter;

impl Meter for PrometheusMeter {
    fn count(&self, occurrence: Occurrence, times: u64) {
        counter_of(occurrence).increment(times);
    }
}

impl PrometheusMeter {
    /// Shows everything that can be counted as not counted yet: a counter that is not there cannot be
    /// seen to rise from nothing.
    pub(crate) fn preset(self) {
        let single = [Occurrence::SessionBegun, Occurrence::Denied, Occurrence::EventSealed];
        let all = single
            .into_iter()
            .chain(EndReason::ALL.iter().copied().map(Occurrence::SessionEnded))
            .chain(LoginOutcome::ALL.iter().copied().map(Occurrence::Login))
            .chain(RefreshOutcome::ALL.iter().copied().map(Occurrence::Refresh))
            .chain(Pathway::ALL.iter().copied().map(Occurrence::Throttled));
        for occurrence in all {
            self.count(occurrence, 0);
        }
    }
}

/// Labels are words of ours alone: nobody's name, and nothing that a client could invent.
fn counter_of(occurrence: Occurrence) -> Counter {
    match occurrence {
        Occurrence::SessionBegun => counter!("gateward_sessions_begun_total"),
        Occurrence::SessionEnded(reason) => {
            counter!("gateward_sessions_ended_total", "reason" => reason.as_str())
        }
        Occurrence::Login(outcome) => {
            counter!("gateward_logins_total", "outcome" => outcome.as_str())
        }
        Occurrence::Refresh(outcome) => {
            counter!("gateward_refreshes_total", "outcome" => outcome.as_str())
        }
        Occurrence::Throttled(pathway) => {
            counter!("gateward_throttled_total", "pathway" => pathway.as_str())
        }
        Occurrence::Denied => counter!("gateward_denied_total"),
        Occurrence::EventSealed => counter!("gateward_audit_sealed_total"),
    }
}
