//! The row of an event, with its position in the chain.

use std::net::IpAddr;

use gateward_domain::audit::{ChainPosition, Digest, Entry};
use gateward_domain::{
    Actor, EndReason, Event, EventId, EventKind, EventSalt, SessionId, Timestamp, UserId,
};
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
    actor_session_id: Option<Uuid>,
    user_id: Option<Uuid>,
    session_id: Option<Uuid>,
    detail: Option<String>,
    ip: Option<IpAddr>,
    salt: Option<[u8; 16]>,
    commitment: String,
    position: Option<ChainPositionColumns>,
}

/// The event's position in the chain.
#[derive(Serialize, Deserialize)]
struct ChainPositionColumns {
    seq: i64,
    digest: String,
    signature: Option<String>,
}

/// The actor that caused the event.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ActorColumn {
    User(Uuid),
    Operator,
    Service,
}

impl Row for EventRow {
    type Noun = Entry;
    type Key = u128;
    const TABLE: &'static str = "events";

    fn of(Entry { event, commitment, position }: &Entry) -> Self {
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
            actor_session_id: event.actor_session_id.map(SessionId::uuid),
            user_id: event.user_id.map(UserId::uuid),
            session_id: event.session_id.map(SessionId::uuid),
            detail: event.detail.clone(),
            ip: event.ip,
            salt: event.salt.map(|salt| salt.0),
            commitment: commitment.to_string(),
            position: position.as_ref().map(ChainPositionColumns::of),
        }
    }

    fn into_noun(self) -> Result<Entry, &'static str> {
        let commitment = Digest::from_hex(&self.commitment).ok_or("commitment")?;
        let position = self.position.map(ChainPositionColumns::into_position).transpose()?;
        let event = Event {
            id: EventId::from_uuid(self.id),
            at: Timestamp::from_micros(self.at),
            kind: kind(&self.kind, self.reason.as_deref())?,
            actor: match self.actor {
                ActorColumn::User(id) => Actor::User(UserId::from_uuid(id)),
                ActorColumn::Operator => Actor::Operator,
                ActorColumn::Service => Actor::Service,
            },
            actor_session_id: self.actor_session_id.map(SessionId::from_uuid),
            user_id: self.user_id.map(UserId::from_uuid),
            session_id: self.session_id.map(SessionId::from_uuid),
            detail: self.detail,
            ip: self.ip,
            salt: self.salt.map(EventSalt),
        };
        Ok(Entry { event, commitment, position })
    }
}

impl ChainPositionColumns {
    fn of(position: &ChainPosition) -> Self {
        let (digest, signature) = (position.digest.to_string(), position.signature.clone());
        Self { seq: position.seq, digest, signature }
    }

    fn into_position(self) -> Result<ChainPosition, &'static str> {
        let digest = Digest::from_hex(&self.digest).ok_or("digest")?;
        Ok(ChainPosition { seq: self.seq, digest, signature: self.signature })
    }
}

/// Parses a kind as written by [`EventKind::as_str`] and [`EventKind::reason`].
fn kind(name: &str, reason: Option<&str>) -> Result<EventKind, &'static str> {
    let reason = match reason.map(EndReason::from_code) {
        Some(None) => return Err("reason"),
        known => known.flatten(),
    };
    EventKind::from_parts(name, reason).ok_or("kind")
}
