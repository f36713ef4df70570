//! The table for the terminal.

use super::{Row, with_unit};
use crate::goals::{Goal, Target};

const COLUMNS: [&str; 6] = ["figure", "value", "limit", "ratio", "goal", "best peer"];

/// Returns the table, one line per figure.
pub(super) fn table(rows: &[Row<'_>]) -> String {
    let mut lines = vec![COLUMNS.map(str::to_owned)];
    lines.extend(rows.iter().map(cells));
    let width = |column: usize| {
        lines.iter().filter_map(|cells| cells.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<_> = (0..COLUMNS.len()).map(|column| width(column).unwrap_or(0)).collect();
    let mut table = String::new();
    for cells in &lines {
        let padded = cells.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            // Numbers are aligned to the right.
            if (1..=3).contains(&column) {
                format!("{cell:>width$}")
            } else {
                format!("{cell:<width$}")
            }
        });
        let line: Vec<_> = padded.collect();
        table.push_str(line.join(" | ").trim_end());
        table.push('\n');
    }
    table
}

fn cells(row: &Row<'_>) -> [String; 6] {
    let unit = row.goal.unit;
    let shown = |value: Option<f64>| value.map(|value| with_unit(value, unit)).unwrap_or_default();
    let ratio = row.figure.ratio().map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
    [
        row.goal.name.to_owned(),
        shown(row.figure.value()),
        shown(row.figure.limit()),
        ratio,
        target(row.goal),
        row.goal.best_peer.to_owned(),
    ]
}

fn target(goal: &Goal) -> String {
    match goal.target {
        Target::Share { at_least, aim } => format!("≥ {at_least:.2}, aim {aim:.2}"),
        Target::Value { at_most, aim } => {
            format!("≤ {at_most}{unit}, aim {aim}", unit = goal.unit.suffix())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows;
    use super::*;
    use crate::figure::{Figure, Round};

    #[test]
    fn columns_are_aligned() {
        let figures = [
            Figure { id: "login", rounds: vec![Round::against(131.4, 175.0)] },
            Figure { id: "jwks", rounds: vec![Round::against(78_000.0, 98_000.0)] },
        ];
        let expected = "\
            figure   |    value |    limit | ratio | goal             | best peer\n\
            logins   |    131/s |    175/s |  0.75 | ≥ 0.90, aim 0.95 | 0.96 (bcrypt 10, 46/s); \
            Rauthy 0.39\n\
            GET JWKS | 78,000/s | 98,000/s |  0.80 | ≥ 0.90, aim 0.95 |\n";
        assert_eq!(table(&rows(&figures)), expected);
    }

    #[test]
    fn a_figure_without_a_limit_has_no_ratio() {
        let figures = [Figure { id: "size", rounds: vec![Round::of(28.04)] }];
        let cells: Vec<_> = rows(&figures).iter().map(cells).collect();
        assert_eq!(
            cells,
            [["release program", "28.0 MB", "", "", "≤ 30 MB, aim 20", "63 MB"].map(str::to_owned)]
        );
    }
}
