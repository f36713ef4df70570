//! The row of an email in the outbox.

use std::net::IpAddr;

use gateward_domain::email::{EmailKind, EmailState, OutboxEmail};
use gateward_domain::{EmailAddress, EmailId, LinkId, SignupId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Row;

/// The row of an email.
#[derive(Serialize, Deserialize)]
pub struct OutboxEmailRow {
    id: Uuid,
    kind: String,
    recipient: String,
    user_id: Option<Uuid>,
    signup_id: Option<Uuid>,
    link_id: Option<Uuid>,
    created_at: i64,
    ip: Option<IpAddr>,
    slot: Option<String>,
    scheduled_at: i64,
    next_attempt_at: i64,
    attempts: u32,
    state: String,
    finished_at: Option<i64>,
    failure: Option<String>,
}

impl Row for OutboxEmailRow {
    type Noun = OutboxEmail;
    type Key = u128;
    const TABLE: &'static str = "outbox_emails";

    fn of(outbox_email: &OutboxEmail) -> Self {
        Self {
            id: outbox_email.id.uuid(),
            kind: outbox_email.kind.as_str().to_owned(),
            recipient: outbox_email.recipient.as_str().to_owned(),
            user_id: outbox_email.user_id.map(UserId::uuid),
            signup_id: outbox_email.signup_id.map(SignupId::uuid),
            link_id: outbox_email.link_id.map(LinkId::uuid),
            created_at: outbox_email.created_at.micros(),
            ip: outbox_email.ip,
            slot: outbox_email.slot.clone(),
            scheduled_at: outbox_email.scheduled_at.micros(),
            next_attempt_at: outbox_email.next_attempt_at.micros(),
            attempts: outbox_email.attempts,
            state: outbox_email.state.as_str().to_owned(),
            finished_at: outbox_email.finished_at.map(Timestamp::micros),
            failure: outbox_email.failure.clone(),
        }
    }

    fn into_noun(self) -> Result<OutboxEmail, &'static str> {
        Ok(OutboxEmail {
            id: EmailId::from_uuid(self.id),
            kind: EmailKind::from_name(&self.kind).ok_or("kind")?,
            recipient: EmailAddress::parse(&self.recipient).map_err(|_| "recipient")?,
            user_id: self.user_id.map(UserId::from_uuid),
            signup_id: self.signup_id.map(SignupId::from_uuid),
            link_id: self.link_id.map(LinkId::from_uuid),
            created_at: Timestamp::from_micros(self.created_at),
            ip: self.ip,
            slot: self.slot,
            scheduled_at: Timestamp::from_micros(self.scheduled_at),
            next_attempt_at: Timestamp::from_micros(self.next_attempt_at),
            attempts: self.attempts,
            state: EmailState::from_name(&self.state).ok_or("state")?,
            finished_at: self.finished_at.map(Timestamp::from_micros),
            failure: self.failure,
        })
    }
}
