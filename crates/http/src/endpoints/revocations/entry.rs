//! An entry of the feed, as those see it who check tokens elsewhere.

use gateward_app::domain::feed::{FeedEntry, InvalidationEvent};
use gateward_app::domain::{EndReason, Timestamp};
use serde::Serialize;

use super::super::objects::rfc3339;

/// The `id` of an entry that is about all tokens.
const ALL: &str = "*";

/// Tokens that are dead.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Revocation)]
pub(super) struct EntryBody<'a> {
    /// Its place: whoever has learned everything up to it goes on from here.
    cursor: &'a str,
    /// `session`, `user`, `key` or `all`.
    #[schema(example = "session")]
    kind: &'static str,
    /// Tokens of this session, of this user, or signed by the key with this `kid`; `*` is all.
    id: String,
    /// Of a user and of all, tokens issued before this time are dead; else all of them are, and
    /// this is since when.
    #[schema(format = "date-time")]
    before: String,
    /// After this time the entry no longer matters.
    #[schema(format = "date-time")]
    until: String,
    /// Why, as with `session_ended`.
    #[schema(example = "logout")]
    reason: &'static str,
}

impl<'a> EntryBody<'a> {
    /// What is shown of an entry; nothing of what nodes tell each other alone.
    pub(super) fn of(entry: &'a FeedEntry) -> Option<Self> {
        let item = &entry.item;
        let (id, before, reason) = match &item.invalidation {
            InvalidationEvent::SessionEnded { id, reason } => (id.to_string(), item.at, *reason),
            InvalidationEvent::UserTokensRevoked { id, before, reason } => {
                (id.to_string(), *before, *reason)
            }
            InvalidationEvent::KeyRevoked { id } => {
                (id.0.clone(), item.at, EndReason::KeyCompromised)
            }
            // Tokens do not tell when their session began, so all go that were made until now; they
            // tell the second in which they were made, so the whole of this one counts.
            InvalidationEvent::AllTokensRevoked { reason, .. } => {
                let before = Timestamp::from_seconds(item.at.seconds() + 1);
                (ALL.to_owned(), before, *reason)
            }
            InvalidationEvent::UserChanged { .. }
            | InvalidationEvent::KeysChanged
            | InvalidationEvent::RolesChanged
            | InvalidationEvent::Unknown => {
                return None;
            }
        };
        Some(Self {
            cursor: entry.cursor.as_str(),
            kind: item.invalidation.kind(),
            id,
            before: rfc3339(before),
            until: rfc3339(item.until),
            reason: reason.as_str(),
        })
    }
}
