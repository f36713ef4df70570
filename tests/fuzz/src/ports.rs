//! The ports of the service: cheap hashes, and emails that are kept.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use gateward_domain::email::EmailMessage;
use gateward_domain::ports::{HashError, MailError, Mailer, PasswordHasher};
use gateward_domain::{Password, PasswordHash};

/// Hashes by writing `plain:` before the password.
pub(crate) struct PlainHasher;

#[async_trait]
impl PasswordHasher for PlainHasher {
    async fn hash(&self, password: &Password) -> Result<PasswordHash, HashError> {
        Ok(PasswordHash::from_phc(format!("plain:{}", password.expose())))
    }

    async fn verify(&self, password: &Password, hash: &PasswordHash) -> Result<bool, HashError> {
        Ok(hash.expose().strip_prefix("plain:") == Some(password.expose()))
    }

    fn needs_rehash(&self, _: &PasswordHash) -> bool {
        false
    }
}

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
