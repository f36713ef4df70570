//! The results as a file, for programs and for comparisons over time.

use serde::Serialize;

use super::{Machine, Row};
use crate::figure::Round;
use crate::options::Options;

#[derive(Serialize)]
struct Results<'a> {
    date: &'a str,
    commit: &'a str,
    cores: usize,
    model: &'a str,
    algorithm: &'a str,
    mode: &'a str,
    /// Accounts and sessions in the large database.
    accounts: u64,
    figures: Vec<Measured<'a>>,
}

#[derive(Serialize)]
struct Measured<'a> {
    id: &'a str,
    unit: &'a str,
    value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<f64>,
    rounds: &'a [Round],
}

impl<'a> From<&'a Row<'_>> for Measured<'a> {
    fn from(row: &'a Row<'_>) -> Self {
        Self {
            id: row.goal.id,
            unit: row.goal.unit.suffix().trim_start(),
            value: row.figure.value(),
            limit: row.figure.limit(),
            ratio: row.figure.ratio(),
            rounds: &row.figure.rounds,
        }
    }
}

/// Returns the content of `results.json`.
pub(super) fn results(
    options: &Options,
    machine: &Machine,
    rows: &[Row<'_>],
) -> anyhow::Result<String> {
    let results = Results {
        date: &machine.date,
        commit: &machine.commit,
        cores: machine.cores,
        model: &machine.model,
        algorithm: options.algorithm.setting(),
        mode: if options.quick { "quick" } else { "full" },
        accounts: options.effort().accounts,
        figures: rows.iter().map(Measured::from).collect(),
    };
    Ok(serde_json::to_string_pretty(&results)? + "\n")
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::Value;

    use super::super::rows;
    use super::*;
    use crate::figure::Figure;

    #[test]
    fn every_round_is_kept() {
        let machine = Machine {
            cores: 2,
            model: "a processor".to_owned(),
            commit: "abc".to_owned(),
            date: "2026-11-30T12:00:00Z".to_owned(),
        };
        let rounds = vec![Round::against(50.0, 100.0), Round::against(60.0, 100.0)];
        let figures = [Figure { id: "login", rounds }];
        let options = Options::parse_from(["gateward-bench", "--quick"]);
        let text = results(&options, &machine, &rows(&figures)).unwrap();
        let results: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(results["mode"], "quick");
        assert_eq!(results["figures"][0]["rounds"][1]["value"], 60.0);
        assert_eq!(results["figures"][0]["ratio"], 0.55);
    }
}
