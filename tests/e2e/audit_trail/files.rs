//! Exports of the trail: every change to the lines of a file is found, and the entry is named.

use std::fs;

use gateward_e2e::{Database, on_sqlite, run};
use serde_json::{Value, json};

use super::forger::{bytes, chain_anew, digest};
use super::kept::{Kept, foreign, lines};
use super::ledger::{verify, verify_input};
use crate::support::commands::complained;

on_sqlite!(
    a16_4_2_each_change_of_an_exported_file_is_found_by_its_number,
    a16_4_2_an_export_whose_digests_are_all_made_anew_is_found_by_its_signatures,
    an_export_is_checked_as_it_is_written,
);

fn altered(seq: i64) -> String {
    format!("entry {seq} was altered or moved")
}

fn forged(seq: i64) -> String {
    format!("the signature at entry {seq} is forged")
}

/// Row 16.4.2: the same rules as for the database.
#[expect(clippy::too_many_lines, reason = "one line for each change")]
async fn a16_4_2_each_change_of_an_exported_file_is_found_by_its_number(kind: Database) {
    let Some(kept) = Kept::new(kind).await else { return };
    let (victim, last, middle) = (kept.victim(), kept.last(), kept.middle.seq);
    let at = usize::try_from(victim).unwrap();
    let check = |what: &str, change: &dyn Fn(&mut Vec<Value>), expected: &[String]| {
        let mut file = kept.lines.clone();
        change(&mut file);
        let found = verify_input(&kept.plan, &["/dev/stdin"], &lines(&file)).findings;
        assert_eq!(found, expected, "{what}");
    };
    let owner = kept.entry(victim)["user_id"].clone();
    let other = kept.lines.iter().map(|line| &line["user_id"]);
    let other = other.filter(|id| id.is_string()).find(|id| **id != owner).unwrap();
    check("nothing", &|_| {}, &[]);
    for (member, value) in [
        ("event", json!("account_enabled")),
        ("at", json!("2026-11-20T04:10:00.123456Z")),
        ("user_id", other.clone()),
        ("user_id", Value::Null),
        ("actor_id", other.clone()),
        ("session_id", other.clone()),
        ("actor_session_id", other.clone()),
        ("id", other.clone()),
        ("detail", json!("nothing to see")),
        ("commitment", json!("00".repeat(32))),
    ] {
        let mut expected = vec![altered(victim)];
        if member == "commitment" {
            expected.push(format!("entry {victim} has a different IP address"));
        }
        check(member, &|file| file[at][member] = value.clone(), &expected);
    }
    let ip = &|file: &mut Vec<Value>| file[at]["ip"] = json!("198.51.100.7");
    check("ip", ip, &[format!("entry {victim} has a different IP address")]);
    for (member, value) in [
        ("event", json!("nonsense")),
        ("at", json!("yesterday")),
        ("at", json!("2026-11-20T04:10:00Z")),
        ("seq", json!(0.5)),
        ("digest", json!("00")),
        ("remark", json!("what is in no digest must not look as if it were")),
        ("ip", json!("here")),
    ] {
        let unread = format!("entry {victim} cannot be read");
        check(member, &|file| file[at][member] = value.clone(), &[unread]);
    }
    check("removed", &|file| drop(file.remove(at)), &[format!("entry {victim} is missing")]);
    let range = format!("entries {victim} to {} are missing", victim + 2);
    check("three removed", &|file| drop(file.drain(at..at + 3)), &[range]);
    check(
        "swapped",
        &|file| file.swap(at, at + 1),
        &[format!("entry {victim} is missing"), altered(victim)],
    );
    check("twice", &|file| file.insert(at, file[at].clone()), &[altered(victim)]);
    let cut = |found: i64| {
        format!("the trail is truncated: it reached entry {last}, but entry {found} is the last")
    };
    let without = |count: usize| {
        move |file: &mut Vec<Value>| {
            let end = file.pop().unwrap();
            file.truncate(file.len() - count);
            file.push(end);
        }
    };
    check("the end of it", &without(1), &[cut(last - 1)]);
    check("more of the end", &without(100), &[cut(last - 100)]);
    // Without its last line a file has no signed end.
    let mut file = kept.lines.clone();
    file.truncate(file.len() - 10);
    let found = verify_input(&kept.plan, &["/dev/stdin"], &lines(&file)).findings;
    let told = "the trail is truncated: no checkpoint follows entry ";
    assert!(found.contains(&format!("{told}{}", last - 9)), "{found:#?}");

    // The end in the middle was signed as well. A stored checkpoint reveals the cut.
    let index = usize::try_from(middle).unwrap();
    let mut file = kept.lines[..=index].to_vec();
    let text = format!("{}{}", lines(&file), "{\"tip\":");
    assert!(!verify_input(&kept.plan, &["/dev/stdin"], &text).findings.is_empty());
    file.push(kept.lines[kept.lines.len() - 1].clone());
    let arguments = ["/dev/stdin", "--expect", &kept.end.checkpoint];
    let found = verify_input(&kept.plan, &arguments, &lines(&file)).findings;
    assert_eq!(found, [cut(middle)]);
}

