//! Finds the refused words of texts and comments. Names are left to the list of names.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::lexer::{Kind, Piece};
use super::list::Word;

/// What starts a line of a comment.
static MARK: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^\s*(?://[/!]?|/\*|\*/?|#+|--|>)").unwrap());

/// A text, or comments that follow each other, as one run of prose.
struct Passage {
    kind: Kind,
    text: String,
    /// The line of each byte.
    lines: Vec<usize>,
}

/// The words of a list, made ready for searching.
pub struct Phrases(Vec<(Regex, &'static Word)>);

impl Phrases {
    pub fn new(list: &'static [Word]) -> Self {
        let pattern = |old: &str| {
            let words: Vec<_> = old.split(' ').map(regex::escape).collect();
            Regex::new(&format!(r"(?i)(?:{})(?:s|es|ed|ing)?", words.join(r"\s+"))).unwrap()
        };
        Self(list.iter().map(|word| (pattern(word.old), word)).collect())
    }

    /// The refused words of a file's pieces, each with its line and the words around it.
    pub fn found_in(&self, pieces: &[Piece]) -> Vec<(usize, String, &'static Word)> {
        let mut found = Vec::new();
        for passage in passages(pieces) {
            for (pattern, word) in &self.0 {
                let hits = pattern.find_iter(&passage.text);
                let hits = hits.filter(|hit| is_prose(&passage, hit.start(), hit.end()));
                found.extend(hits.map(|hit| {
                    let around = around(&passage.text, hit.start(), hit.end());
                    let line = passage.lines.get(hit.start()).copied().unwrap_or_default();
                    (line, around, *word)
                }));
            }
        }
        found
    }
}

fn passages(pieces: &[Piece]) -> Vec<Passage> {
    let mut passages: Vec<Passage> = Vec::new();
    for piece in pieces.iter().filter(|piece| matches!(piece.kind, Kind::Text | Kind::Comment)) {
        let goes_on = passages.last().is_some_and(|last| {
            let next = last.lines.last().map_or(0, |line| line + 1);
            (last.kind, piece.kind) == (Kind::Comment, Kind::Comment) && next == piece.line
        });
        if !goes_on {
            passages.push(Passage { kind: piece.kind, text: String::new(), lines: Vec::new() });
        }
        let Some(passage) = passages.last_mut() else { continue };
        for (number, line) in piece.text.split_inclusive('\n').enumerate() {
            let line = without_mark(line, piece.kind);
            passage.lines.extend(vec![piece.line + number; line.len()]);
            passage.text.push_str(&line);
        }
    }
    passages
}

/// The line without what marks it as a comment.
fn without_mark(line: &str, kind: Kind) -> String {
    if kind == Kind::Text {
        return line.to_owned();
    }
    MARK.replace(line, |marked: &Captures<'_>| " ".repeat(marked[0].len())).into_owned()
}

/// Is this a word of a sentence, and not a name or a part of a longer word?
fn is_prose(passage: &Passage, start: usize, end: usize) -> bool {
    let (before, rest) = passage.text.split_at(start);
    let after = rest.split_at(end - start).1;
    let (last, mut next) = (before.chars().next_back(), after.chars());
    let (first, second) = (next.next(), next.next());
    let joins = |c: char| c.is_alphanumeric() || "_-@/=".contains(c);
    let goes_on = |c: char| c.is_alphanumeric() || "{/".contains(c);
    let quoted = last.is_some_and(|mark| "\"'`".contains(mark)) && last == first;
    let in_name = last.is_some_and(|c| joins(c) || "$.".contains(c))
        || first.is_some_and(joins)
        || (matches!(first, Some('.' | ':')) && second.is_some_and(goes_on))
        || before.trim_end().ends_with('{');
    let is_sentence = passage.kind == Kind::Comment || passage.text.trim().contains(' ');
    is_sentence && !quoted && !in_name
}

/// The hit with up to three words on each side.
fn around(text: &str, start: usize, end: usize) -> String {
    let (before, rest) = text.split_at(start);
    let (hit, after) = rest.split_at(end - start);
    let before: Vec<_> = before.split_whitespace().rev().take(3).collect();
    let words = before.into_iter().rev().chain([hit]);
    let gap = if after.starts_with(char::is_whitespace) { " " } else { "" };
    let after: Vec<_> = after.split_whitespace().take(3).collect();
    format!("{}{gap}{}", words.collect::<Vec<_>>().join(" "), after.join(" "))
}
