//! Tests of the doctor.

mod installation;
mod network;
mod servers;
mod smtp_servers;

use std::collections::{BTreeMap, BTreeSet};

use super::finding::{Code, Finding, Level};
use super::{as_json, lines, report};
use crate::settings::Settings;

/// A valid master key.
const MASTER_KEY: &str = "q83vEjRWeJASNFZ4kKvN7wEjRWeJq83vq83vEjRWeJA=";

/// Loads these settings from the environment.
fn settings(options: &[(&str, &str)]) -> Settings {
    let variable = |option: &str| format!("GATEWARD__{}", option.to_uppercase().replace('.', "__"));
    let all = [("keys.master_key", MASTER_KEY), ("mail.from", "login@example.org")];
    let all = all.iter().chain(options);
    let environment: BTreeMap<_, _> =
        all.map(|(option, value)| (variable(option), (*value).to_owned())).collect();
    Settings::from_layers(None, &environment).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn codes(found: &[Finding]) -> Vec<&'static str> {
    found.iter().map(|finding| finding.code.as_str()).collect()
}

#[test]
fn every_code_has_its_row_in_the_page_and_no_other_row_is_there() {
    let page = include_str!("../../../../../docs/doctor.md");
    let row =
        |line: &'static str| line.strip_prefix("| `")?.split_once("` |").map(|(code, _)| code);
    let rows: Vec<_> = page.lines().filter_map(row).collect();
    let told: BTreeSet<_> = rows.iter().copied().collect();
    assert_eq!(told.len(), rows.len(), "no code has two rows");
    assert_eq!(told, Code::ALL.iter().map(|code| code.as_str()).collect());
}

#[test]
fn warnings_alone_are_no_error_and_findings_are() {
    let all = [
        Finding::warning(Code::NeverUsed, "it was never used", "use it"),
        Finding::new(Code::Start, "it does not start", "start it"),
    ];
    assert_eq!(all.each_ref().map(|finding| finding.level), [Level::Warning, Level::Finding]);
    assert!(report(&[], false).is_ok());
    assert!(report(&all[..1], false).is_ok());
    assert!(report(&all, true).is_err());
}

#[test]
fn findings_are_told_with_their_remedy_and_cannot_write_over_other_lines() {
    assert_eq!(lines(&[]), ["All checks passed."]);
    let found = [Finding::new(Code::MailLogin, "no\r\u{1b}[2J", "do this")];
    assert_eq!(lines(&found), ["finding mail_login: no  [2J", "  remedy: do this"]);
    let object = as_json(&found);
    assert_eq!(object["findings"][0]["code"], "mail_login");
    assert_eq!(object["findings"][0]["level"], "finding");
    assert_eq!(object["findings"][0]["remedy"], "do this");
}
