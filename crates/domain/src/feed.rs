//! The feed of invalidation events, which every node and every external token verifier must apply
//! within a second.
//!
//! An item is written in the transaction of the change it reports, and stays relevant until the
//! last token it affects has expired. Applying an item is idempotent, so a reader in doubt reads
//! again.

use crate::key::KeyId;
use crate::{EndReason, SessionId, Timestamp, UserId};

/// A change that invalidates tokens or cached data.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum InvalidationEvent {
    /// A session ended: its tokens are no longer valid.
    SessionEnded {
        /// The session.
        id: SessionId,
        /// Why it ended.
        reason: EndReason,
    },
    /// Tokens of a user that were issued before this time are no longer valid.
    UserTokensRevoked {
        /// The user.
        id: UserId,
        /// Tokens issued before this time are revoked, UTC.
        before: Timestamp,
        /// Why they were revoked.
        reason: EndReason,
    },
    /// Every session that started before this time has ended.
    AllTokensRevoked {
        /// Sessions started before this time are revoked, UTC.
        before: Timestamp,
        /// Why they were revoked.
        reason: EndReason,
    },
    /// Signatures of a key are no longer accepted.
    KeyRevoked {
        /// The key.
        id: KeyId,
    },
    /// A user changed: username, email address, roles, state or password.
    UserChanged {
        /// The user.
        id: UserId,
    },
    /// The keys changed: one was created, retired or rewrapped.
    KeysChanged,
    /// The permissions of a role changed, so the permissions of any account may differ.
    RolesChanged,
    /// An event that this version does not know or cannot parse.
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

    /// Reads an invalidation event from the columns of a store. A newer version may have written
    /// them. An end with an unknown reason still counts as an end. Anything else that cannot be
    /// parsed becomes [`InvalidationEvent::Unknown`] and does not block the events after it.
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

    /// Returns whether the keys must be reloaded.
    #[must_use]
    pub const fn is_about_keys(&self) -> bool {
        matches!(self, Self::KeysChanged | Self::KeyRevoked { .. })
    }

    /// Builds an invalidation event from the columns of a store. `None` if they do not form one.
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

    /// The subject of the event, as a string.
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

    /// Time before which tokens are revoked, if the event has one.
    #[must_use]
    pub const fn before(&self) -> Option<Timestamp> {
        match self {
            Self::UserTokensRevoked { before, .. } | Self::AllTokensRevoked { before, .. } => {
                Some(*before)
            }
            _ => None,
        }
    }

    /// Why a session ended, if the event reports that.
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

/// An invalidation event and the time for which it is relevant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FeedItem {
    /// The event.
    pub invalidation: InvalidationEvent,
    /// Time of the change, UTC.
    pub at: Timestamp,
    /// Time after which the item is irrelevant, UTC.
    pub until: Timestamp,
}

/// A position in the feed. A reader that continues from it misses nothing that was or will be
/// committed.
///
/// The string is opaque: only the store that created it can interpret it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FeedCursor(String);

/// The string is not a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a cursor must have 1 to {} letters, digits, '.', '_' or '-'", FeedCursor::LEN_MAX)]
pub struct BadCursor;

impl FeedCursor {
    /// Maximum length of a cursor in characters. It fits into an HTTP header.
    pub const LEN_MAX: usize = 4096;

    /// Parses a cursor from untrusted input.
    pub fn parse(text: &str) -> Result<Self, BadCursor> {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if text.is_empty() || text.len() > Self::LEN_MAX || !text.bytes().all(known) {
            return Err(BadCursor);
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the cursor as a string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An item and its position in the feed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FeedEntry {
    /// Position of this entry. A reader that has applied everything up to here continues from it.
    pub cursor: FeedCursor,
    /// The item.
    pub item: FeedItem,
}

/// A page of the feed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedPage {
    /// The entries after the cursor.
    pub entries: Vec<FeedEntry>,
    /// Whether the store restarted from the beginning, because the cursor is not its own or it has
    /// lost writes since.
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
