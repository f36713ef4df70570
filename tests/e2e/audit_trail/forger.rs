//! A forger who knows the format: recomputes every digest of an export, without a key.

use aws_lc_rs::digest::{Context, SHA256};
use serde_json::Value;

/// Recomputes the digests of the entries and of the end, from this line on.
pub(super) fn chain_anew(lines: &mut [Value], from: usize) {
    let mut before = bytes(&lines[from - 1]["digest"]);
    let end = lines.len() - 1;
    for line in &mut lines[from..end] {
        before = digest(&before, line);
        line["digest"] = hex(&before).into();
    }
    lines[end]["checkpoint"]["digest"] = hex(&before).into();
}

/// The digest of the chain up to an entry, from the digest before it, as documented.
pub(super) fn digest(before: &[u8], entry: &Value) -> Vec<u8> {
    let mut hash = Context::new(&SHA256);
    let mut part = |bytes: &[u8]| {
        hash.update(&(bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    part(b"gateward audit 1");
    part(before);
    part(&entry["seq"].as_i64().unwrap().to_be_bytes());
    part(&bytes(&entry["id"]));
    part(&micros(entry["at"].as_str().unwrap()).to_be_bytes());
    for member in ["event", "reason", "actor"] {
        part(entry[member].as_str().unwrap_or_default().as_bytes());
    }
    for member in ["actor_id", "actor_session_id", "user_id", "session_id"] {
        part(&bytes(&entry[member]));
    }
    part(entry["detail"].as_str().unwrap_or_default().as_bytes());
    part(&bytes(&entry["commitment"]));
    hash.finish().as_ref().to_vec()
}

/// The bytes of hexadecimal digits, with or without hyphens; empty for `null`.
pub(super) fn bytes(text: &Value) -> Vec<u8> {
    let digits = text.as_str().unwrap_or_default().replace('-', "");
    let pairs = (0..digits.len()).step_by(2);
    pairs.map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.concat()
}

/// The microseconds since 1970 of a time such as `2026-11-20T04:10:00.123456Z`.
fn micros(time: &str) -> i64 {
    let number = |from: usize, to: usize| -> i64 { time[from..to].parse().unwrap() };
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    // Years that start in March have their leap day at the end.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leaps = year / 4 - year / 100 + year / 400;
    let days = year * 365 + leaps + (month * 153 + 2) / 5 + day - 1 - 719_468;
    let seconds = (days * 24 + number(11, 13)) * 3600 + number(14, 16) * 60 + number(17, 19);
    seconds * 1_000_000 + number(20, 26)
}

#[test]
fn times_are_counted_from_1970() {
    assert_eq!(micros("1970-01-01T00:00:00.000001Z"), 1);
    assert_eq!(micros("2000-02-29T12:00:00.000000Z"), 951_825_600_000_000);
    assert_eq!(micros("2026-11-20T04:10:00.123456Z"), 1_795_147_800_123_456);
}
