//! An email as a message: headers, one recipient, a text part and an HTML part.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use gateward_domain::Timestamp;
use gateward_domain::email::EmailMessage;
use gateward_domain::ports::{Clock, MailError};
use lettre::Address;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};
use url::{Host, Url};

use crate::{MailSettings, Rendered, Sender, SetupError, Templates};

/// Makes messages of emails.
pub(crate) struct Composer {
    templates: Templates,
    from: Sender,
    host: Host,
    clock: Arc<dyn Clock>,
}

/// An email, ready to be sent.
pub(crate) struct Composed {
    pub message: Message,
    pub rendered: Rendered,
    pub at: Timestamp,
}

/// Tells programs that answer emails to leave this one alone (RFC 3834, section 5).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

impl Composer {
    pub(crate) fn new(settings: MailSettings, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        let url = Url::parse(&settings.public_url).map_err(|_| SetupError::PublicUrl)?;
        let host = url.host().ok_or(SetupError::PublicUrl)?.to_owned();
        let templates = match &settings.templates {
            Some(folder) => Templates::with_folder(folder)?,
            None => Templates::built_in()?,
        };
        Ok(Self { templates, from: settings.from, host, clock })
    }

    /// The host of the public URL, by which this program introduces itself to SMTP servers.
    pub(crate) const fn host(&self) -> &Host {
        &self.host
    }

    pub(crate) fn compose(&self, email: &EmailMessage) -> Result<Composed, MailError> {
        let host = self.host.to_string();
        let service = self.from.name().unwrap_or(&host);
        let rendered = self.templates.render(email, service).map_err(|error| unfit(&error))?;
        let to =
            Address::new(email.to.local(), email.to.domain()).map_err(|error| unfit(&error))?;
        let at = self.clock.now();
        let seconds = u64::try_from(at.seconds()).unwrap_or_default();
        let message = Message::builder()
            .from(self.from.mailbox().clone())
            .to(Mailbox::new(None, to))
            .subject(&rendered.subject)
            .date(UNIX_EPOCH + Duration::from_secs(seconds))
            .message_id(Some(format!("<{}@{host}>", email.id)))
            .header(AutoSubmitted)
            .multipart(parts(email, &rendered))
            .map_err(|error| unfit(&error))?;
        Ok(Composed { message, rendered, at })
    }
}

/// The text first: a client shows the last part that it can (RFC 2046, section 5.1.4).
fn parts(email: &EmailMessage, rendered: &Rendered) -> MultiPart {
    MultiPart::alternative()
        // An email that is sent again is the same email, so randomness has no part in it.
        .boundary(format!("=_{}", email.id))
        .singlepart(SinglePart::plain(rendered.text.clone()))
        .singlepart(SinglePart::html(rendered.html.clone()))
}

fn unfit(error: &dyn std::error::Error) -> MailError {
    MailError::Unfit(error.to_string())
}