/// Row 16.4.2: an attacker who recomputes all digests has no key to sign them with.
async fn a16_4_2_an_export_whose_digests_are_all_made_anew_is_found_by_its_signatures(
    kind: Database,
) {
    let Some(kept) = Kept::new(kind).await else { return };
    let Some((_, foreign)) = foreign(kind).await else { return };
    let at = usize::try_from(kept.victim()).unwrap();
    // The documented digest is right: it can be recomputed from the export.
    let before = bytes(&kept.lines[at - 1]["digest"]);
    assert_eq!(digest(&before, &kept.lines[at]), bytes(&kept.lines[at]["digest"]));
    let mut file = kept.lines.clone();
    file[at]["event"] = json!("account_enabled");
    chain_anew(&mut file, at);
    let end = file.len() - 1;
    let signed = file[at..end].iter().filter(|line| line["signature"].is_string());
    let expected: Vec<String> = signed.map(|line| forged(line["seq"].as_i64().unwrap())).collect();
    assert!(!expected.is_empty());
    let found = verify_input(&kept.plan, &["/dev/stdin"], &lines(&file)).findings;
    // The last entry and the end have one sequence number.
    assert_eq!(found, expected);

    // Without the signatures on entries only the end is left, and it makes no difference where it
    // moves.
    for line in &mut file[at..end] {
        line["signature"] = Value::Null;
    }
    let found = verify_input(&kept.plan, &["/dev/stdin"], &lines(&file)).findings;
    assert_eq!(found, [forged(kept.last())]);

    let found = verify_input(&kept.plan, &["/dev/stdin"], &foreign).findings;
    assert!(!found.is_empty() && found.iter().all(|one| one.contains("is forged")), "{found:#?}");
}

async fn an_export_is_checked_as_it_is_written(kind: Database) {
    let Some(kept) = Kept::new(kind).await else { return };
    assert_eq!(kept.lines.len(), usize::try_from(kept.last()).unwrap() + 2);
    let written = run(&kept.plan, &["audit", "export"], "");
    let file = kept.plan.folder.join("trail.jsonl");
    fs::write(&file, &written.stdout).unwrap();
    let path = file.to_str().unwrap();
    let verdict = verify(&kept.plan, &[path]);
    assert_eq!((&verdict.findings, &verdict.checkpoint), (&Vec::new(), &kept.end.checkpoint));
    assert_eq!((verdict.entries, verdict.waiting), (kept.end.entries, None));
    let kept_checkpoint = ["/dev/stdin", "--expect", &kept.end.checkpoint];
    let text = String::from_utf8(written.stdout).unwrap();
    assert_eq!(verify_input(&kept.plan, &kept_checkpoint, &text).findings, Vec::<String>::new());
    for (file, text) in [("nowhere.jsonl", "cannot check "), ("/dev/null", "not an export")] {
        let complaint = complained(&run(&kept.plan, &["audit", "verify", file], ""));
        assert!(complaint.contains(text), "{complaint}");
    }
}
