//! `Mailer` and `Inbox`: what takes emails, and where a developer reads them.

use async_trait::async_trait;

use crate::email::EmailMessage;
use crate::{EmailAddress, Timestamp};

/// Why an email was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// No SMTP server can be reached, or none answers: no email would go.
    #[error("no SMTP server can be reached: {0}")]
    Unreachable(String),
    /// The SMTP server has refused this email.
    #[error("the SMTP server refuses: {response}")]
    Refused {
        /// Whether it says that trying again is of no use (RFC 5321, section 4.2.1).
        permanent: bool,
        /// What it says, in one short line.
        response: String,
    },
    /// The email cannot be made, perhaps because a template is wrong.
    #[error("the email cannot be made: {0}")]
    Unfit(String),
}

/// Sends emails.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Sends an email. Ends within [`SEND_SECONDS_MAX`], however slow the SMTP server is.
    ///
    /// An email that is sent again has the same `Message-ID` (RFC 5322, section 3.6.4).
    async fn send(&self, message: &EmailMessage) -> Result<(), MailError>;
}

/// For how many seconds one attempt may last: shorter than the lease of an email, so that no two
/// workers send it at once.
pub const SEND_SECONDS_MAX: u64 = 45;

/// An email that the development inbox has taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxEmail {
    /// To whom.
    pub to: EmailAddress,
    /// The subject.
    pub subject: String,
    /// The headers, as they would be sent.
    pub headers: String,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
    /// The links in it.
    pub links: Vec<String>,
    /// The code in it.
    pub code: Option<String>,
    /// When it was sent.
    pub sent_at: Timestamp,
}

/// Where a developer reads the emails that go nowhere else.
pub trait Inbox: Send + Sync {
    /// The emails, the newest first.
    fn emails(&self) -> Vec<InboxEmail>;
}
