//! What the tests of this crate share, and where they are.

use std::sync::Arc;

use gateward_domain::EmailAddress;
use gateward_domain::email::{EmailMessage, EmailTemplate};
use gateward_testkit::FixedClock;

use crate::samples::sample;
use crate::{MailSettings, Sender};

mod checking;
mod inbox;
mod messages;
mod sending;
mod server;
mod smtp_servers;
mod templates;

fn settings() -> MailSettings {
    MailSettings {
        from: Sender::parse("Example <login@example.org>").unwrap(),
        public_url: "https://login.example.org".to_owned(),
        templates: None,
    }
}

fn clock() -> Arc<FixedClock> {
    Arc::new(FixedClock::default())
}

fn email(to: &str) -> EmailMessage {
    EmailMessage { to: EmailAddress::parse(to).unwrap(), ..sample(EmailTemplate::ResetPassword) }
}
