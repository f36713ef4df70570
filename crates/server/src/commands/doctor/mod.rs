//! `gateward doctor`: checks the installation from outside and in the database.
//!
//! Nothing is written, and a check that fails does not prevent the others.

mod anomalies;
mod chain;
mod clock;
mod database;
mod finding;
mod keys;
mod mail;
mod proxy;
mod public_url;
mod settings;
#[cfg(test)]
mod tests;
mod web;

use anyhow::bail;
use serde_json::{Value, json};

use self::finding::{Finding, Level};
use super::table::{plain, tell_json};
use super::tell;
use crate::settings::{SettingError, Settings};

/// Runs all checks.
pub(crate) async fn run(settings: &Settings, json: bool) -> anyhow::Result<()> {
    report(&examine(settings).await, json)
}

/// Reports invalid settings. Without valid settings nothing else can be checked.
pub(crate) fn refuse(errors: &[SettingError], json: bool) -> anyhow::Result<()> {
    report(&settings::refused(errors), json)
}

async fn examine(settings: &Settings) -> Vec<Finding> {
    let mut found = settings::check(settings).await;
    let (of_database, key_ids) = database::check(settings).await;
    found.extend(of_database);
    found.extend(public_url::check(settings, key_ids.as_deref()).await);
    found.extend(mail::check(&settings.mail).await);
    found
}

/// Prints the findings; fails if there are more than warnings.
fn report(found: &[Finding], json: bool) -> anyhow::Result<()> {
    if json {
        tell_json(&as_json(found));
    } else {
        for line in lines(found) {
            tell(&line);
        }
    }
    match found.iter().filter(|finding| finding.level == Level::Finding).count() {
        0 => Ok(()),
        1 => bail!("1 problem found"),
        count => bail!("{count} problems found"),
    }
}

fn lines(found: &[Finding]) -> Vec<String> {
    if found.is_empty() {
        return vec!["All checks passed.".to_owned()];
    }
    let of_finding = |finding: &Finding| {
        let (level, code) = (finding.level.as_str(), finding.code.as_str());
        let what = format!("{level} {code}: {}", plain(&finding.what));
        [what, format!("  remedy: {}", plain(&finding.remedy))]
    };
    found.iter().flat_map(of_finding).collect()
}

fn as_json(found: &[Finding]) -> Value {
    let of_finding = |finding: &Finding| {
        json!({
            "code": finding.code.as_str(),
            "level": finding.level.as_str(),
            "message": finding.what,
            "remedy": finding.remedy,
        })
    };
    json!({ "findings": found.iter().map(of_finding).collect::<Vec<_>>() })
}
