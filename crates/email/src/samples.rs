//! Example emails, by which templates are checked and shown.

use std::net::{IpAddr, Ipv6Addr};

use gateward_domain::email::{EmailMessage, EmailTemplate};
use gateward_domain::link::LinkCode;
use gateward_domain::{EmailAddress, EmailId, Timestamp};
use uuid::Uuid;

use crate::language::carries_link;

/// The name under which templates are checked.
pub(crate) const SERVICE: &str = "login.example.org";

/// When that happened which the examples tell of: 20 November 2026, 04:10 UTC.
const CAUSED_AT: Timestamp = Timestamp::from_seconds(1_795_147_800);

/// The example of an email, with all that may be known.
#[expect(clippy::expect_used, reason = "the address is a constant, and a test reads it")]
pub(crate) fn sample(text: EmailTemplate) -> EmailMessage {
    let link = carries_link(text).then(|| {
        "https://login.example.org/example#token=An-Example-That-Opens-Nothing".to_owned()
    });
    EmailMessage {
        id: EmailId::from_uuid(Uuid::nil()),
        to: EmailAddress::parse("ada@example.org").expect("an address"),
        text,
        code: link.as_ref().map(|_| LinkCode::from_number(1_234_567)),
        expires_at: link.as_ref().map(|_| CAUSED_AT.plus_seconds(24 * 3600)),
        link,
        created_at: CAUSED_AT,
        ip: Some(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7))),
    }
}

/// The same email, with as little as may be known.
pub(crate) fn bare(message: EmailMessage) -> EmailMessage {
    EmailMessage { code: None, expires_at: None, ip: None, ..message }
}
