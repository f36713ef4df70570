//! The feed: what every node, and whoever checks tokens elsewhere, must learn within a second.
//!
//! An item is written in the transaction of the change that it tells of, and matters until the last
//! token that it is about has expired. Learning an item twice is as good as once, so a reader that
//! is in doubt reads again.

use crate::key::KeyId;
use crate::{EndReason, SessionId, Timestamp, UserId};

/// What has happened.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum InvalidationEvent {
    /// A session is over: its tokens are dead.
    SessionEnded {
        /// Which session.
        id: SessionId,
        /// Why.
        reason: EndReason,
    },
    /// Tokens of a user that were made before this time are dead.
    UserTokensRevoked {
        /// Which user.
        id: UserId,
        /// Before when.
        before: Timestamp,
        /// Why.
        reason: EndReason,
    },
    /// Every session that began before this time is over.
    AllTokensRevoked {
        /// Before when.
        before: Timestamp,
        /// Why.
        reason: EndReason,
    },
    /// What a key signed is not believed any more.
    KeyRevoked {
        /// Which key.
        id: KeyId,
    },
    /// An account is not what it was: name, address, roles, state or password.
    UserChanged {
        /// Which user.
        id: UserId,
    },
    /// The keys are not what they were: one was made, retired or sealed anew.
    KeysChanged,
    /// A role gives something else than it did: any account may be allowed other things.
    RolesChanged,
    /// Something that this version does not know, or that cannot be read.
    Unknown,
}

impl InvalidationEvent {
    /// The kind's name in the store.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::SessionEnded { .. } => "session",
            Self::UserTokensRevoked { .. } => "user",
            Self::AllTokensRevoked { .. } => "all",
            Self::KeyRevoked { .. } => "key",
            Self::UserChanged { .. } => "user_changed",
            Self::KeysChanged => "keys_changed",
            Self::RolesChanged => "roles_changed",
            Self::Unknown => "unknown",
        }
    }

    /// Reads invalidation events from the columns of a store, where a newer version may have
    /// written them, too. An end whose reason is unknown is an end all the same; what cannot be
    /// read at all is [`InvalidationEvent::Unknown`], and keeps nobody from what comes after it.
    #[must_use]
    pub fn read(
        kind: &str,
        subject: Option<&str>,
        before: Option<Timestamp>,
        reason: Option<&str>,
    ) -> Self {
        let known = |code| EndReason::from_code(code).unwrap_or(EndReason::EndedByAdmin);
        Self::from_parts(kind, subject, before, reason.map(known)).unwrap_or(Self::Unknown)
    }

    /// Whether the keys are to be read again.
    #[must_use]
    pub const fn is_about_keys(&self) -> bool {
        matches!(self, Self::KeysChanged | Self::KeyRevoked { .. })
    }

    /// Puts invalidation events together from the columns of a store; `None` if they are none.
    fn from_parts(
        kind: &str,
        subject: Option<&str>,
        before: Option<Timestamp>,
        reason: Option<EndReason>,
    ) -> Option<Self> {
        Some(match kind {
            "session" => Self::SessionEnded { id: subject?.parse().ok()?, reason: reason? },
            "user" => Self::UserTokensRevoked {
                id: subject?.parse().ok()?,
                before: before?,
                reason: reason?,
            },
            "all" => Self::AllTokensRevoked { before: before?, reason: reason? },
            "key" => Self::KeyRevoked { id: KeyId(subject?.to_owned()) },
            "user_changed" => Self::UserChanged { id: subject?.parse().ok()? },
            "keys_changed" => Self::KeysChanged,
            "roles_changed" => Self::RolesChanged,
            _ => return None,
        })
    }

    /// Whom or what it is about, as text.
    #[must_use]
    pub fn subject(&self) -> Option<String> {
        match self {
            Self::SessionEnded { id, .. } => Some(id.to_string()),
            Self::UserTokensRevoked { id, .. } | Self::UserChanged { id } => Some(id.to_string()),
            Self::KeyRevoked { id } => Some(id.0.clone()),
            Self::AllTokensRevoked { .. }
            | Self::KeysChanged
            | Self::RolesChanged
            | Self::Unknown => None,
        }
    }

    /// The time before which something is dead, where it has one of its own.
    #[must_use]
    pub const fn before(&self) -> Option<Timestamp> {
        match self {
            Self::UserTokensRevoked { before, .. } | Self::AllTokensRevoked { before, .. } => {
                Some(*before)
            }
            _ => None,
        }
    }

    /// Why something is dead, where a session is.
    #[must_use]
    pub const fn reason(&self) -> Option<EndReason> {
        match self {
            Self::SessionEnded { reason, .. }
            | Self::UserTokensRevoked { reason, .. }
            | Self::AllTokensRevoked { reason, .. } => Some(*reason),
            _ => None,
        }
    }
}

