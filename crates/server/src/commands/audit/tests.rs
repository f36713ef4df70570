//! An audit trail is exported, and what is done to the file is found.

use gateward_app::domain::audit::{
    ChainPosition, Checkpoint, CheckpointKind, Digest, Entry, SignedCheckpoint, next_digest,
};
use gateward_app::domain::{Actor, EndReason, Event, EventKind, EventSalt, Timestamp, UserId};

use super::file;
use super::lines::{Line, unreadable};
use super::report::{Progress, Report};

/// Signs by writing down what is signed.
fn signed(kind: CheckpointKind, checkpoint: Checkpoint) -> SignedCheckpoint {
    let signature =
        format!("{kind:?} {} {} {}", checkpoint.seq, checkpoint.digest, checkpoint.at.micros());
    SignedCheckpoint { checkpoint, signature }
}

fn read_checkpoint(signature: &str) -> Option<(CheckpointKind, Checkpoint)> {
    let mut parts = signature.split(' ');
    let kind = if parts.next()? == "Latest" {
        CheckpointKind::Latest
    } else {
        CheckpointKind::RetentionBoundary
    };
    let (seq, digest) = (parts.next()?.parse().ok()?, Digest::from_hex(parts.next()?)?);
    Some((
        kind,
        Checkpoint { seq, digest, at: Timestamp::from_micros(parts.next()?.parse().ok()?) },
    ))
}

fn user(number: u32) -> UserId {
    format!("00000000-0000-7000-8000-{number:012}").parse().unwrap()
}

/// An event with as much in it as may be, or as little.
fn event(number: u32) -> Event {
    let is_full = number.is_multiple_of(2);
    let session = format!("00000000-0000-7000-8001-{number:012}").parse().ok();
    Event {
        id: format!("00000000-0000-7000-8002-{number:012}").parse().unwrap(),
        at: Timestamp::from_micros(1_795_147_800_000_000 + i64::from(number)),
        kind: match number {
            8 => EventKind::AccountDeleted,
            _ if is_full => EventKind::SessionEnded(EndReason::Logout),
            _ => EventKind::KeyCreated,
        },
        actor: if is_full { Actor::User(user(number)) } else { Actor::Service },
        actor_session_id: session.filter(|_| is_full),
        user_id: is_full.then(|| user(number)),
        session_id: session.filter(|_| is_full),
        detail: is_full.then(|| "role=a \"b\" \u{9b}".to_owned()),
        ip: is_full.then(|| "2001:db8::1".parse().unwrap()),
        salt: Some(EventSalt([7; 16])),
    }
}

/// The lines of an export of ten entries, after those that are gone.
fn export(gone: usize) -> Vec<String> {
    let (mut digest, mut lines, mut checkpoints) = (Digest::START, Vec::new(), Vec::new());
    for number in 1..=10_u32 {
        let (seq, mut event) = (i64::from(number), event(number));
        let commitment = event.commitment().unwrap();
        digest = next_digest(&digest, seq, &event, &commitment);
        let checkpoint = Checkpoint { seq, digest, at: Timestamp::from_micros(17) };
        checkpoints.push(checkpoint);
        let signature =
            (number % 5 == 0).then(|| signed(CheckpointKind::Latest, checkpoint).signature);
        if number == 8 {
            (event.ip, event.salt) = (None, None);
        }
        let position = Some(ChainPosition { seq, digest, signature });
        lines.push(Line::Entry(Box::new(Entry { event, commitment, position })).to_text());
    }
    let retention_boundary = gone
        .checked_sub(1)
        .map(|last| signed(CheckpointKind::RetentionBoundary, checkpoints[last]));
    let retention_boundary =
        Line::RetentionBoundary(retention_boundary.unwrap_or_else(SignedCheckpoint::start))
            .to_text();
    let latest = Line::Latest(signed(CheckpointKind::Latest, checkpoints[9])).to_text();
    [vec![retention_boundary], lines.split_off(gone), vec![latest]].concat()
}

fn check(lines: &[String]) -> anyhow::Result<Report> {
    check_with(lines, None)
}

fn check_with(lines: &[String], kept: Option<Checkpoint>) -> anyhow::Result<Report> {
    let text = lines.join("\n") + "\n";
    file::check(text.as_bytes(), kept, read_checkpoint, &mut Progress::new())
}

fn findings(lines: &[String]) -> Vec<String> {
    check(lines).unwrap().findings
}

#[test]
fn an_export_is_read_back_as_it_was() {
    let lines = export(0);
    assert_eq!(lines.len(), 12);
    for line in &lines {
        assert_eq!(&Line::read(line).unwrap().to_text(), line);
        assert!(!line.contains(char::is_control), "{line}");
    }
    let report = check(&lines).unwrap();
    assert_eq!((report.entries, report.latest.unwrap().seq), (10, 10));
    assert_eq!(report.findings, [""; 0]);
}

#[test]
fn an_export_may_begin_where_older_entries_were_deleted() {
    let lines = export(4);
    let report = check(&lines).unwrap();
    assert_eq!((report.entries, report.retention_boundary.seq), (6, 4));
    assert_eq!(report.findings, [""; 0]);
    let forged = lines[0].replace("RetentionBoundary", "Latest");
    let forged = [vec![forged], lines[1..].to_vec()].concat();
    assert_eq!(findings(&forged), ["the signature of the retention boundary is forged"]);
}

