//! Finds the names in a piece of a file. Prose is left alone.

use super::lexer::{Kind, Piece};

/// A text with one of these in it is a query, and each of its words a name.
const SQL: &[&str] = &[
    "ALTER",
    "CREATE",
    "DROP",
    "FROM",
    "INSERT",
    "JOIN",
    "LISTEN",
    "NOTIFY",
    "PRAGMA",
    "RETURNING",
    "SELECT",
    "UPDATE",
    "VALUES",
    "WHERE",
];

/// The names of a piece, each with its line.
pub fn names(piece: &Piece) -> Vec<(usize, &str)> {
    match piece.kind {
        Kind::Name => vec![(piece.line, &piece.text)],
        Kind::Text => names_in_text(piece),
        Kind::Comment | Kind::Other => Vec::new(),
    }
}

fn names_in_text(piece: &Piece) -> Vec<(usize, &str)> {
    let text = piece.text.as_str();
    let query = is_query(text);
    let mut names = Vec::new();
    let (mut from, mut line) = (0, piece.line);
    while let Some((start, end)) = next_word(text, from) {
        let (before, rest) = text.split_at(start);
        let (word, after) = rest.split_at(end - start);
        line += before.split_at(from).1.matches('\n').count();
        if query || is_spelled_as_name(word) || is_marked_as_name(before, after) {
            names.push((line, word));
        }
        from = end;
    }
    names
}

/// The next run of letters, digits and `_`, with `-`, `.` and `:` where they join two of them.
fn next_word(text: &str, from: usize) -> Option<(usize, usize)> {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    let start = from + text.split_at(from).1.find(in_word)?;
    let mut chars = text.split_at(start).1.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        let joins = "-.:".contains(char) && chars.peek().is_some_and(|(_, next)| in_word(*next));
        if !in_word(char) && !joins {
            return Some((start, start + at));
        }
    }
    Some((start, text.len()))
}

fn is_query(text: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.any(|word| SQL.contains(&word)) || text.contains("(gateward_")
}

/// `letter_sent`, `mail.letters`, `letters:read` and `sentLetter` are no prose.
fn is_spelled_as_name(word: &str) -> bool {
    let mut pairs = word.chars().zip(word.chars().skip(1));
    word.contains(['_', '.', ':'])
        || pairs.any(|(one, two)| one.is_lowercase() && two.is_uppercase())
}

/// Quotes, paths, placeholders and options mark names: `"letter"`, `/letters`, `{{ letter }}`,
/// `--letter`.
fn is_marked_as_name(before: &str, after: &str) -> bool {
    let (last, next) = (before.chars().next_back(), after.chars().next());
    let quoted = last.is_some_and(|quote| "\"'`".contains(quote)) && last == next;
    let in_path = last.is_some_and(|mark| "/#$.".contains(mark)) || before.ends_with("::");
    let assigned = next == Some('=') || after.starts_with("::");
    quoted || in_path || assigned || before.ends_with("--") || is_placeholder(before)
}

/// Does the text end within `{…}`, `{{ … }}` or `{% … %}`, with no quote since it opened?
fn is_placeholder(before: &str) -> bool {
    before
        .rfind(['{', '}', '"', '\'', '\n'])
        .is_some_and(|at| before.split_at(at).1.starts_with('{'))
}
