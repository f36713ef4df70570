//! Output of commands: tables for people, JSON for programs.

use serde_json::Value;

use super::tell;

/// Between two columns.
const GAP: &str = "  ";

/// Lines of one or more columns, each as wide as its widest cell.
pub(crate) struct Table<const COLUMNS: usize> {
    rows: Vec<[String; COLUMNS]>,
}

impl<const COLUMNS: usize> Table<COLUMNS> {
    /// A table with only its headings.
    pub(crate) fn new(headings: [&str; COLUMNS]) -> Self {
        Self { rows: vec![headings.map(str::to_owned)] }
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, cells: [&str; COLUMNS]) {
        self.rows.push(cells.map(plain));
    }

    /// Prints it.
    pub(crate) fn tell(&self) {
        for line in self.lines() {
            tell(&line);
        }
    }

    fn lines(&self) -> Vec<String> {
        let mut widths = [0; COLUMNS];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        let line = |row: &[String; COLUMNS]| {
            let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
            cells.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
        };
        self.rows.iter().map(line).collect()
    }
}

/// Removes characters that move the cursor of a terminal or change the direction of text: some
/// stored strings come from users and SMTP servers.
pub(crate) fn plain(text: &str) -> String {
    text.replace(|character: char| character.is_control() || turns(character), " ")
}

/// Whether a character ends a line or changes the text direction (Unicode Annex 9, section 2).
const fn turns(character: char) -> bool {
    matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

/// Prints JSON for programs.
pub(crate) fn tell_json(value: &Value) {
    tell(&escaped(&format!("{value:#}")));
}

/// JSON without the control characters that it allows in strings: they would reach the terminal.
pub(crate) fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_control() && character != '\n' {
            // A control character has at most 16 bits, so it is one escape.
            text.extend(format!("\\u{:04x}", u32::from(character)).chars());
        } else {
            text.push(character);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(["NAME", "ROLES", "NOTE"]);
        table.push(["ada", "admin, user", ""]);
        table.push(["bücherwurm", "user", "ß"]);
        let expected = [
            "NAME        ROLES        NOTE",
            "ada         admin, user",
            "bücherwurm  user         ß",
        ];
        assert_eq!(table.lines(), expected);
    }

    #[test]
    fn a_cell_cannot_write_over_other_lines() {
        let mut table = Table::new(["FAILURE"]);
        table.push(["550 no\r\n\u{1b}[2J\u{9b}2J\u{202e}mailbox"]);
        assert_eq!(table.lines(), ["FAILURE", "550 no   [2J 2J mailbox"]);
    }

    #[test]
    fn json_says_the_same_without_control_characters() {
        let value = serde_json::json!({ "text": "\u{1b}[2J\u{9b}\u{7f}\né" });
        let text = escaped(&format!("{value:#}"));
        assert!(text.chars().all(|character| character == '\n' || !character.is_control()));
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
