//! The row of an event.

use std::net::IpAddr;

use gateward_domain::{Actor, EndReason, Event, EventId, EventKind, SessionId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Row;

/// The row of an event.
#[derive(Serialize, Deserialize)]
pub struct EventRow {
    id: Uuid,
    at: i64,
    kind: String,
    reason: Option<String>,
    actor: ActorColumn,
    user_id: Option<Uuid>,
    session_id: Option<Uuid>,
    ip: Option<IpAddr>,
}

/// Who caused it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ActorColumn {
    User(Uuid),
    Operator,
    Service,
}

impl Row for EventRow {
    type Noun = Event;
    type Key = u128;
    const TABLE: &'static str = "events";

    fn of(event: &Event) -> Self {
        Self {
            id: event.id.uuid(),
            at: event.at.micros(),
            kind: event.kind.as_str().to_owned(),
            reason: event.kind.reason().map(|reason| reason.as_str().to_owned()),
            actor: match event.actor {
                Actor::User(id) => ActorColumn::User(id.uuid()),
                Actor::Operator => ActorColumn::Operator,
                Actor::Service => ActorColumn::Service,
            },
            user_id: event.user_id.map(UserId::uuid),
            session_id: event.session_id.map(SessionId::uuid),
            ip: event.ip,
        }
    }

    fn into_noun(self) -> Result<Event, &'static str> {
        Ok(Event {
            id: EventId::from_uuid(self.id),
            at: Timestamp::from_micros(self.at),
            kind: kind(&self.kind, self.reason.as_deref())?,
            actor: match self.actor {
                ActorColumn::User(id) => Actor::User(UserId::from_uuid(id)),
                ActorColumn::Operator => Actor::Operator,
                ActorColumn::Service => Actor::Service,
            },
            user_id: self.user_id.map(UserId::from_uuid),
            session_id: self.session_id.map(SessionId::from_uuid),
            ip: self.ip,
        })
    }
}

/// Reads a kind as [`EventKind::as_str`] and [`EventKind::reason`] wrote it.
fn kind(name: &str, reason: Option<&str>) -> Result<EventKind, &'static str> {
    let reason = match reason.map(EndReason::from_code) {
        Some(None) => return Err("reason"),
        known => known.flatten(),
    };
    EventKind::from_parts(name, reason).ok_or("kind")
}