#[test]
fn a_changed_line_is_found() {
    for (from, to, finding) in [
        ("logout", "ended_by_admin", "entry 2 was altered or moved"),
        ("role=a", "role=b", "entry 2 was altered or moved"),
        ("2001:db8::1", "2001:db8::2", "entry 2 has a different IP address"),
        ("00.000002Z", "00.000003Z", "entry 2 was altered or moved"),
        // Fields outside the digest are refused, and fields inside it are required.
        ("\"reason\"", "\"note\":\"pardoned\",\"reason\"", "entry 2 cannot be read"),
        ("\"2001:db8::1\"", "\"here\"", "entry 2 cannot be read"),
        ("\"ip\"", "\"it\"", "entry 2 cannot be read"),
        ("\"seq\":2,", "\"seq\":9223372036854775807,", "entry 2 cannot be read"),
        ("{", "", "entry 2 cannot be read"),
    ] {
        let mut lines = export(0);
        let changed = lines[2].replacen(from, to, 1);
        assert_ne!(changed, lines[2], "{from}");
        lines[2] = changed;
        assert_eq!(findings(&lines), [finding], "{from}");
    }
}

#[test]
fn a_removed_line_is_found() {
    let mut lines = export(0);
    lines.remove(4);
    assert_eq!(findings(&lines), ["entry 4 is missing"]);
}

#[test]
fn swapped_lines_are_found() {
    let mut lines = export(0);
    lines.swap(4, 5);
    assert!(!findings(&lines).is_empty());
}

#[test]
fn a_cut_tail_is_found() {
    let lines = export(0);
    let with_latest = [lines[..8].to_vec(), vec![lines[11].clone()]].concat();
    assert_eq!(
        findings(&with_latest),
        ["the trail is truncated: it reached entry 10, but entry 7 is the last"]
    );
    let unended = ["the trail is truncated: no checkpoint follows entry 7"];
    assert_eq!(findings(&lines[..8]), unended);
    let half = [lines[..8].to_vec(), vec![lines[8][..40].to_owned()]].concat();
    let unended = "the trail is truncated: no checkpoint follows entry 8";
    assert_eq!(findings(&half), ["entry 8 cannot be read", unended]);
}

/// A tip that says nothing hides nothing, and neither does an older one before the last entries.
#[test]
fn a_latest_checkpoint_of_another_time_is_found() {
    let lines = export(0);
    let start = Line::Latest(SignedCheckpoint::start()).to_text();
    let cut = [lines[..8].to_vec(), vec![start]].concat();
    let goes_on = "the file continues after its last checkpoint, at 0";
    assert_eq!(findings(&cut), ["the signature at entry 0 is forged", goes_on]);
    let doubled = [lines.clone(), vec![lines[11].clone()]].concat();
    assert_eq!(findings(&doubled), ["the file continues after its last checkpoint, at 10"]);
}

#[test]
fn a_file_that_was_cut_with_its_latest_checkpoint_is_found_by_a_kept_checkpoint() {
    let lines = export(0);
    let Some(Line::Latest(latest)) = Line::read(&lines[11]) else { panic!("{}", lines[11]) };
    let Some(Line::Entry(fifth)) = Line::read(&lines[5]) else { panic!("{}", lines[5]) };
    let position = fifth.position.unwrap();
    let checkpoint = Checkpoint { seq: 5, digest: position.digest, at: Timestamp::from_micros(17) };
    let back = Line::Latest(signed(CheckpointKind::Latest, checkpoint)).to_text();
    let cut = [lines[..6].to_vec(), vec![back]].concat();
    assert_eq!(findings(&cut), [""; 0]);
    let kept = check_with(&cut, Some(latest.checkpoint)).unwrap();
    assert_eq!(
        kept.findings,
        ["the trail is truncated: it reached entry 10, but entry 5 is the last"]
    );
    let other = Checkpoint { digest: Digest([9; 32]), ..checkpoint };
    let kept = check_with(&lines, Some(other)).unwrap();
    assert_eq!(kept.findings, ["the chain does not match the expected checkpoint at entry 5"]);
}

/// Invalid and endless lines are neither kept in memory nor skipped.
#[test]
fn what_is_no_line_is_told_of() {
    let lines = export(0);
    let endless = "x".repeat(200_000);
    let hidden = format!("{}{}.", lines[3], " ".repeat(200_000));
    for bad in [endless, hidden, unreadable(), String::new()] {
        let mut lines = lines.clone();
        lines[3] = bad;
        assert_eq!(findings(&lines), ["entry 3 cannot be read"]);
    }
    let mut bytes = lines.join("\n").into_bytes();
    let index = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    bytes[index + 1] = 0xff;
    let report = file::check(&*bytes, None, read_checkpoint, &mut Progress::new()).unwrap();
    assert_eq!(report.findings, ["entry 1 cannot be read"]);
}

#[test]
fn a_file_that_is_no_export_is_refused() {
    for text in ["", "\n", "{}", "root:x:0:0", &export(0)[1]] {
        assert!(check(&[text.to_owned()]).is_err(), "{text:?}");
    }
}
