//! The emails, the SMTP mailer that sends them, and the development inbox that keeps them.
//!
//! The words of an email are in a language file, its layouts in two templates; see [`Templates`].
//! An email is made the same way for an SMTP server and for the inbox, so a developer reads what a
//! user would.
//!
//! # Another language
//!
//! A language is one file of the shape of `templates/en.toml`: the same keys, the same emails,
//! `lang` set to its name, and the months and the form of a time in its own words. An installation
//! speaks one language: a folder that holds such a file under the name `en.toml` replaces the
//! English one.

mod check;
mod connection;
mod inbox;
mod language;
mod mailer;
mod message;
mod samples;
mod settings;
mod smtp_server;
mod templates;
#[cfg(test)]
mod tests;
mod wrap;

pub use check::{CheckedSmtpServer, SmtpServerFault};
pub use inbox::DevInbox;
pub use mailer::{SMTP_SERVER_SECONDS_MAX, SmtpMailer};
pub use settings::{MailSettings, Sender, SenderError, SetupError};
pub use smtp_server::{SmtpServer, SmtpUrlError};
pub use templates::{Rendered, TemplateError, Templates};
