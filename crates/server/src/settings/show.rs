//! The effective settings without secrets, for `gateward config show`.

use config::{Value, ValueKind};

use super::clients;
use super::layers::Flat;

/// One line for each setting, with its source.
pub(crate) fn show(flat: &Flat) -> String {
    let mut lines = String::new();
    for (name, setting) in flat {
        let value = shown(name, &setting.value);
        lines.extend([name, " = ", &value, "  # ", &setting.source, "\n"]);
    }
    lines
}

fn shown(name: &str, value: &Value) -> String {
    match &value.kind {
        ValueKind::String(text) => format!("{:?}", hidden(name, text)),
        ValueKind::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| shown(name, item)).collect();
            format!("[{}]", items.join(", "))
        }
        kind => kind.to_string(),
    }
}

/// Whether the value of a setting contains a secret.
pub(crate) fn is_secret(name: &str, text: &str) -> bool {
    hidden(name, text) != text
}

/// The value of a setting without its secret.
fn hidden(name: &str, text: &str) -> String {
    match name {
        _ if text.is_empty() => String::new(),
        "keys.master_key" | "keys.previous_master_key" => "(hidden)".to_owned(),
        _ if clients::holds_secret(name) => "(hidden)".to_owned(),
        "database.url" | "mail.smtp_url" | "mail.fallback_smtp_url" => without_password(text),
        _ => text.to_owned(),
    }
}

/// The URL without its password. A value that is not a URL is hidden completely.
pub(super) fn without_password(text: &str) -> String {
    if text.is_empty() || text.starts_with("sqlite:") {
        return text.to_owned();
    }
    let Ok(mut url) = url::Url::parse(text) else { return "(hidden)".to_owned() };
    if url.password().is_some() && url.set_password(Some("hidden")).is_err() {
        return "(hidden)".to_owned();
    }
    // The query may contain the password too.
    if url.query_pairs().any(|(name, _)| name == "password") {
        url.set_query(Some("hidden"));
    }
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_a_url_is_hidden() {
        for url in ["postgres://ada:hunter2@db/x", "postgres://db/x?user=ada&password=hunter2"] {
            assert!(!without_password(url).contains("hunter2"), "{url}");
        }
        assert_eq!(without_password("sqlite://data/x.db"), "sqlite://data/x.db");
    }
}
