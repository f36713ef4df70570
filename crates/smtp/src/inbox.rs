//! `DevInbox`: letters that go nowhere but to the developer who reads them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use gateward_domain::mail::Letter;
use gateward_domain::ports::{Clock, Inbox, InboxLetter, MailError, Mailer};

use crate::message::{Composed, Composer};
use crate::{MailSettings, SetupError};

/// How many letters are kept; older ones are forgotten.
pub(crate) const LETTERS_MAX: usize = 200;

/// Keeps the letters that were sent last in memory.
pub struct DevInbox {
    composer: Composer,
    letters: Mutex<VecDeque<InboxLetter>>,
}

impl DevInbox {
    /// Makes an empty inbox.
    pub fn new(settings: MailSettings, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        Ok(Self { composer: Composer::new(settings, clock)?, letters: Mutex::default() })
    }
}

#[async_trait]
impl Mailer for DevInbox {
    async fn send(&self, letter: &Letter) -> Result<(), MailError> {
        let kept = kept(letter, self.composer.compose(letter)?);
        let mut letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        letters.truncate(LETTERS_MAX - 1);
        letters.push_front(kept);
        Ok(())
    }
}

impl Inbox for DevInbox {
    fn letters(&self) -> Vec<InboxLetter> {
        let letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        letters.iter().cloned().collect()
    }
}

fn kept(letter: &Letter, composed: Composed) -> InboxLetter {
    let Composed { message, rendered, at } = composed;
    InboxLetter {
        to: letter.to.clone(),
        subject: rendered.subject,
        headers: message.headers().to_string(),
        links: links(&rendered.text),
        code: letter.code.as_ref().map(|code| code.expose().to_owned()),
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
