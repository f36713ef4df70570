//! `MailSettings`: who writes, for which service, in which words.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use gateward_domain::EmailAddress;
use lettre::Address;
use lettre::message::Mailbox;

use crate::TemplateError;

/// What every email has in common.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// Who writes.
    pub from: Sender,
    /// What clients and emails call the service. Its host is part of each `Message-ID`.
    pub public_url: String,
    /// A folder of files that replace the built-in ones of the same name.
    pub templates: Option<PathBuf>,
}

/// Who writes: an address, with or without a name, as in `Example <login@example.org>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender(Mailbox);

/// Why a text is no sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SenderError {
    /// Not one address, with or without a name.
    #[error(
        "this is not one sender; write login@example.org or Example <login@example.org>, and put \
         the name in quotes if it contains more than letters, digits and spaces"
    )]
    Form,
    /// An address that not every SMTP server takes.
    #[error("the sender's email address must be ASCII before the '@'; use another one")]
    NotAscii,
    #[error("the sender's name is too long; use at most 100 characters")]
    NameTooLong,
}

/// Why no mailer can be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The templates are wrong.
    #[error(transparent)]
    Templates(#[from] TemplateError),
    /// No host can be read from the public URL.
    #[error("the public URL has no host; write it like https://login.example.org")]
    PublicUrl,
    /// TLS cannot be set up for an SMTP server.
    #[error("TLS cannot be set up for an SMTP server")]
    Tls(#[source] lettre::transport::smtp::Error),
}

impl Sender {
    /// The most characters of a name: it shall stand on one line of a list of emails.
    pub const NAME_LEN_MAX: usize = 100;

    /// Reads an address with or without a name.
    pub fn parse(text: &str) -> Result<Self, SenderError> {
        let text = text.trim();
        if text.chars().any(char::is_control) {
            return Err(SenderError::Form);
        }
        let mailbox: Mailbox = text.parse().map_err(|_| SenderError::Form)?;
        let name = mailbox.name.filter(|name| !name.trim().is_empty());
        if name.as_ref().is_some_and(|name| name.chars().count() > Self::NAME_LEN_MAX) {
            return Err(SenderError::NameTooLong);
        }
        let email = EmailAddress::parse(mailbox.email.as_ref()).map_err(|_| SenderError::Form)?;
        if !email.as_str().is_ascii() {
            return Err(SenderError::NotAscii);
        }
        let address = Address::new(email.local(), email.domain()).map_err(|_| SenderError::Form)?;
        Ok(Self(Mailbox::new(name, address)))
    }

    /// The name, if there is one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// As emails carry it.
    pub(crate) const fn mailbox(&self) -> &Mailbox {
        &self.0
    }
}

impl FromStr for Sender {
    type Err = SenderError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
