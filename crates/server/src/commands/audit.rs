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
use gateward_app::domain::audit::Head;
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
            let read_head = |signature: &str| wired.app.read_audit_head(signature);
            let mut progress = Progress::new();
            let report = file::check(BufReader::new(file), expect, read_head, &mut progress);
            progress.finish();
            report.with_context(|| cannot_read(&path))?.conclude(expect, json)
        }
        AuditCommand::Verify { file: None, expect, json } => {
            let wired = ready(settings).await?;
            check_database(&wired.app, expect).await?.conclude(expect, json)
        }
        AuditCommand::Export => export::export(&ready(settings).await?.app).await,
    }
}

fn cannot_read(path: &Path) -> String {
    format!("{} cannot be checked", path.display())
}

async fn check_database(app: &App, expected: Option<Head>) -> anyhow::Result<Report> {
    let floor = app.audit_chain().await?.floor.head;
    let mut progress = Progress::new();
    let done = app
        .verify_audit(expected, |entries, tip| progress.tell(entries, Some(tip.seq - floor.seq)))
        .await;
    progress.finish();
    let report = done?;
    Ok(Report {
        entries: report.entries,
        floor,
        tip: Some(report.tip),
        waiting: Some(report.waiting),
        findings: report.findings.iter().map(Finding::to_string).collect(),
    })
}