/// Invalidation events, and for how long they matter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FeedItem {
    /// What has happened.
    pub invalidation: InvalidationEvent,
    /// When.
    pub at: Timestamp,
    /// After this time nobody needs to know any more.
    pub until: Timestamp,
}

/// A place in the feed: whoever goes on from it misses nothing that was or will be committed.
///
/// The text means something to the store that made it alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FeedCursor(String);

/// The text is not a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a cursor is 1 to {} letters, digits, '.', '_' or '-'", FeedCursor::LEN_MAX)]
pub struct BadCursor;

impl FeedCursor {
    /// The most characters of a cursor: it fits a header line.
    pub const LEN_MAX: usize = 4096;

    /// Takes the text of a cursor, which may be anybody's.
    pub fn parse(text: &str) -> Result<Self, BadCursor> {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if text.is_empty() || text.len() > Self::LEN_MAX || !text.bytes().all(known) {
            return Err(BadCursor);
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An item where it stands in the feed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FeedEntry {
    /// Its place: whoever has learned everything up to this entry goes on from here.
    pub cursor: FeedCursor,
    /// What it tells.
    pub item: FeedItem,
}

/// Some entries of the feed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedPage {
    /// The entries after the cursor.
    pub entries: Vec<FeedEntry>,
    /// Whether the store could not go on from the cursor and began anew: it is not the store's, or
    /// the store has lost writes since.
    pub is_restart: bool,
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn all_invalidation_events_can_be_read_back() {
        let (before, reason) = (Timestamp::from_seconds(5), EndReason::AccountDisabled);
        let uuid = Uuid::from_u128(7);
        let all = [
            InvalidationEvent::SessionEnded { id: SessionId::from_uuid(uuid), reason },
            InvalidationEvent::UserTokensRevoked { id: UserId::from_uuid(uuid), before, reason },
            InvalidationEvent::AllTokensRevoked { before, reason },
            InvalidationEvent::KeyRevoked { id: KeyId("k-1".to_owned()) },
            InvalidationEvent::UserChanged { id: UserId::from_uuid(uuid) },
            InvalidationEvent::KeysChanged,
            InvalidationEvent::RolesChanged,
        ];
        for invalidation in all {
            let subject = invalidation.subject();
            let code = invalidation.reason().map(EndReason::as_str);
            assert_eq!(
                InvalidationEvent::read(
                    invalidation.kind(),
                    subject.as_deref(),
                    invalidation.before(),
                    code
                ),
                invalidation
            );
        }
        assert_eq!(
            InvalidationEvent::read("weather", None, None, None),
            InvalidationEvent::Unknown
        );
        assert_eq!(
            InvalidationEvent::read("session", Some("x"), None, Some("logout")),
            InvalidationEvent::Unknown
        );
    }

    #[test]
    fn an_end_for_an_unknown_reason_is_an_end() {
        let id = SessionId::from_uuid(Uuid::from_u128(7));
        let read = InvalidationEvent::read("session", Some(&id.to_string()), None, Some("boredom"));
        assert_eq!(read, InvalidationEvent::SessionEnded { id, reason: EndReason::EndedByAdmin });
    }

    #[test]
    fn a_cursor_is_short_and_plain() {
        for good in ["1", "1.2-3_a", &"x".repeat(4096)] {
            assert_eq!(
                FeedCursor::parse(good).map(|cursor| cursor.as_str().to_owned()),
                Ok(good.to_owned())
            );
        }
        for bad in ["", "a b", "é", "1\n", "'", &"x".repeat(4097)] {
            assert_eq!(FeedCursor::parse(bad), Err(BadCursor), "{bad:?}");
        }
    }
}
