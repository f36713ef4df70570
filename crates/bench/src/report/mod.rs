//! The results: a table, a file and a chart.

mod chart;
mod json;
mod machine;
mod table;

use std::io::{ErrorKind, Write};
use std::path::Path;

use anyhow::Context;

pub(crate) use self::machine::Machine;
use crate::figure::Figure;
use crate::goals::{GOALS, Goal, Target, Unit};
use crate::options::Options;

/// The files in the output folder.
const RESULTS: &str = "results.json";
const CHART: &str = "chart.svg";

/// Deletes the results of an earlier run, which must not be taken for those of a run that fails.
pub(crate) fn clear(options: &Options) -> anyhow::Result<()> {
    for name in [RESULTS, CHART] {
        let path = options.output.join(name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot delete {}", path.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Writes the files, and the table to standard output.
pub(crate) fn write(
    options: &Options,
    machine: &Machine,
    figures: &[Figure],
) -> anyhow::Result<()> {
    let rows = rows(figures);
    let folder = &options.output;
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot create the folder {}", folder.display()))?;
    write_file(folder, RESULTS, &json::results(options, machine, &rows)?)?;
    write_file(folder, CHART, &chart::svg(&rows))?;
    let accounts = options.effort().accounts;
    let title = format!(
        "{} cores of {}, {}, {accounts} accounts in the large database",
        machine.cores,
        machine.model,
        options.algorithm.setting(),
    );
    let table = table::table(&rows);
    writeln!(std::io::stdout(), "{title}\n\n{table}").context("cannot write to standard output")
}

fn write_file(folder: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    let path = folder.join(name);
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// A figure with its goal.
struct Row<'a> {
    goal: &'static Goal,
    figure: &'a Figure,
}

impl Row<'_> {
    /// Returns what the goal is about: the ratio or the value.
    fn achieved(&self) -> Option<f64> {
        match self.goal.target {
            Target::Share { .. } => self.figure.ratio(),
            Target::Value { .. } => self.figure.value(),
        }
    }
}

/// Returns the measured figures in the order of the goals.
fn rows(figures: &[Figure]) -> Vec<Row<'_>> {
    let find = |goal: &&'static Goal| {
        let figure = figures.iter().find(|figure| figure.id == goal.id)?;
        Some(Row { goal, figure })
    };
    GOALS.iter().filter_map(|goal| find(&goal)).collect()
}

/// Writes a value with its unit, with at least three digits.
pub(crate) fn with_unit(value: f64, unit: Unit) -> String {
    let digits = match value {
        100.0.. => 0,
        10.0.. => 1,
        _ => 2,
    };
    let number = format!("{value:.digits$}");
    format!("{}{}", with_thousands(&number), unit.suffix())
}

/// Separates thousands by commas.
fn with_thousands(number: &str) -> String {
    let (whole, fraction) = number.split_at(number.find('.').unwrap_or(number.len()));
    let mut text = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + fraction
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Round;

    #[test]
    fn values_are_readable() {
        assert_eq!(with_unit(98_123.4, Unit::PerSecond), "98,123/s");
        assert_eq!(with_unit(1_234_567.0, Unit::PerSecond), "1,234,567/s");
        assert_eq!(with_unit(2.34, Unit::Milliseconds), "2.34 ms");
        assert_eq!(with_unit(175.0, Unit::PerSecond), "175/s");
    }

    #[test]
    fn rows_have_the_order_of_the_goals() {
        let figure = |id| Figure { id, rounds: vec![Round::against(1.0, 2.0)] };
        let figures = [figure("size"), figure("login")];
        let rows = rows(&figures);
        let ids: Vec<_> = rows.iter().map(|row| row.goal.id).collect();
        assert_eq!(ids, ["login", "size"]);
        let achieved: Vec<_> = rows.iter().map(Row::achieved).collect();
        assert_eq!(achieved, [Some(0.5), Some(1.0)]);
    }
}
