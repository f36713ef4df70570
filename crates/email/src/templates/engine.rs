//! The template engine: how it fills in, and what it escapes.

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};

use super::HTML;
use crate::wrap::wrap;

/// The engine: names that are not known are errors, HTML is escaped, a block leaves no empty line.
pub(super) fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_auto_escape_callback(|name| match name {
        HTML => AutoEscape::Html,
        _ => AutoEscape::None,
    });
    environment.set_formatter(|output, state, value| match value.as_str() {
        // The engine's own escaping takes '/' for special; readers of links may not know that.
        Some(text) if *state.auto_escape() == AutoEscape::Html && !value.is_safe() => {
            output.write_str(&escaped(text)).map_err(minijinja::Error::from)
        }
        _ => minijinja::escape_formatter(output, state, value),
    });
    environment.set_syntax(syntax());
    environment.add_filter("wrap", |text: &str| wrap(text));
    environment
}

/// A text without what HTML takes for its own.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// A text part without runs of empty lines, with one line break at its end.
pub(super) fn tidy(text: &str) -> String {
    let mut tidy = text.trim().replace("\r\n", "\n");
    while tidy.contains("\n\n\n") {
        tidy = tidy.replace("\n\n\n", "\n\n");
    }
    tidy.push('\n');
    tidy
}

/// Blocks leave neither an empty line nor indentation behind.
fn syntax() -> SyntaxConfig {
    let mut builder = SyntaxConfig::builder();
    builder.trim_blocks(true).lstrip_blocks(true);
    builder.build().unwrap_or_default()
}
