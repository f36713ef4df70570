//! The chart: a bar per figure, with a mark at the goal.

use std::fmt::Write;

use super::{Row, with_unit};
use crate::goals::Target;

const WIDTH: f64 = 760.0;
const ROW_HEIGHT: f64 = 24.0;
const BARS_LEFT: f64 = 240.0;
const BARS_WIDTH: f64 = 400.0;
const TOP: f64 = 40.0;

/// Values as a multiple of the goal beyond which a bar is cut off.
const MULTIPLE_MAX: f64 = 2.0;

/// The colours are readable on both backgrounds; text follows the preference of the reader.
const STYLE: &str = "\
    text { font: 13px system-ui, sans-serif; fill: #24292f; }\n\
    .quiet { fill: #6e7781; }\n\
    .rail { fill: #8c959f; opacity: 0.2; }\n\
    .met { fill: #2da44e; }\n\
    .missed { fill: #d4762c; }\n\
    .goal { stroke: #24292f; stroke-width: 2; }\n\
    @media (prefers-color-scheme: dark) {\n\
      text { fill: #e6edf3; }\n\
      .quiet { fill: #9198a1; }\n\
      .goal { stroke: #e6edf3; }\n\
    }";

/// A bar. Lengths are shares of the width.
#[derive(Debug, PartialEq)]
struct Bar {
    length: f64,
    goal: f64,
    met: bool,
    text: String,
}

/// Returns the chart.
pub(super) fn svg(rows: &[Row<'_>]) -> String {
    let is_share = |row: &&Row<'_>| matches!(row.goal.target, Target::Share { .. });
    let (shares, values): (Vec<_>, Vec<_>) = rows.iter().partition(is_share);
    let mut body = String::new();
    let mut top = 0.0;
    for (title, rows) in [
        ("Share of the limit; more is better, the mark is the goal", shares),
        ("Against the goal; less is better, the mark is the goal", values),
    ] {
        top = section(&mut body, top, title, &rows);
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {top}\" role=\"img\" \
         aria-label=\"Benchmark results\">\n<style>\n{STYLE}\n</style>\n{body}</svg>\n"
    )
}

/// Writes a title and its bars below `top`, and returns where they end.
fn section(body: &mut String, top: f64, title: &str, rows: &[&Row<'_>]) -> f64 {
    let bars: Vec<_> = rows.iter().filter_map(|row| Some((row.goal.name, bar(row)?))).collect();
    if bars.is_empty() {
        return top;
    }
    line(
        body,
        format_args!(
            "<text class=\"quiet\" x=\"10\" y=\"{}\">{}</text>",
            top + TOP - 14.0,
            escaped(title)
        ),
    );
    let mut y = top + TOP;
    for (name, bar) in bars {
        draw(body, y, name, &bar);
        y += ROW_HEIGHT;
    }
    y + 10.0
}

fn draw(body: &mut String, y: f64, name: &str, bar: &Bar) {
    let (text_y, middle) = (y + 14.0, BARS_LEFT + bar.goal * BARS_WIDTH);
    let class = if bar.met { "met" } else { "missed" };
    let length = (bar.length * BARS_WIDTH).round();
    line(
        body,
        format_args!(
            "<text x=\"{}\" y=\"{text_y}\" text-anchor=\"end\">{}</text>",
            BARS_LEFT - 10.0,
            escaped(name)
        ),
    );
    line(
        body,
        format_args!(
            "<rect class=\"rail\" x=\"{BARS_LEFT}\" y=\"{y}\" width=\"{BARS_WIDTH}\" height=\"18\"/>"
        ),
    );
    line(
        body,
        format_args!(
            "<rect class=\"{class}\" x=\"{BARS_LEFT}\" y=\"{y}\" width=\"{length}\" height=\"18\"/>"
        ),
    );
    line(
        body,
        format_args!(
            "<line class=\"goal\" x1=\"{middle}\" y1=\"{}\" x2=\"{middle}\" y2=\"{}\"/>",
            y - 2.0,
            y + 20.0
        ),
    );
    line(
        body,
        format_args!(
            "<text x=\"{}\" y=\"{text_y}\">{}</text>",
            BARS_LEFT + BARS_WIDTH + 10.0,
            escaped(&bar.text)
        ),
    );
}

fn line(body: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = writeln!(body, "{text}");
}

/// Returns the bar of a figure, or nothing if it was not measured.
fn bar(row: &Row<'_>) -> Option<Bar> {
    let achieved = row.achieved()?;
    Some(match row.goal.target {
        Target::Share { at_least, .. } => Bar {
            length: achieved.clamp(0.0, 1.0),
            goal: at_least,
            met: achieved >= at_least,
            text: format!("{achieved:.2}"),
        },
        Target::Value { at_most, .. } => Bar {
            length: (achieved / at_most / MULTIPLE_MAX).clamp(0.0, 1.0),
            goal: 1.0 / MULTIPLE_MAX,
            met: achieved <= at_most,
            text: with_unit(achieved, row.goal.unit),
        },
    })
}

/// Escapes a text for XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::super::rows;
    use super::*;
    use crate::figure::{Figure, Round};

    #[test]
    fn markup_is_escaped() {
        assert_eq!(escaped("<a href=\"x\">&"), "&lt;a href=&quot;x&quot;&gt;&amp;");
    }

    #[test]
    fn a_bar_shows_whether_the_goal_is_met() {
        let figures = [
            Figure { id: "login", rounds: vec![Round::against(95.0, 100.0)] },
            Figure { id: "size", rounds: vec![Round::of(600.0)] },
        ];
        let bars: Vec<_> = rows(&figures).iter().filter_map(bar).collect();
        let login = Bar { length: 0.95, goal: 0.90, met: true, text: "0.95".to_owned() };
        let size = Bar { length: 1.0, goal: 0.5, met: false, text: "600 MB".to_owned() };
        assert_eq!(bars, [login, size]);
    }

    #[test]
    fn only_what_was_measured_is_drawn() {
        let figures = [Figure { id: "me", rounds: vec![Round::against(1.0, 2.0)] }];
        let svg = svg(&rows(&figures));
        assert!(svg.contains(">GET /v1/me</text>") && svg.contains(">0.50</text>"));
        assert!(!svg.contains("less is better"));
        assert_eq!(svg.matches("<line").count(), 1);
    }
}
