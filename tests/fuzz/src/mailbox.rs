//! `Mailbox`: emails that are kept.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use gateward_domain::email::EmailMessage;
use gateward_domain::ports::{MailError, Mailer};

/// Keeps the links and codes of all emails.
#[derive(Default)]
pub(crate) struct Mailbox(Mutex<Vec<EmailMessage>>);

impl Mailbox {
    /// The emails, in the order in which they were sent.
    pub(crate) fn emails(&self) -> Vec<EmailMessage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Mailer for Mailbox {
    async fn send(&self, message: &EmailMessage) -> Result<(), MailError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(message.clone());
        Ok(())
    }
}
