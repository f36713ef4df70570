//! What the tests of this crate share, and where they are.

use std::sync::Arc;

use gateward_domain::Email;
use gateward_domain::mail::{Letter, LetterText};
use gateward_testkit::FixedClock;

use crate::samples::sample;
use crate::{MailSettings, Sender};

mod checking;
mod inbox;
mod messages;
mod relays;
mod sending;
mod server;
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

fn letter(to: &str) -> Letter {
    Letter { to: Email::parse(to).unwrap(), ..sample(LetterText::ResetPassword) }
}
