//! The letters, the SMTP mailer that sends them, and the development inbox that keeps them.
//!
//! What a letter says stands in a language file, where it stands in two layouts; see
//! [`Templates`]. A letter is made the same way for a relay and for the inbox, so a developer reads
//! what a user would.
//!
//! # Another language
//!
//! A language is one file of the shape of `letters/en.toml`: the same keys, the same letters, `lang`
//! set to its name, and the months and the form of a time in its own words. An installation speaks
//! one language: a folder that holds such a file under the name `en.toml` replaces the English one.

mod check;
mod connection;
mod inbox;
mod language;
mod mailer;
mod message;
mod relay;
mod samples;
mod settings;
mod templates;
#[cfg(test)]
mod tests;
mod wrap;

pub use check::{CheckedRelay, RelayFault};
pub use inbox::DevInbox;
pub use mailer::{RELAY_SECONDS_MAX, SmtpMailer};
pub use relay::{Relay, RelayError};
pub use settings::{MailSettings, Sender, SenderError, SetupError};
pub use templates::{Rendered, TemplateError, Templates};
