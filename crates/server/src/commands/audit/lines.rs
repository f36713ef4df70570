//! The lines of an exported audit trail: retention boundary, entries, latest checkpoint.

use gateward_app::domain::audit::{ChainPosition, Checkpoint, Digest, Entry, SignedCheckpoint};
use gateward_app::domain::{Actor, EndReason, Event, EventKind, EventSalt, Timestamp};
use serde_json::{Value, json};

use super::super::table::escaped;

/// The highest sequence number that is accepted: JSON parsers keep integers up to it exactly.
const SEQ_MAX: i64 = 1 << 53;

/// A line.
#[derive(Debug, PartialEq)]
pub(super) enum Line {
    /// The first: where the kept part of the chain starts.
    RetentionBoundary(SignedCheckpoint),
    Entry(Box<Entry>),
    /// The last: the latest checkpoint.
    Latest(SignedCheckpoint),
}

impl Line {
    /// The line as it is written.
    pub(super) fn to_text(&self) -> String {
        escaped(&self.to_json().to_string())
    }

    /// Reads a line. One with more or fewer fields than [`Line::to_text`] writes is refused: fields
    /// outside the digest must not look authentic.
    pub(super) fn read(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let line = if value.get("retention_boundary").is_some() {
            Self::RetentionBoundary(read_signed(&value, "retention_boundary")?)
        } else if value.get("checkpoint").is_some() {
            Self::Latest(read_signed(&value, "checkpoint")?)
        } else {
            Self::Entry(Box::new(read_entry(&value)?))
        };
        (line.to_json() == value).then_some(line)
    }

    fn to_json(&self) -> Value {
        match self {
            Self::RetentionBoundary(SignedCheckpoint { checkpoint, signature }) => {
                json!({ "retention_boundary": checkpoint_json(checkpoint), "signature": signature })
            }
            Self::Entry(entry) => entry_json(entry),
            Self::Latest(SignedCheckpoint { checkpoint, signature }) => {
                json!({ "checkpoint": checkpoint_json(checkpoint), "signature": signature })
            }
        }
    }
}

/// The line for an entry of the database that cannot be read.
pub(super) fn unreadable() -> String {
    json!({ "unreadable": true }).to_string()
}

/// A checkpoint as JSON.
pub(super) fn checkpoint_json(checkpoint: &Checkpoint) -> Value {
    json!({ "seq": checkpoint.seq, "digest": checkpoint.digest.to_string(), "at": exact(checkpoint.at) })
}

fn entry_json(entry: &Entry) -> Value {
    let (event, position) = (&entry.event, entry.position.as_ref());
    let (actor, actor_id) = match event.actor {
        Actor::User(id) => ("user", Some(id.to_string())),
        Actor::Operator => ("operator", None),
        Actor::Service => ("service", None),
    };
    json!({
        "id": event.id.to_string(),
        "at": exact(event.at),
        "event": event.kind.as_str(),
        "reason": event.kind.reason().map(EndReason::as_str),
        "actor": actor,
        "actor_id": actor_id,
        "actor_session_id": event.actor_session_id.map(|id| id.to_string()),
        "user_id": event.user_id.map(|id| id.to_string()),
        "session_id": event.session_id.map(|id| id.to_string()),
        "detail": event.detail,
        "ip": event.ip.map(|ip| ip.to_string()),
        "salt": event.salt.map(|EventSalt(salt)| format!("{:032x}", u128::from_be_bytes(salt))),
        "commitment": entry.commitment.to_string(),
        "seq": position.map(|position| position.seq),
        "digest": position.map(|position| position.digest.to_string()),
        "signature": position.and_then(|position| position.signature.as_deref()),
    })
}

/// A time in microseconds, as in the digests.
fn exact(time: Timestamp) -> String {
    let time = jiff::Timestamp::from_microsecond(time.micros()).unwrap_or_default();
    format!("{time:.6}")
}

fn read_signed(value: &Value, name: &str) -> Option<SignedCheckpoint> {
    let checkpoint = value.get(name)?;
    let checkpoint = Checkpoint {
        seq: seq(checkpoint)?,
        digest: digest(checkpoint, "digest")?,
        at: time(checkpoint)?,
    };
    Some(SignedCheckpoint { checkpoint, signature: text(value, "signature")?.to_owned() })
}

fn read_entry(value: &Value) -> Option<Entry> {
    let actor = match text(value, "actor")? {
        "user" => Actor::User(text(value, "actor_id")?.parse().ok()?),
        "operator" => Actor::Operator,
        "service" => Actor::Service,
        _ => return None,
    };
    let reason = text(value, "reason").and_then(EndReason::from_code);
    let salt = text(value, "salt").and_then(|salt| u128::from_str_radix(salt, 16).ok());
    let event = Event {
        id: parsed(value, "id")?,
        at: time(value)?,
        kind: EventKind::from_parts(text(value, "event")?, reason)?,
        actor,
        actor_session_id: parsed(value, "actor_session_id"),
        user_id: parsed(value, "user_id"),
        session_id: parsed(value, "session_id"),
        detail: text(value, "detail").map(str::to_owned),
        ip: parsed(value, "ip"),
        salt: salt.map(|salt| EventSalt(salt.to_be_bytes())),
    };
    let signature = text(value, "signature").map(str::to_owned);
    let position = ChainPosition { seq: seq(value)?, digest: digest(value, "digest")?, signature };
    Some(Entry { event, commitment: digest(value, "commitment")?, position: Some(position) })
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str()
}

/// Missing and invalid fields are left out; [`Line::read`] tells them apart.
fn parsed<T: std::str::FromStr>(value: &Value, name: &str) -> Option<T> {
    text(value, name)?.parse().ok()
}

fn digest(value: &Value, name: &str) -> Option<Digest> {
    Digest::from_hex(text(value, name)?)
}

fn seq(value: &Value) -> Option<i64> {
    value.get("seq")?.as_i64().filter(|seq| (0..=SEQ_MAX).contains(seq))
}

fn time(value: &Value) -> Option<Timestamp> {
    let time: jiff::Timestamp = parsed(value, "at")?;
    Some(Timestamp::from_micros(time.as_microsecond()))
}
