//! The audit trail: events in one hash chain, so that changing or deleting one is detected.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::{Actor, Event, Timestamp};

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest before the first entry: 32 zero bytes.
    pub const START: Self = Self([0; 32]);

    /// Parses 64 hexadecimal digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Digest({self})")
    }
}

/// A position in the chain, and the digest that covers everything before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Checkpoint {
    /// Sequence number of the last entry. The first entry has number 1.
    pub seq: i64,
    /// Digest of the chain up to and including that entry.
    pub digest: Digest,
    /// Time of the signature, UTC.
    pub at: Timestamp,
}

impl Checkpoint {
    /// The checkpoint before the first entry.
    pub const START: Self = Self { seq: 0, digest: Digest::START, at: Timestamp::from_seconds(0) };
}

/// What the signature on a checkpoint certifies. A signature for one kind is not valid for the
/// other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CheckpointKind {
    /// The chain reaches at least this position.
    Latest,
    /// Every entry up to this position was deleted because its retention period had passed.
    RetentionBoundary,
}

/// A checkpoint and its signature. The start of a chain is not signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// The signed position.
    pub checkpoint: Checkpoint,
    /// The signature. Empty for [`Checkpoint::START`].
    pub signature: String,
}

impl SignedCheckpoint {
    /// The checkpoint before the first entry.
    #[must_use]
    pub const fn start() -> Self {
        Self { checkpoint: Checkpoint::START, signature: String::new() }
    }
}

/// Both ends of the chain, as the store keeps them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Start of the entries that are still stored.
    pub retention_boundary: SignedCheckpoint,
    /// End of the chain.
    pub latest: SignedCheckpoint,
}

impl Chain {
    /// An empty chain.
    #[must_use]
    pub const fn start() -> Self {
        Self { retention_boundary: SignedCheckpoint::start(), latest: SignedCheckpoint::start() }
    }
}

/// The position of an event in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainPosition {
    /// Sequence number, from 1.
    pub seq: i64,
    /// Digest of the chain up to and including the event.
    pub digest: Digest,
    /// Signature on the checkpoint at this position, if one was made.
    pub signature: Option<String>,
}

/// An event as the audit trail stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The event.
    pub event: Event,
    /// Commitment to the personal part of the event, which may be erased later.
    pub commitment: Digest,
    /// Position in the chain. `None` until the event is appended.
    pub position: Option<ChainPosition>,
}

/// Returns the digest of the chain up to an event, computed from the digest before it.
///
/// Each part is preceded by its length, so that two different events never produce the same bytes.
#[must_use]
pub fn next_digest(before: &Digest, seq: i64, event: &Event, commitment: &Digest) -> Digest {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    let (actor, actor_id) = match event.actor {
        Actor::User(id) => ("user", Some(id.uuid())),
        Actor::Operator => ("operator", None),
        Actor::Service => ("service", None),
    };
    let ids = [
        actor_id,
        event.actor_session_id.map(crate::SessionId::uuid),
        event.user_id.map(crate::UserId::uuid),
        event.session_id.map(crate::SessionId::uuid),
    ];
    part(b"gateward audit 1");
    part(&before.0);
    part(&seq.to_be_bytes());
    part(event.id.uuid().as_bytes());
    part(&event.at.micros().to_be_bytes());
    part(event.kind.as_str().as_bytes());
    part(event.kind.reason().map_or("", |reason| reason.as_str()).as_bytes());
    part(actor.as_bytes());
    for id in &ids {
        part(id.as_ref().map_or(&[], |id| id.as_bytes()));
    }
    part(event.detail.as_deref().unwrap_or_default().as_bytes());
    part(&commitment.0);
    Digest(hash.finalize().into())
}

/// A selection of events. One page costs no more than the rows it returns. Events are ordered by
/// identifier, which is the order of time, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventRange {
    /// All events.
    All,
    /// Events about an account.
    About(crate::UserId),
    /// Events that an account caused.
    CausedBy(crate::UserId),
    /// Events of one kind ([`EventKind::as_str`](crate::EventKind::as_str)).
    Named(&'static str),
}

impl EventRange {
    /// Returns whether the range contains the event.
    #[must_use]
    pub fn contains(&self, event: &Event) -> bool {
        match self {
            Self::All => true,
            Self::About(id) => event.user_id == Some(*id),
            Self::CausedBy(id) => event.actor == Actor::User(*id),
            Self::Named(name) => event.kind.as_str() == *name,
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{EventId, EventKind, EventSalt, SessionId, UserId};

    fn event() -> Event {
        Event {
            id: EventId::from_uuid(Uuid::from_u128(1)),
            at: Timestamp::from_seconds(1),
            kind: EventKind::RolesChanged,
            actor: Actor::Operator,
            actor_session_id: None,
            user_id: None,
            session_id: None,
            detail: None,
            ip: None,
            salt: Some(EventSalt([7; 16])),
        }
    }

    fn digest(event: &Event) -> Digest {
        next_digest(&Digest::START, 1, event, &event.commitment().unwrap())
    }

    /// A change of any part changes the digest.
    #[test]
    fn every_part_of_an_event_counts() {
        let uuid = Uuid::from_u128(9);
        let changed = [
            Event { id: EventId::from_uuid(uuid), ..event() },
            Event { at: Timestamp::from_seconds(2), ..event() },
            Event { kind: EventKind::RoleDefined, ..event() },
            Event { actor: Actor::Service, ..event() },
            Event { actor: Actor::User(UserId::from_uuid(uuid)), ..event() },
            Event { actor_session_id: Some(SessionId::from_uuid(uuid)), ..event() },
            Event { user_id: Some(UserId::from_uuid(uuid)), ..event() },
            Event { session_id: Some(SessionId::from_uuid(uuid)), ..event() },
            Event { detail: Some("admin".to_owned()), ..event() },
            Event { ip: Some([192, 0, 2, 1].into()), ..event() },
        ];
        let mut digests: Vec<_> = changed.iter().map(digest).collect();
        digests.push(digest(&event()));
        let commitment = event().commitment().unwrap();
        digests.push(next_digest(&Digest::START, 2, &event(), &commitment));
        digests.push(next_digest(&Digest([1; 32]), 1, &event(), &commitment));
        let distinct: std::collections::HashSet<_> = digests.iter().collect();
        assert_eq!(distinct.len(), digests.len());
    }

    #[test]
    fn an_erased_event_gives_the_same_digest() {
        let before = Event { ip: Some([192, 0, 2, 1].into()), ..event() };
        let commitment = before.commitment().unwrap();
        let erased = Event { ip: None, salt: None, ..before.clone() };
        let digest = next_digest(&Digest::START, 1, &erased, &commitment);
        assert_eq!(digest, next_digest(&Digest::START, 1, &before, &commitment));
    }

    #[test]
    fn digests_are_read_back_from_their_text() {
        let digest = digest(&event());
        assert_eq!(Digest::from_hex(&digest.to_string()), Some(digest));
        for bad in ["", "00", &"g".repeat(64), &"0".repeat(65), &"é".repeat(32)] {
            assert_eq!(Digest::from_hex(bad), None, "{bad:?}");
        }
    }
}
