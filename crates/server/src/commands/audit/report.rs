//! The report of `gateward audit verify`, and its progress.

use std::io::{IsTerminal, Write};

use anyhow::bail;
use gateward_app::domain::audit::Checkpoint;
use gateward_app::domain::audit_check::Finding;
use serde_json::json;

use super::super::table::tell_json;
use super::super::{complain, tell};
use super::lines::checkpoint_json;

/// The result of a check.
#[derive(Debug)]
pub(super) struct Report {
    /// How many entries were checked.
    pub(super) entries: u64,
    /// Where the chain starts.
    pub(super) retention_boundary: Checkpoint,
    /// The latest checkpoint, if there is one.
    pub(super) latest: Option<Checkpoint>,
    /// How many events are not in the chain yet; a file has none of them.
    pub(super) waiting: Option<usize>,
    /// The problems, one sentence each.
    pub(super) findings: Vec<String>,
}

impl Report {
    /// Prints it, and fails if something is wrong.
    pub(super) fn finish(
        mut self,
        expected: Option<Checkpoint>,
        as_object: bool,
    ) -> anyhow::Result<()> {
        self.findings.extend(
            expected.and_then(|kept| retention_boundary_finding(&self.retention_boundary, &kept)),
        );
        if as_object {
            tell_json(&json!({
                "entries": self.entries,
                "checkpoint": self.latest.as_ref().map(checkpoint_json),
                "waiting": self.waiting,
                "findings": self.findings,
            }));
        } else {
            self.tell();
        }
        if expected.is_some_and(|kept| kept.seq < self.retention_boundary.seq) {
            complain(
                "The checkpoint of --expect could not be compared: it is older than the oldest \
                 entry that is still kept. Store the current checkpoint instead.",
            );
        }
        match self.findings.len() {
            0 => Ok(()),
            1 => bail!("the audit trail is not intact: 1 problem found"),
            count => bail!("the audit trail is not intact: {count} problems found"),
        }
    }

    fn tell(&self) {
        for finding in &self.findings {
            tell(finding);
        }
        if let (true, Some(latest)) = (self.findings.is_empty(), self.latest) {
            let (count, seq, digest) = (self.entries, latest.seq, latest.digest);
            tell(&format!("{count} entries checked, the chain is intact up to {seq}:{digest}"));
        }
        if let Some(count @ 1..) = self.waiting {
            complain(&format!(
                "At least {count} events are not in the chain yet; a running node adds them within \
                 seconds."
            ));
        }
    }
}

/// Compares a stored checkpoint with the start of the chain; the check covers what follows it.
fn retention_boundary_finding(
    retention_boundary: &Checkpoint,
    kept: &Checkpoint,
) -> Option<String> {
    let is_other = kept.seq == retention_boundary.seq && kept.digest != retention_boundary.digest;
    is_other.then(|| Finding::CheckpointMismatch(retention_boundary.seq).to_string())
}

/// How many entries pass between two progress updates.
const STEP: u64 = 1000;

/// Shows the progress of a long check on one line of the terminal.
pub(super) struct Progress {
    is_shown: bool,
    told: u64,
}

impl Progress {
    /// Shows something only at a terminal.
    pub(super) fn new() -> Self {
        Self { is_shown: std::io::stderr().is_terminal(), told: 0 }
    }

    /// Shows how many entries are done, and of how many if that is known.
    pub(super) fn tell(&mut self, entries: u64, of: Option<i64>) {
        if !self.is_shown || entries < self.told + STEP {
            return;
        }
        self.told = entries;
        let of = of.map_or_else(String::new, |of| format!(" of {of}"));
        let _ = write!(std::io::stderr(), "\r{entries}{of} entries …");
    }

    /// Ends the progress line.
    pub(super) fn finish(&self) {
        if self.told > 0 {
            complain("");
        }
    }
}

#[cfg(test)]
mod tests {
    use gateward_app::domain::Timestamp;
    use gateward_app::domain::audit::Digest;

    use super::*;

    fn checkpoint(seq: i64, byte: u8) -> Checkpoint {
        Checkpoint { seq, digest: Digest([byte; 32]), at: Timestamp::from_seconds(0) }
    }

    fn report(findings: &[&str]) -> Report {
        let findings = findings.iter().map(|text| (*text).to_owned()).collect();
        let (retention_boundary, latest) = (checkpoint(5, 1), Some(checkpoint(9, 2)));
        Report { entries: 4, retention_boundary, latest, waiting: Some(0), findings }
    }

    #[test]
    fn whatever_was_found_makes_the_command_fail() {
        assert!(report(&[]).finish(None, false).is_ok());
        assert!(report(&["entry 6 is missing"]).finish(None, false).is_err());
        assert!(report(&["entry 6 is missing"]).finish(None, true).is_err());
    }

    #[test]
    fn a_kept_checkpoint_is_compared_with_the_beginning_too() {
        assert!(report(&[]).finish(Some(checkpoint(5, 1)), false).is_ok());
        assert!(report(&[]).finish(Some(checkpoint(5, 7)), false).is_err());
        // Nothing is left that could tell.
        assert!(report(&[]).finish(Some(checkpoint(4, 7)), false).is_ok());
    }
}
