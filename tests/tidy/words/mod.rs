//! No name and no sentence uses a word that the glossary has replaced.

mod lexer;
mod list;
mod matcher;
mod names;
mod prose;
mod tests;

use std::fs;
use std::path::PathBuf;

use lexer::pieces;
use list::{EXCEPTIONS, EXEMPT_FILES, Exception, IN_NAMES, IN_PROSE, PROSE_EXCEPTIONS};
use matcher::Vocabulary;
use names::names;
use prose::Phrases;

use crate::{files, root};

/// The folders whose files are looked at, besides the files of the root itself.
const FOLDERS: &[&str] = &["config", "crates", "docs", "examples", "migrations", "tests"];

/// What is refused in one file: in its path, then in its text.
fn refused(words: &Vocabulary, path: &str, text: &str) -> Vec<String> {
    let mut refused = Vec::new();
    let mut look = |place: &str, name: &str| {
        if EXCEPTIONS.iter().any(|exception| exception.name == name) {
            return;
        }
        for word in words.found_in(name) {
            refused.push(format!("{place}: `{name}` uses \"{}\"; write {}", word.old, word.new));
        }
    };
    path.split('/').for_each(|part| look(path, part));
    if is_exempt(path) {
        return refused;
    }
    for piece in pieces(path, text) {
        for (line, name) in names(&piece) {
            look(&format!("{path}:{line}"), name);
        }
    }
    refused
}

/// What is refused in the sentences of one file.
fn refused_in_prose(phrases: &Phrases, path: &str, text: &str) -> Vec<String> {
    let mut refused = Vec::new();
    for (line, around, word) in phrases.found_in(&pieces(path, text)) {
        if !PROSE_EXCEPTIONS.iter().any(|exception| holds(&around, exception)) {
            let (old, new) = (word.old, word.new);
            refused.push(format!("{path}:{line}: `{around}` uses \"{old}\"; write {new}"));
        }
    }
    refused
}

fn holds(around: &str, exception: &Exception) -> bool {
    around.to_lowercase().contains(&exception.name.to_lowercase())
}

fn is_exempt(path: &str) -> bool {
    EXEMPT_FILES.iter().any(|(file, _)| *file == path)
}

/// The path of each file from the root, and its text, empty if it has none.
fn sources() -> Vec<(String, String)> {
    let mut paths = files(FOLDERS);
    let in_root = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    paths.extend(in_root.filter(|path| path.is_file()));
    let source = |path: &PathBuf| {
        let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(path).unwrap_or_default())
    };
    let mut sources: Vec<_> = paths.iter().map(source).collect();
    sources.sort();
    sources
}

#[test]
fn names_use_the_words_of_the_glossary() {
    let words = Vocabulary::new(IN_NAMES);
    let mut lines: Vec<String> =
        sources().iter().flat_map(|(path, text)| refused(&words, path, text)).collect();
    lines.dedup();
    assert!(lines.is_empty(), "{} names to change:\n{}", lines.len(), lines.join("\n"));
}

#[test]
fn sentences_use_the_words_of_the_glossary() {
    let phrases = Phrases::new(IN_PROSE);
    let mut sources = sources();
    sources.retain(|(path, _)| !is_exempt(path));
    let lines: Vec<String> =
        sources.iter().flat_map(|(path, text)| refused_in_prose(&phrases, path, text)).collect();
    assert!(lines.is_empty(), "{} sentences to change:\n{}", lines.len(), lines.join("\n"));
}

#[test]
fn every_exception_is_needed() {
    let mut sources = sources();
    sources.retain(|(path, _)| !is_exempt(path));
    for exception in EXCEPTIONS {
        let needed = sources.iter().any(|(path, text)| {
            let pieces = pieces(path, text);
            pieces.iter().flat_map(names).any(|(_, name)| name == exception.name)
        });
        assert!(needed, "{} ({}) is not used any more", exception.name, exception.reason);
    }
    let phrases = Phrases::new(IN_PROSE);
    for exception in PROSE_EXCEPTIONS {
        let needed = sources.iter().any(|(path, text)| {
            let found = phrases.found_in(&pieces(path, text));
            found.iter().any(|(_, around, _)| holds(around, exception))
        });
        assert!(needed, "{} ({}) is not used any more", exception.name, exception.reason);
    }
    for (file, reason) in EXEMPT_FILES {
        assert!(root().join(file).is_file(), "{file} ({reason}) does not exist any more");
    }
}
