//! An entry of the revocation feed, as the API shows it.

use gateward_app::domain::feed::{FeedEntry, InvalidationEvent};
use gateward_app::domain::{EndReason, Timestamp};
use serde::Serialize;

use super::super::objects::rfc3339;

/// The `id` of an entry that revokes all tokens.
const ALL: &str = "*";

/// A revocation: the tokens that are no longer valid.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Revocation)]
pub(super) struct EntryBody<'a> {
    /// The position of the entry. Send the last one that you have as `since`.
    cursor: &'a str,
    /// Which tokens are revoked: those of a `session`, of a `user` or of a signing `key`, or `all`.
    #[schema(example = "session")]
    kind: &'static str,
    /// The ID of the session or user (`sid`, `sub`), the `kid` of the key, or `*` for all tokens.
    id: String,
    /// For `user` and `all`, tokens issued before this time are revoked. For `session` and `key`,
    /// all tokens are revoked, and this is when it happened.
    #[schema(format = "date-time")]
    before: String,
    /// You can forget the entry after this time: all its tokens have expired.
    #[schema(format = "date-time")]
    until: String,
    /// Why: one of the reasons of `session_ended`.
    #[schema(example = "logout")]
    reason: &'static str,
}

impl<'a> EntryBody<'a> {
    /// The public form of an entry; `None` for entries that only concern nodes.
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
            // Tokens do not contain the start of their session, so all tokens issued until now are
            // revoked. Their `iat` is in whole seconds, so the current second is included.
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
