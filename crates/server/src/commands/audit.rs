//! `gateward audit`

mod export;
mod file;
mod lines;
mod report;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::Context;
use gateward_app::App;
use gateward_app::domain::audit::Checkpoint;
use gateward_app::domain::audit_check::Finding;

use self::report::{Progress, Report};
use super::ready;
use crate::cli::AuditCommand;
use crate::settings::Settings;

pub(crate) async fn run(command: AuditCommand, settings: &Settings) -> anyhow::Result<()> {
    match command {
        AuditCommand::Verify { file: Some(path), expect, json } => {
            let file = File::open(&path).with_context(|| cannot_read(&path))?;
            let wired = ready(settings).await?;
            let read_checkpoint = |signature: &str| wired.app.read_audit_checkpoint(signature);
            let mut progress = Progress::new();
            let report = file::check(BufReader::new(file), expect, read_checkpoint, &mut progress);
            progress.finish();
            report.with_context(|| cannot_read(&path))?.finish(expect, json)
        }
        AuditCommand::Verify { file: None, expect, json } => {
            let wired = ready(settings).await?;
            check_database(&wired.app, expect).await?.finish(expect, json)
        }
        AuditCommand::Export => export::export(&ready(settings).await?.app).await,
    }
}

fn cannot_read(path: &Path) -> String {
    format!("cannot check {}", path.display())
}

async fn check_database(app: &App, expected: Option<Checkpoint>) -> anyhow::Result<Report> {
    let retention_boundary = app.audit_chain().await?.retention_boundary.checkpoint;
    let mut progress = Progress::new();
    let done = app
        .verify_audit(expected, |entries, latest| {
            progress.tell(entries, Some(latest.seq - retention_boundary.seq));
        })
        .await;
    progress.finish();
    let report = done?;
    Ok(Report {
        entries: report.entries,
        retention_boundary,
        latest: Some(report.latest),
        waiting: Some(report.waiting),
        findings: report.findings.iter().map(Finding::to_string).collect(),
    })
}
