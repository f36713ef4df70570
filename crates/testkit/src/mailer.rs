//! `DroppingMailer`: a mailer without an SMTP server.

use async_trait::async_trait;
use gateward_domain::email::EmailMessage;
use gateward_domain::ports::{MailError, Mailer};

/// Accepts every email and sends none.
#[derive(Clone, Copy, Debug, Default)]
pub struct DroppingMailer;

#[async_trait]
impl Mailer for DroppingMailer {
    async fn send(&self, _: &EmailMessage) -> Result<(), MailError> {
        Ok(())
    }
}
