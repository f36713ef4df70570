//! `Mailer` and `Inbox`: what takes letters, and where a developer reads them.

use async_trait::async_trait;

use crate::mail::Letter;
use crate::{Email, Timestamp};

/// Why a letter was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// No relay can be reached, or none answers: no letter would go.
    #[error("no relay can be reached: {0}")]
    Unreachable(String),
    /// The relay has refused this letter.
    #[error("the relay refuses: {answer}")]
    Refused {
        /// Whether it says that trying again is of no use (RFC 5321, section 4.2.1).
        permanent: bool,
        /// What it says, in one short line.
        answer: String,
    },
    /// The letter cannot be made, perhaps because a template is wrong.
    #[error("the letter cannot be made: {0}")]
    Unfit(String),
}

/// Sends letters.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Sends a letter. Ends within [`SEND_SECONDS_MAX`], however slow the relay is.
    ///
    /// A letter that is sent again has the same `Message-ID` (RFC 5322, section 3.6.4).
    async fn send(&self, letter: &Letter) -> Result<(), MailError>;
}

/// For how many seconds one attempt may last: shorter than the lease of a letter, so that no two
/// workers send it at once.
pub const SEND_SECONDS_MAX: u64 = 45;

/// A letter that the development inbox has taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InboxLetter {
    /// To whom.
    pub to: Email,
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

/// Where a developer reads the letters that go nowhere else.
pub trait Inbox: Send + Sync {
    /// The letters, the newest first.
    fn letters(&self) -> Vec<InboxLetter>;
}
