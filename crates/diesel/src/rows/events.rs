//! The rows of `events`.

use diesel::prelude::{Insertable, Queryable, Selectable};
use gateward_domain::audit::{ChainPosition, Digest, Entry};
use gateward_domain::ports::StoreError;
use gateward_domain::{Actor, EndReason, Event, EventId, EventKind, EventSalt, SessionId, UserId};

use super::super::columns::{Id, Time};
use super::super::schema::events;
use super::{address, bytes_32, corrupt};

/// A row of `events`, without its position in the chain, which it receives later.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = events)]
pub struct EventRow {
    id: Id,
    happened_at: Time,
    kind: String,
    reason: Option<String>,
    actor: String,
    actor_id: Option<Id>,
    user_id: Option<Id>,
    session_id: Option<Id>,
    ip: Option<String>,
    actor_session_id: Option<Id>,
    detail: Option<String>,
    salt: Option<Vec<u8>>,
    commitment: Option<Vec<u8>>,
}

impl From<&Event> for EventRow {
    fn from(event: &Event) -> Self {
        let (actor, actor_id) = match event.actor {
            Actor::User(id) => ("user", Some(Id(id.uuid()))),
            Actor::Operator => ("operator", None),
            Actor::Service => ("service", None),
        };
        Self {
            id: Id(event.id.uuid()),
            happened_at: Time(event.at),
            kind: event.kind.as_str().to_owned(),
            reason: event.kind.reason().map(|reason| reason.as_str().to_owned()),
            actor: actor.to_owned(),
            actor_id,
            user_id: event.user_id.map(|id| Id(id.uuid())),
            session_id: event.session_id.map(|id| Id(id.uuid())),
            ip: event.ip.map(|ip| ip.to_string()),
            actor_session_id: event.actor_session_id.map(|id| Id(id.uuid())),
            detail: event.detail.clone(),
            salt: event.salt.map(|salt| salt.0.to_vec()),
            commitment: event.commitment().map(|commitment| commitment.0.to_vec()),
        }
    }
}

impl TryFrom<EventRow> for Event {
    type Error = StoreError;

    fn try_from(row: EventRow) -> Result<Self, StoreError> {
        let actor = match (row.actor.as_str(), row.actor_id) {
            ("user", Some(id)) => Actor::User(UserId::from_uuid(id.0)),
            ("operator", None) => Actor::Operator,
            ("service", None) => Actor::Service,
            _ => return Err(corrupt("events", "actor")),
        };
        Ok(Self {
            id: EventId::from_uuid(row.id.0),
            at: row.happened_at.0,
            kind: event_kind(&row.kind, row.reason.as_deref())?,
            actor,
            actor_session_id: row.actor_session_id.map(|id| SessionId::from_uuid(id.0)),
            user_id: row.user_id.map(|id| UserId::from_uuid(id.0)),
            session_id: row.session_id.map(|id| SessionId::from_uuid(id.0)),
            detail: row.detail,
            ip: address(row.ip.as_deref(), "events")?,
            salt: row.salt.map(event_salt).transpose()?,
        })
    }
}

impl EventRow {
    /// Returns the identifier, even if the rest cannot be parsed.
    pub const fn id(&self) -> Id {
        self.id
    }
}

/// The columns of an event's position in the chain.
#[derive(Queryable, Selectable)]
#[diesel(table_name = events)]
pub struct ChainPositionRow {
    seq: Option<i64>,
    digest: Option<Vec<u8>>,
    signature: Option<String>,
}

impl ChainPositionRow {
    /// Returns the position, if the event has one.
    fn position(self) -> Result<Option<ChainPosition>, StoreError> {
        match (self.seq, self.digest) {
            (None, None) => Ok(None),
            (Some(seq), Some(digest)) => {
                let digest = Digest(bytes_32(&digest, "events", "digest")?);
                Ok(Some(ChainPosition { seq, digest, signature: self.signature }))
            }
            _ => Err(corrupt("events", "digest")),
        }
    }
}

/// Converts a row and its position to an entry.
pub fn entry((row, position): (EventRow, ChainPositionRow)) -> Result<Entry, StoreError> {
    // Earlier versions wrote none.
    let commitment = row
        .commitment
        .as_deref()
        .map_or(Ok(Digest::START), |bytes| bytes_32(bytes, "events", "commitment").map(Digest))?;
    Ok(Entry { event: row.try_into()?, commitment, position: position.position()? })
}

/// Parses the salt of an event.
fn event_salt(bytes: Vec<u8>) -> Result<EventSalt, StoreError> {
    bytes.try_into().map(EventSalt).map_err(|_| corrupt("events", "salt"))
}

/// Parses the name of an event and its reason.
fn event_kind(name: &str, reason: Option<&str>) -> Result<EventKind, StoreError> {
    let reason = match reason.map(EndReason::from_code) {
        Some(None) => return Err(corrupt("events", "reason")),
        known => known.flatten(),
    };
    EventKind::from_parts(name, reason).ok_or_else(|| corrupt("events", "kind"))
}
