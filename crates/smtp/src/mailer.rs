//! `SmtpMailer`: hands letters to a relay, and to a second one when the first does not take them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gateward_domain::link::LinkCode;
use gateward_domain::mail::Letter;
use gateward_domain::ports::{Clock, MailError, Mailer, SEND_SECONDS_MAX};
use lettre::message::Message;
use lettre::transport::smtp::extension::ClientId;
use url::Host;

use crate::connection::Connections;
use crate::message::Composer;
use crate::{MailSettings, Relay, SetupError};

/// For how many seconds one relay is tried.
pub const RELAY_SECONDS_MAX: u64 = 20;

/// The most characters of what went wrong that are passed on.
const ANSWER_LEN_MAX: usize = 200;

const _: () = assert!(2 * RELAY_SECONDS_MAX < SEND_SECONDS_MAX, "two relays fit into one attempt");

/// Hands letters to relays.
pub struct SmtpMailer {
    composer: Composer,
    relay: Connections,
    fallback: Option<Connections>,
    deadline: Duration,
}

impl SmtpMailer {
    /// Makes a mailer; connects to nobody yet. The fallback takes what the relay does not take just
    /// now, and nothing that it refuses for good.
    pub fn new(
        settings: MailSettings,
        relay: Relay,
        fallback: Option<Relay>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SetupError> {
        let composer = Composer::new(settings, clock)?;
        let hello = hello(composer.host());
        Ok(Self {
            relay: Connections::new(relay, hello.clone())?,
            fallback: fallback.map(|relay| Connections::new(relay, hello)).transpose()?,
            composer,
            deadline: Duration::from_secs(RELAY_SECONDS_MAX),
        })
    }

    /// The relays, with how long each is tried.
    pub(crate) fn relays(&self) -> (impl Iterator<Item = &Connections>, Duration) {
        (std::iter::once(&self.relay).chain(&self.fallback), self.deadline)
    }

    /// Tries each relay for less long.
    #[cfg(test)]
    pub(crate) const fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    async fn try_relays(&self, letter: &Letter, message: &Message) -> Result<(), MailError> {
        let first = match self.hand_to(&self.relay, letter, message).await {
            Err(MailError::Refused { permanent: true, answer }) => {
                return Err(MailError::Refused { permanent: true, answer });
            }
            Err(error) => error,
            Ok(()) => return Ok(()),
        };
        let Some(fallback) = &self.fallback else { return Err(first) };
        tracing::debug!("a relay did not take a letter; the other one is tried");
        let Err(second) = self.hand_to(fallback, letter, message).await else { return Ok(()) };
        Err(match (first, second) {
            (MailError::Unreachable(first), MailError::Unreachable(second)) => {
                MailError::Unreachable(cut(&format!("{first}; {second}")))
            }
            // What the second one refuses for good, the first one may take when it is back.
            (MailError::Unreachable(_), MailError::Refused { answer, .. }) => {
                MailError::Refused { permanent: false, answer }
            }
            (MailError::Unreachable(_), second) => second,
            // The first relay may take it later, whatever the second one thinks of it.
            (first, _) => first,
        })
    }

    async fn hand_to(
        &self,
        relay: &Connections,
        letter: &Letter,
        message: &Message,
    ) -> Result<(), MailError> {
        relay.send(message, self.deadline).await.map_err(|error| match error {
            MailError::Unreachable(told) => MailError::Unreachable(tellable(&told, letter)),
            MailError::Refused { permanent, answer } => {
                MailError::Refused { permanent, answer: tellable(&answer, letter) }
            }
            unfit @ MailError::Unfit(_) => unfit,
        })
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, letter: &Letter) -> Result<(), MailError> {
        let composed = self.composer.compose(letter)?;
        let sent = self.try_relays(letter, &composed.message).await;
        tracing::debug!(letter = %letter.id, sent = sent.is_ok(), "a letter was tried");
        sent
    }
}

/// How this program introduces itself (RFC 5321, section 4.1.4).
fn hello(host: &Host) -> ClientId {
    match host {
        Host::Domain(name) => ClientId::Domain(name.clone()),
        Host::Ipv4(ip) => ClientId::Ipv4(*ip),
        Host::Ipv6(ip) => ClientId::Ipv6(*ip),
    }
}

/// What may be stored and logged of what a relay said, for it may repeat the letter: one short line
/// without recipient, link and code.
pub(crate) fn tellable(text: &str, letter: &Letter) -> String {
    let link = letter.link.as_deref().unwrap_or_default();
    let token = link.split_once('=').map_or("", |(_, token)| token);
    let code = letter.code.as_ref().map_or("", LinkCode::expose);
    let mut told = one_line(text);
    for private in [link, token, code, letter.to.as_str()] {
        if !private.is_empty() {
            told = told.replace(private, "…");
        }
    }
    cut(&told)
}

fn one_line(text: &str) -> String {
    let text = text.replace(|character: char| character.is_control(), " ");
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

fn cut(text: &str) -> String {
    text.chars().take(ANSWER_LEN_MAX).collect()
}
