//! `Mailer` and `Inbox`: sends emails, and shows them to a developer.

use async_trait::async_trait;

use crate::email::EmailMessage;
use crate::{EmailAddress, Timestamp};

/// Why an email was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// No SMTP server can be reached, or none responds. No email can be sent.
    #[error("no SMTP server can be reached: {0}")]
    Unreachable(String),
    /// The SMTP server refused this email.
    #[error("the SMTP server rejected the email: {response}")]
    Refused {
        /// Whether the server reports a permanent failure, for which a retry is useless (RFC 5321,
        /// section 4.2.1).
        permanent: bool,
        /// The server's response, as one short line.
        response: String,
    },
    /// The email cannot be built, for example because of an error in a template.
    #[error("the email cannot be rendered: {0}")]
    Unfit(String),
}

/// Sends emails.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Sends an email. Returns within [`SEND_SECONDS_MAX`], however slow the SMTP server is.
    ///
    /// An email that is sent again has the same `Message-ID` (RFC 5322, section 3.6.4).
    async fn send(&self, message: &EmailMessage) -> Result<(), MailError>;
}

/// Maximum duration of one attempt in seconds. It is shorter than the lease of an email, so that
/// two workers never send it at once.
pub const SEND_SECONDS_MAX: u64 = 45;

/// An email in the development inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxEmail {
    /// The recipient.
    pub to: EmailAddress,
    /// The subject line.
    pub subject: String,
    /// The headers as they would be sent.
    pub headers: String,
    /// The plain-text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
    /// The links in the email.
    pub links: Vec<String>,
    /// The code in the email.
    pub code: Option<String>,
    /// Time of sending, UTC.
    pub sent_at: Timestamp,
}

/// The development inbox: emails that are not sent to a server.
pub trait Inbox: Send + Sync {
    /// Returns the emails, newest first.
    fn emails(&self) -> Vec<InboxEmail>;
}
