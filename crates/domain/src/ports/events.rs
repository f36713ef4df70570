//! `EventRepo`: where events are written down.

use async_trait::async_trait;

use super::StoreError;
use crate::Event;
use crate::audit::EventRange;

/// The log of what has changed.
#[async_trait]
pub trait EventRepo: Send {
    /// Writes an event, in the transaction of the change it tells of, with the commitment to its
    /// personal part ([`Event::commitment`]).
    async fn insert_event(&mut self, event: &Event) -> Result<(), StoreError>;

    /// The events of one session, oldest first, at most `limit`.
    async fn list_session_events(
        &mut self,
        session_id: crate::SessionId,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError>;

    /// The events about one account, in the order of their identifiers, those after `after`, at
    /// most `limit`.
    async fn list_user_events(
        &mut self,
        user_id: crate::UserId,
        after: Option<crate::EventId>,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError>;

    /// The events of a range, the newest first, those that stand before `before` in the order of
    /// their identifiers and not before `since`, at most `limit`.
    async fn list_events(
        &mut self,
        range: EventRange,
        since: Option<crate::EventId>,
        before: Option<crate::EventId>,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError>;
}
