//! The effective settings without secrets, for `gateward config show`.

use config::{Value, ValueKind};
use gateward_email::SmtpServer;

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
        "database.url" => gateward_diesel::shown_url(text),
        "mail.smtp_url" | "mail.fallback_smtp_url" => SmtpServer::shown_url(text),
        _ => text.to_owned(),
    }
}
