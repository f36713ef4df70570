//! The rows of `outbox_emails`.

use diesel::prelude::{Insertable, Queryable};
use gateward_domain::email::{EmailKind, EmailState, OutboxEmail};
use gateward_domain::ports::StoreError;
use gateward_domain::{EmailId, LinkId, SignupId, UserId};

use super::super::columns::{Id, Time};
use super::super::schema::outbox_emails;
use super::{address, corrupt, count, email};

/// A row of `outbox_emails`.
#[derive(Queryable, Insertable)]
#[diesel(table_name = outbox_emails)]
pub struct OutboxEmailRow {
    /// The email's identifier.
    pub id: Id,
    kind: String,
    recipient: String,
    user_id: Option<Id>,
    signup_id: Option<Id>,
    link_id: Option<Id>,
    created_at: Time,
    ip: Option<String>,
    slot: Option<String>,
    scheduled_at: Time,
    next_attempt_at: Time,
    /// When the email was due before it was last leased.
    pub previous_attempt_due_at: Option<Time>,
    attempts: i64,
    state: String,
    finished_at: Option<Time>,
    failure: Option<String>,
}

impl From<&OutboxEmail> for OutboxEmailRow {
    fn from(message: &OutboxEmail) -> Self {
        Self {
            id: Id(message.id.uuid()),
            kind: message.kind.as_str().to_owned(),
            recipient: message.recipient.as_str().to_owned(),
            user_id: message.user_id.map(|id| Id(id.uuid())),
            signup_id: message.signup_id.map(|id| Id(id.uuid())),
            link_id: message.link_id.map(|id| Id(id.uuid())),
            created_at: Time(message.created_at),
            ip: message.ip.map(|ip| ip.to_string()),
            slot: message.slot.clone(),
            scheduled_at: Time(message.scheduled_at),
            next_attempt_at: Time(message.next_attempt_at),
            previous_attempt_due_at: None,
            attempts: i64::from(message.attempts),
            state: message.state.as_str().to_owned(),
            finished_at: message.finished_at.map(Time),
            failure: message.failure.clone(),
        }
    }
}

impl TryFrom<OutboxEmailRow> for OutboxEmail {
    type Error = StoreError;

    fn try_from(row: OutboxEmailRow) -> Result<Self, StoreError> {
        let kind = EmailKind::from_name(&row.kind);
        let state = EmailState::from_name(&row.state);
        Ok(Self {
            id: EmailId::from_uuid(row.id.0),
            kind: kind.ok_or_else(|| corrupt("outbox_emails", "kind"))?,
            recipient: email(&row.recipient, "outbox_emails", "recipient")?,
            user_id: row.user_id.map(|id| UserId::from_uuid(id.0)),
            signup_id: row.signup_id.map(|id| SignupId::from_uuid(id.0)),
            link_id: row.link_id.map(|id| LinkId::from_uuid(id.0)),
            created_at: row.created_at.0,
            ip: address(row.ip.as_deref(), "outbox_emails")?,
            slot: row.slot,
            scheduled_at: row.scheduled_at.0,
            next_attempt_at: row.next_attempt_at.0,
            attempts: count(row.attempts, "outbox_emails", "attempts")?,
            state: state.ok_or_else(|| corrupt("outbox_emails", "state"))?,
            finished_at: row.finished_at.map(|at| at.0),
            failure: row.failure,
        })
    }
}
