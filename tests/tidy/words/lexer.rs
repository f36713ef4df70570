//! Takes a file apart into names, texts and comments, as far as looking for words needs it.

/// What a piece of a file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A word of the code itself.
    Name,
    /// A string literal, or a template.
    Text,
    /// A comment, or documentation.
    Comment,
    /// Punctuation and white space.
    Other,
}

pub struct Piece {
    pub kind: Kind,
    pub line: usize,
    pub text: String,
}

/// How a language marks its comments and texts.
struct Syntax {
    /// How comments start and end.
    comments: &'static [(&'static str, &'static str)],
    /// What texts are enclosed in; longer marks come first.
    quotes: &'static [&'static str],
    /// What a name may hold besides letters, digits and `_`.
    in_names: &'static str,
    /// Whether there are raw strings, and a `'` may start a lifetime.
    rust: bool,
}

const SLASHES: &[(&str, &str)] = &[("//", "\n"), ("/*", "*/")];
const RUST: Syntax = Syntax { comments: SLASHES, quotes: &["\""], in_names: "", rust: true };
const C: Syntax = Syntax { quotes: &["\"", "'"], rust: false, ..RUST };
const JAVASCRIPT: Syntax = Syntax { quotes: &["\"", "'", "`"], ..C };
const CSS: Syntax = Syntax { comments: &[("/*", "*/")], in_names: "-", ..C };
/// What stands between quotes in SQL are the names of states and kinds.
const SQL: Syntax = Syntax { comments: &[("--", "\n"), ("/*", "*/")], quotes: &[], ..C };
const TOML: Syntax =
    Syntax { comments: &[("#", "\n")], quotes: &["\"\"\"", "'''", "\"", "'"], ..C };
const JSON: Syntax = Syntax { comments: &[], quotes: &["\""], ..C };

/// The pieces of a file, or none if its language is not known.
pub fn pieces(path: &str, text: &str) -> Vec<Piece> {
    let whole = |kind| vec![Piece { kind, line: 1, text: text.to_owned() }];
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "rs" => RUST.pieces(text),
        "c" => C.pieces(text),
        "js" => JAVASCRIPT.pieces(text),
        "css" => CSS.pieces(text),
        "sql" => SQL.pieces(text),
        "toml" | "yml" | "yaml" | "py" => TOML.pieces(text),
        "json" => JSON.pieces(text),
        "html" | "txt" | "http" => whole(Kind::Text),
        "md" => whole(Kind::Comment),
        _ => Vec::new(),
    }
}

impl Syntax {
    fn pieces(&self, text: &str) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let (mut rest, mut line) = (text, 1);
        while !rest.is_empty() {
            let (kind, length) = self.first(rest);
            let (piece, after) = rest.split_at(length);
            if kind != Kind::Other {
                let text = if kind == Kind::Text { unescaped(piece) } else { piece.to_owned() };
                pieces.push(Piece { kind, line, text });
            }
            line += piece.matches('\n').count();
            rest = after;
        }
        pieces
    }

    /// What the text starts with, and its length in bytes, which is never 0.
    fn first(&self, text: &str) -> (Kind, usize) {
        for (start, end) in self.comments {
            if let Some(inside) = text.strip_prefix(start) {
                let length = inside.find(end).map_or(inside.len(), |at| at + end.len());
                return (Kind::Comment, start.len() + length);
            }
        }
        if self.rust
            && let Some(length) = raw_string(text).or_else(|| character(text))
        {
            return (Kind::Text, length);
        }
        for quote in self.quotes {
            if let Some(inside) = text.strip_prefix(quote) {
                return (Kind::Text, quote.len() + closed_by(quote, inside));
            }
        }
        let in_name = |c: char| c.is_alphanumeric() || c == '_' || self.in_names.contains(c);
        match text.find(|c| !in_name(c)).unwrap_or(text.len()) {
            0 => (Kind::Other, text.chars().next().map_or(1, char::len_utf8)),
            length => (Kind::Name, length),
        }
    }
}

/// The length of a raw string of Rust, such as `r#"…"#`.
fn raw_string(text: &str) -> Option<usize> {
    let start = text.trim_start_matches(['b', 'c']).strip_prefix('r')?;
    let inside = start.trim_start_matches('#');
    let end = format!("\"{}", "#".repeat(start.len() - inside.len()));
    let length = inside.strip_prefix('"')?.find(&end)? + 1 + end.len();
    Some(text.len() - inside.len() + length)
}

/// The length of a character literal of Rust, such as `'"'` or `'\''`; a lifetime is none.
fn character(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('\'')?;
    let first = inside.chars().next()?;
    let closed = first == '\\' || inside.split_at(first.len_utf8()).1.starts_with('\'');
    closed.then(|| 1 + closed_by("'", inside))
}

/// The length of a text up to and with the quote that closes it.
fn closed_by(quote: &str, text: &str) -> usize {
    let mut escaped = false;
    for (at, char) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if char == '\\' {
            escaped = true;
        } else if text.split_at(at).1.starts_with(quote) {
            return at + quote.len();
        }
    }
    text.len()
}

/// The text with escaped quotes as they are meant, and a blank for any other escaped character.
fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        plain.push(match char {
            '\\' => chars.next().filter(|next| "\"'\\\n".contains(*next)).unwrap_or(' '),
            _ => char,
        });
    }
    plain
}
