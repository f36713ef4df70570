//! The row of a letter in the outbox.

use std::net::IpAddr;

use gateward_domain::mail::{LetterKind, LetterState, QueuedLetter};
use gateward_domain::{Email, LetterId, LinkId, SignupId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Row;

/// The row of a letter.
#[derive(Serialize, Deserialize)]
pub struct LetterRow {
    id: Uuid,
    kind: String,
    recipient: String,
    user_id: Option<Uuid>,
    signup_id: Option<Uuid>,
    link_id: Option<Uuid>,
    caused_at: i64,
    ip: Option<IpAddr>,
    slot: Option<String>,
    planned_at: i64,
    due_at: i64,
    attempts: u32,
    state: String,
    finished_at: Option<i64>,
    failure: Option<String>,
}

impl Row for LetterRow {
    type Noun = QueuedLetter;
    type Key = u128;
    const TABLE: &'static str = "letters";

    fn of(letter: &QueuedLetter) -> Self {
        Self {
            id: letter.id.uuid(),
            kind: letter.kind.as_str().to_owned(),
            recipient: letter.recipient.as_str().to_owned(),
            user_id: letter.user_id.map(UserId::uuid),
            signup_id: letter.signup_id.map(SignupId::uuid),
            link_id: letter.link_id.map(LinkId::uuid),
            caused_at: letter.caused_at.micros(),
            ip: letter.ip,
            slot: letter.slot.clone(),
            planned_at: letter.planned_at.micros(),
            due_at: letter.due_at.micros(),
            attempts: letter.attempts,
            state: letter.state.as_str().to_owned(),
            finished_at: letter.finished_at.map(Timestamp::micros),
            failure: letter.failure.clone(),
        }
    }

    fn into_noun(self) -> Result<QueuedLetter, &'static str> {
        Ok(QueuedLetter {
            id: LetterId::from_uuid(self.id),
            kind: LetterKind::from_name(&self.kind).ok_or("kind")?,
            recipient: Email::parse(&self.recipient).map_err(|_| "recipient")?,
            user_id: self.user_id.map(UserId::from_uuid),
            signup_id: self.signup_id.map(SignupId::from_uuid),
            link_id: self.link_id.map(LinkId::from_uuid),
            caused_at: Timestamp::from_micros(self.caused_at),
            ip: self.ip,
            slot: self.slot,
            planned_at: Timestamp::from_micros(self.planned_at),
            due_at: Timestamp::from_micros(self.due_at),
            attempts: self.attempts,
            state: LetterState::from_name(&self.state).ok_or("state")?,
            finished_at: self.finished_at.map(Timestamp::from_micros),
            failure: self.failure,
        })
    }
}
