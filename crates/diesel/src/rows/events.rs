//! The rows of `events`.

use diesel::prelude::{Insertable, Queryable};
use gateward_domain::ports::StoreError;
use gateward_domain::{Actor, EndReason, Event, EventId, EventKind, SessionId, UserId};

use super::super::columns::{Id, Time};
use super::super::schema::events;
use super::{address, corrupt};

/// A row of `events`.
#[derive(Queryable, Insertable)]
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
            user_id: row.user_id.map(|id| UserId::from_uuid(id.0)),
            session_id: row.session_id.map(|id| SessionId::from_uuid(id.0)),
            ip: address(row.ip.as_deref(), "events")?,
        })
    }
}

/// Reads the name of an event and its reason.
fn event_kind(name: &str, reason: Option<&str>) -> Result<EventKind, StoreError> {
    let reason = match reason.map(EndReason::from_code) {
        Some(None) => return Err(corrupt("events", "reason")),
        known => known.flatten(),
    };
    EventKind::from_parts(name, reason).ok_or_else(|| corrupt("events", "kind"))
}
