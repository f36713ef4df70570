//! The rows of `letters`.

use diesel::prelude::{Insertable, Queryable};
use gateward_domain::mail::{LetterKind, LetterState, QueuedLetter};
use gateward_domain::ports::StoreError;
use gateward_domain::{LetterId, LinkId, SignupId, UserId};

use super::super::columns::{Id, Time};
use super::super::schema::letters;
use super::{address, corrupt, count, email};

/// A row of `letters`.
#[derive(Queryable, Insertable)]
#[diesel(table_name = letters)]
pub struct LetterRow {
    /// Which letter.
    pub id: Id,
    kind: String,
    recipient: String,
    user_id: Option<Id>,
    signup_id: Option<Id>,
    link_id: Option<Id>,
    caused_at: Time,
    ip: Option<String>,
    slot: Option<String>,
    planned_at: Time,
    due_at: Time,
    /// When it was due before it was last taken.
    pub was_due_at: Option<Time>,
    attempts: i64,
    state: String,
    finished_at: Option<Time>,
    failure: Option<String>,
}

impl From<&QueuedLetter> for LetterRow {
    fn from(letter: &QueuedLetter) -> Self {
        Self {
            id: Id(letter.id.uuid()),
            kind: letter.kind.as_str().to_owned(),
            recipient: letter.recipient.as_str().to_owned(),
            user_id: letter.user_id.map(|id| Id(id.uuid())),
            signup_id: letter.signup_id.map(|id| Id(id.uuid())),
            link_id: letter.link_id.map(|id| Id(id.uuid())),
            caused_at: Time(letter.caused_at),
            ip: letter.ip.map(|ip| ip.to_string()),
            slot: letter.slot.clone(),
            planned_at: Time(letter.planned_at),
            due_at: Time(letter.due_at),
            was_due_at: None,
            attempts: i64::from(letter.attempts),
            state: letter.state.as_str().to_owned(),
            finished_at: letter.finished_at.map(Time),
            failure: letter.failure.clone(),
        }
    }
}

impl TryFrom<LetterRow> for QueuedLetter {
    type Error = StoreError;

    fn try_from(row: LetterRow) -> Result<Self, StoreError> {
        let kind = LetterKind::from_name(&row.kind);
        let state = LetterState::from_name(&row.state);
        Ok(Self {
            id: LetterId::from_uuid(row.id.0),
            kind: kind.ok_or_else(|| corrupt("letters", "kind"))?,
            recipient: email(&row.recipient, "letters", "recipient")?,
            user_id: row.user_id.map(|id| UserId::from_uuid(id.0)),
            signup_id: row.signup_id.map(|id| SignupId::from_uuid(id.0)),
            link_id: row.link_id.map(|id| LinkId::from_uuid(id.0)),
            caused_at: row.caused_at.0,
            ip: address(row.ip.as_deref(), "letters")?,
            slot: row.slot,
            planned_at: row.planned_at.0,
            due_at: row.due_at.0,
            attempts: count(row.attempts, "letters", "attempts")?,
            state: state.ok_or_else(|| corrupt("letters", "state"))?,
            finished_at: row.finished_at.map(|at| at.0),
            failure: row.failure,
        })
    }
}
