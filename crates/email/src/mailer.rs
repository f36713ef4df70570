//! `SmtpMailer`: hands emails to an SMTP server, and to a second one when the first does not take
//! them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gateward_domain::email::EmailMessage;
use gateward_domain::link::LinkCode;
use gateward_domain::ports::{Clock, MailError, Mailer, SEND_SECONDS_MAX};
use lettre::message::Message;
use lettre::transport::smtp::extension::ClientId;
use url::Host;

use crate::connection::Connections;
use crate::message::Composer;
use crate::{MailSettings, SetupError, SmtpServer};

/// For how many seconds one SMTP server is tried.
pub const SMTP_SERVER_SECONDS_MAX: u64 = 20;

/// The most characters of what went wrong that are passed on.
const RESPONSE_LEN_MAX: usize = 200;

const _: () = assert!(
    2 * SMTP_SERVER_SECONDS_MAX < SEND_SECONDS_MAX,
    "two SMTP servers fit into one attempt"
);

/// Hands emails to SMTP servers.
pub struct SmtpMailer {
    composer: Composer,
    smtp_server: Connections,
    fallback: Option<Connections>,
    deadline: Duration,
}

impl SmtpMailer {
    /// Makes a mailer. Does not connect yet. The fallback takes what the SMTP server does not
    /// take just now, and nothing that it refuses for good.
    pub fn new(
        settings: MailSettings,
        smtp_server: SmtpServer,
        fallback: Option<SmtpServer>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SetupError> {
        let composer = Composer::new(settings, clock)?;
        let hello = hello(composer.host());
        Ok(Self {
            smtp_server: Connections::new(smtp_server, hello.clone())?,
            fallback: fallback
                .map(|smtp_server| Connections::new(smtp_server, hello))
                .transpose()?,
            composer,
            deadline: Duration::from_secs(SMTP_SERVER_SECONDS_MAX),
        })
    }

    /// The SMTP servers, with how long each is tried.
    pub(crate) fn smtp_servers(&self) -> (impl Iterator<Item = &Connections>, Duration) {
        (std::iter::once(&self.smtp_server).chain(&self.fallback), self.deadline)
    }

    /// Tries each SMTP server for less long.
    #[cfg(test)]
    pub(crate) const fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    async fn try_smtp_servers(
        &self,
        email: &EmailMessage,
        message: &Message,
    ) -> Result<(), MailError> {
        let first = match self.hand_to(&self.smtp_server, email, message).await {
            Err(MailError::Refused { permanent: true, response }) => {
                return Err(MailError::Refused { permanent: true, response });
            }
            Err(error) => error,
            Ok(()) => return Ok(()),
        };
        let Some(fallback) = &self.fallback else { return Err(first) };
        tracing::debug!("email not accepted, trying the fallback SMTP server");
        let Err(second) = self.hand_to(fallback, email, message).await else { return Ok(()) };
        Err(match (first, second) {
            (MailError::Unreachable(first), MailError::Unreachable(second)) => {
                MailError::Unreachable(cut(&format!("{first}; {second}")))
            }
            // What the second one refuses for good, the first one may take when it is back.
            (MailError::Unreachable(_), MailError::Refused { response, .. }) => {
                MailError::Refused { permanent: false, response }
            }
            (MailError::Unreachable(_), second) => second,
            // The first SMTP server may take it later, whatever the second one thinks of it.
            (first, _) => first,
        })
    }

    async fn hand_to(
        &self,
        smtp_server: &Connections,
        email: &EmailMessage,
        message: &Message,
    ) -> Result<(), MailError> {
        smtp_server.send(message, self.deadline).await.map_err(|error| match error {
            MailError::Unreachable(told) => MailError::Unreachable(tellable(&told, email)),
            MailError::Refused { permanent, response } => {
                MailError::Refused { permanent, response: tellable(&response, email) }
            }
            unfit @ MailError::Unfit(_) => unfit,
        })
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, email: &EmailMessage) -> Result<(), MailError> {
        let composed = self.composer.compose(email)?;
        let sent = self.try_smtp_servers(email, &composed.message).await;
        tracing::debug!(email = %email.id, sent = sent.is_ok(), "email delivery attempted");
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

/// What may be stored and logged of what an SMTP server said, for it may repeat the email: one
/// short line without recipient, link and code.
pub(crate) fn tellable(text: &str, email: &EmailMessage) -> String {
    let link = email.link.as_deref().unwrap_or_default();
    let token = link.split_once('=').map_or("", |(_, token)| token);
    let code = email.code.as_ref().map_or("", LinkCode::expose);
    let mut told = one_line(text);
    for private in [link, token, code, email.to.as_str()] {
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
    text.chars().take(RESPONSE_LEN_MAX).collect()
}
