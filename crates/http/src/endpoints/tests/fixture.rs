//! Invalidation events for the tests of the revocation feed and its stream.

use gateward_app::domain::feed::InvalidationEvent;
use gateward_app::domain::key::KeyId;
use gateward_app::domain::{EndReason, SessionId, Timestamp, UserId};

pub(super) const SESSION: &str = "019abcde-0000-7000-8000-000000000001";
pub(super) const USER: &str = "019abcde-0000-7000-8000-000000000002";

/// Invalidation events of every kind. Two of them are not public.
pub(super) fn every_kind() -> [InvalidationEvent; 6] {
    let user: UserId = USER.parse().unwrap();
    let before = Timestamp::from_seconds(1_795_147_801);
    [
        InvalidationEvent::KeysChanged,
        InvalidationEvent::SessionEnded { id: SESSION.parse().unwrap(), reason: EndReason::Logout },
        InvalidationEvent::UserTokensRevoked {
            id: user,
            before,
            reason: EndReason::AccountDisabled,
        },
        InvalidationEvent::UserChanged { id: user },
        InvalidationEvent::KeyRevoked { id: KeyId("key-1".to_owned()) },
        InvalidationEvent::AllTokensRevoked {
            before: Timestamp::from_seconds(1),
            reason: EndReason::EndedByAdmin,
        },
    ]
}

/// Ends of this many sessions, with ascending IDs.
pub(super) fn ended(count: u128) -> impl Iterator<Item = InvalidationEvent> {
    (0..count).map(|number| {
        let id: SessionId = format!("{number:032x}").parse().unwrap();
        InvalidationEvent::SessionEnded { id, reason: EndReason::Logout }
    })
}
