//! `gateward audit export`: the audit trail as lines of JSON.

use std::io::{BufWriter, IsTerminal, Write};

use anyhow::{Context, ensure};
use gateward_app::App;
use gateward_app::domain::audit::Entry;
use gateward_app::domain::ports::StoreError;

use super::lines::{Line, unreadable};
use super::report::Progress;

/// How many entries are read at once.
const PAGE: u32 = 1000;

/// Writes the chain to standard output, up to its current checkpoint.
pub(super) async fn export(app: &App) -> anyhow::Result<()> {
    let stdout = std::io::stdout();
    // Progress must not mix with the lines of the export.
    let mut progress = (!stdout.is_terminal()).then(Progress::new);
    let mut out = BufWriter::new(stdout);
    let chain = app.audit_chain().await?;
    let (retention_boundary, latest) =
        (chain.retention_boundary.checkpoint.seq, chain.latest.checkpoint.seq);
    write(&mut out, &Line::RetentionBoundary(chain.retention_boundary).to_text())?;
    let (mut after, mut unread, mut count) = (retention_boundary, 0_u64, 0_u64);
    while after < latest {
        let Some(entries) = page(app, after).await? else {
            write(&mut out, &unreadable())?;
            (after, unread) = (after + 1, unread + 1);
            continue;
        };
        check_retention_boundary(app, after, &entries).await?;
        let Some(last) = entries.last().and_then(seq_of) else { break };
        let wanted =
            entries.into_iter().filter(|entry| seq_of(entry).is_some_and(|seq| seq <= latest));
        for entry in wanted {
            write(&mut out, &Line::Entry(Box::new(entry)).to_text())?;
            count += 1;
        }
        after = last;
        if let Some(progress) = &mut progress {
            progress.tell(count, Some(latest - retention_boundary));
        }
    }
    write(&mut out, &Line::Latest(chain.latest).to_text())?;
    out.flush().context(CANNOT_WRITE)?;
    if let Some(progress) = progress {
        progress.finish();
    }
    ensure!(
        unread == 0,
        "{unread} entries of the database cannot be read; all others were exported. To find them, \
         run: gateward audit verify"
    );
    Ok(())
}

const CANNOT_WRITE: &str = "cannot write the export";

fn write(out: &mut impl Write, line: &str) -> anyhow::Result<()> {
    writeln!(out, "{line}").context(CANNOT_WRITE)
}

fn seq_of(entry: &Entry) -> Option<i64> {
    entry.position.as_ref().map(|position| position.seq)
}

/// The next entries after a sequence number; `None` if the next one cannot be read. An unreadable
/// entry makes its whole page fail, so entries before it are read one by one.
async fn page(app: &App, after: i64) -> anyhow::Result<Option<Vec<Entry>>> {
    match app.audit_page(after, PAGE).await {
        Err(StoreError::Corrupt { .. }) => {}
        entries => return Ok(Some(entries?)),
    }
    match app.audit_page(after, 1).await {
        Err(StoreError::Corrupt { .. }) => Ok(None),
        entries => Ok(Some(entries?)),
    }
}

/// Fails if entries reached the end of their retention and were deleted during the export: without
/// them, it would look as if they had been removed.
async fn check_retention_boundary(app: &App, after: i64, entries: &[Entry]) -> anyhow::Result<()> {
    if entries.first().and_then(seq_of) == Some(after + 1) {
        return Ok(());
    }
    let retention_boundary = app.audit_chain().await?.retention_boundary.checkpoint.seq;
    ensure!(
        retention_boundary <= after,
        "the oldest entries reached the end of their retention during the export; export again"
    );
    Ok(())
}
