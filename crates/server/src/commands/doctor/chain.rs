//! The chain of the audit trail.

use gateward_app::domain::audit::Checkpoint;
use gateward_app::{App, AuditReport};

use super::finding::{Code, Finding};
use crate::commands::complain;

/// After how many entries it is told how far the check is.
const TOLD_EVERY: u64 = 100_000;

/// How many of the flaws are named; `gateward audit verify` names them all.
const NAMED_MAX: usize = 3;

/// Goes through the whole chain.
pub(super) async fn check(app: &App) -> Option<Finding> {
    let mut told = 0;
    let progress = |entries: u64, latest: &Checkpoint| {
        if entries / TOLD_EVERY > told {
            told = entries / TOLD_EVERY;
            complain(&format!(
                "{entries} entries of the audit trail are checked, up to {} …",
                latest.seq
            ));
        }
    };
    match app.verify_audit(None, progress).await {
        Ok(report) => broken(&report),
        Err(error) => Some(Finding::unanswered("the audit trail", error)),
    }
}

fn broken(report: &AuditReport) -> Option<Finding> {
    let count = report.findings.len();
    let named: Vec<_> = report.findings.iter().take(NAMED_MAX).map(ToString::to_string).collect();
    let more = if count > named.len() { ", and more" } else { "" };
    (count > 0).then(|| {
        let what = format!("the chain of the audit trail is broken: {}{more}", named.join("; "));
        let remedy = "gateward audit verify tells all; compare with an export or a backup, and find out \
                      who can write to the database";
        Finding::new(Code::AuditChain, what, remedy)
    })
}
