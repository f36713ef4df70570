//! The chain of the audit trail.

use gateward_app::domain::audit::Checkpoint;
use gateward_app::{App, AuditReport};

use super::finding::{Code, Finding};
use crate::commands::complain;

/// How many entries pass between two progress lines.
const TOLD_EVERY: u64 = 100_000;

/// How many flaws are listed; `gateward audit verify` lists all.
const NAMED_MAX: usize = 3;

/// Checks the whole chain.
pub(super) async fn check(app: &App) -> Option<Finding> {
    let mut told = 0;
    let progress = |entries: u64, latest: &Checkpoint| {
        if entries / TOLD_EVERY > told {
            told = entries / TOLD_EVERY;
            complain(&format!(
                "checked {entries} entries of the audit trail, up to {} …",
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
        let what = format!("the audit chain is broken: {}{more}", named.join("; "));
        let remedy = "run gateward audit verify for the full list, compare with an export or a \
                      backup, and find out who can write to the database";
        Finding::new(Code::AuditChain, what, remedy)
    })
}
