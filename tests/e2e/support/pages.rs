//! The pages behind emailed links, and the body of a form.

use std::fmt::Write;

/// Their paths.
pub(crate) const PATHS: [&str; 5] =
    ["/confirm-email", "/reset-password", "/undo-email-change", "/not-me", "/accept-invitation"];

/// The content type of forms.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// A form body as a browser writes it, with every special byte escaped.
pub(crate) fn encode(fields: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in fields {
        let separator = if text.is_empty() { "" } else { "&" };
        write!(text, "{separator}{name}=").unwrap();
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() {
                text.push(char::from(byte));
            } else {
                write!(text, "%{byte:02X}").unwrap();
            }
        }
    }
    text
}
