//! The audit trail: events in one chain, so that none can be changed or taken out unnoticed.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::{Actor, Event, Timestamp};

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Where the chain begins.
    pub const START: Self = Self([0; 32]);

    /// Reads 64 hexadecimal digits.
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

/// A place in the chain, and everything before it in one digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Checkpoint {
    /// The number of the last entry; the first entry has the number 1.
    pub seq: i64,
    /// The digest of the chain up to there.
    pub digest: Digest,
    /// When it was signed.
    pub at: Timestamp,
}

impl Checkpoint {
    /// Before the first entry.
    pub const START: Self = Self { seq: 0, digest: Digest::START, at: Timestamp::from_seconds(0) };
}

/// What a signature on a head says. A signature that says one thing does not say the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CheckpointKind {
    /// The chain has come this far.
    Latest,
    /// Everything up to here was deleted because it was kept long enough.
    RetentionBoundary,
}

/// A head and the signature on it; nothing is signed at the start of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// The head.
    pub checkpoint: Checkpoint,
    /// The signature; empty for [`Checkpoint::START`].
    pub signature: String,
}

impl SignedCheckpoint {
    /// Before the first entry.
    #[must_use]
    pub const fn start() -> Self {
        Self { checkpoint: Checkpoint::START, signature: String::new() }
    }
}

/// The two ends of the chain as the store keeps them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Where what is left of it begins.
    pub retention_boundary: SignedCheckpoint,
    /// How far it has come.
    pub latest: SignedCheckpoint,
}

impl Chain {
    /// A chain without entries.
    #[must_use]
    pub const fn start() -> Self {
        Self { retention_boundary: SignedCheckpoint::start(), latest: SignedCheckpoint::start() }
    }
}

/// The place of an event in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainPosition {
    /// Its number.
    pub seq: i64,
    /// The digest of the chain up to it.
    pub digest: Digest,
    /// The signature on that head, where one was made.
    pub signature: Option<String>,
}

/// An event as the audit trail has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What happened.
    pub event: Event,
    /// What binds it to its personal part, which may be erased.
    pub commitment: Digest,
    /// Its place in the chain, once it has one.
    pub position: Option<ChainPosition>,
}

/// The digest of the chain up to an event, from the digest up to the one before.
///
/// Every part is preceded by its length, so that no two events give the same bytes.
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

/// Some of the events, so that a page of them costs no more than its rows. All are in the order of
/// their identifiers, which is that of time, the newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventRange {
    /// All.
    All,
    /// Those about an account.
    About(crate::UserId),
    /// Those that an account has caused.
    CausedBy(crate::UserId),
    /// Those of one name ([`EventKind::as_str`](crate::EventKind::as_str)).
    Named(&'static str),
}

impl EventRange {
    /// Whether an event is one of them.
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

    /// Whatever is changed, the digest is another one.
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
