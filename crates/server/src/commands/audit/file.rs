//! `gateward audit verify FILE`: checking an exported audit trail.

use std::io::{BufRead, Read};

use anyhow::{Context, bail};
use gateward_app::domain::audit::{Checkpoint, CheckpointKind, SignedCheckpoint};
use gateward_app::domain::audit_check::{ChainCheck, Finding};

use super::lines::Line;
use super::report::{Progress, Report};

/// The maximum length of a line in bytes; every entry is shorter.
const LINE_MAX: u64 = 64 * 1024;

/// Checks a file line by line, however long it is. `expected` is a checkpoint stored elsewhere;
/// `read_checkpoint` reads a signature.
pub(super) fn check(
    file: impl BufRead,
    expected: Option<Checkpoint>,
    read_checkpoint: impl Fn(&str) -> Option<(CheckpointKind, Checkpoint)>,
    progress: &mut Progress,
) -> anyhow::Result<Report> {
    let mut lines = Lines { file, bytes: Vec::new() };
    let first = lines.next().context("cannot read the file")?;
    let Next::Line(Line::RetentionBoundary(retention_boundary)) = first else {
        bail!(
            "not an export of `gateward audit export`: the first line is not a retention boundary"
        );
    };
    let mut check = ChainCheck::new(&retention_boundary, expected, read_checkpoint);
    let (mut latest, mut goes_on) = (None, false);
    loop {
        let next = lines.next().context("cannot read the file to its end")?;
        goes_on |= latest.is_some() && !matches!(next, Next::End);
        match next {
            Next::Line(Line::Entry(entry)) => check.add(&entry),
            Next::Line(Line::Latest(checkpoint)) => latest = Some(checkpoint),
            Next::Line(Line::RetentionBoundary(_)) | Next::Unreadable => check.add_unreadable(),
            Next::End => break,
        }
        progress.tell(check.entries(), None);
    }
    let (seq, entries) = (check.seq(), check.entries());
    let findings = check.finish(latest.as_ref());
    let mut findings: Vec<String> = findings.iter().map(Finding::to_string).collect();
    findings.extend(end_finding(latest.as_ref(), seq, goes_on));
    Ok(Report {
        entries,
        retention_boundary: retention_boundary.checkpoint,
        latest: latest.map(|latest| latest.checkpoint),
        waiting: None,
        findings,
    })
}

/// What is wrong with the end of the file. A database may have entries after the checkpoint that
/// was read first; a file never has.
fn end_finding(latest: Option<&SignedCheckpoint>, seq: i64, goes_on: bool) -> Option<String> {
    match latest {
        None => Some(format!("the trail is truncated: no checkpoint follows entry {seq}")),
        Some(latest) if goes_on || seq > latest.checkpoint.seq => Some(format!(
            "the file continues after its last checkpoint, at {}",
            latest.checkpoint.seq
        )),
        Some(_) => None,
    }
}

/// The next part of a file.
enum Next {
    Line(Line),
    Unreadable,
    End,
}

/// Reads a file line by line.
struct Lines<R> {
    file: R,
    bytes: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    fn next(&mut self) -> std::io::Result<Next> {
        self.bytes.clear();
        let count = (&mut self.file).take(LINE_MAX).read_until(b'\n', &mut self.bytes)?;
        if count == 0 {
            return Ok(Next::End);
        }
        let is_whole = self.bytes.last() == Some(&b'\n') || self.file.skip_until(b'\n')? == 0;
        let text = std::str::from_utf8(&self.bytes).ok().filter(|_| is_whole);
        let line = text.and_then(Line::read);
        Ok(line.map_or(Next::Unreadable, Next::Line))
    }
}
