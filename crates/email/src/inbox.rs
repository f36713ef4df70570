//! `DevInbox`: emails that go nowhere but to the developer who reads them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use gateward_domain::email::EmailMessage;
use gateward_domain::ports::{Clock, Inbox, InboxEmail, MailError, Mailer};

use crate::message::{Composed, Composer};
use crate::{MailSettings, SetupError};

/// How many emails are kept; older ones are forgotten.
pub(crate) const EMAILS_MAX: usize = 200;

/// Keeps the emails that were sent last in memory.
pub struct DevInbox {
    composer: Composer,
    emails: Mutex<VecDeque<InboxEmail>>,
}

impl DevInbox {
    /// Makes an empty inbox.
    pub fn new(settings: MailSettings, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        Ok(Self { composer: Composer::new(settings, clock)?, emails: Mutex::default() })
    }
}

#[async_trait]
impl Mailer for DevInbox {
    async fn send(&self, email: &EmailMessage) -> Result<(), MailError> {
        let kept = kept(email, self.composer.compose(email)?);
        let mut emails = self.emails.lock().unwrap_or_else(PoisonError::into_inner);
        emails.truncate(EMAILS_MAX - 1);
        emails.push_front(kept);
        Ok(())
    }
}

impl Inbox for DevInbox {
    fn emails(&self) -> Vec<InboxEmail> {
        let emails = self.emails.lock().unwrap_or_else(PoisonError::into_inner);
        emails.iter().cloned().collect()
    }
}

fn kept(email: &EmailMessage, composed: Composed) -> InboxEmail {
    let Composed { message, rendered, at } = composed;
    InboxEmail {
        to: email.to.clone(),
        subject: rendered.subject,
        headers: message.headers().to_string(),
        links: links(&rendered.text),
        code: email.code.as_ref().map(|code| code.expose().to_owned()),
        text: rendered.text,
        html: rendered.html,
        sent_at: at,
    }
}

/// The links of a text, each once.
fn links(text: &str) -> Vec<String> {
    let mut links: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let is_link = word.starts_with("http://") || word.starts_with("https://");
        if is_link && !links.iter().any(|link| link == word) {
            links.push(word.to_owned());
        }
    }
    links
}
