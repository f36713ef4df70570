//! `EventRepo`: the log of events.

use async_trait::async_trait;

use super::StoreError;
use crate::Event;
use crate::audit::EventRange;

/// The log of all changes.
#[async_trait]
pub trait EventRepo: Send {
    /// Inserts an event, in the transaction of the change it reports, with the commitment to its
    /// personal part ([`Event::commitment`]).
    async fn insert_event(&mut self, event: &Event) -> Result<(), StoreError>;

    /// Returns at most `limit` events of one session, oldest first.
    async fn list_session_events(
        &mut self,
        session_id: crate::SessionId,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError>;

    /// Returns at most `limit` events about one account after `after`, ordered by identifier.
    async fn list_user_events(
        &mut self,
        user_id: crate::UserId,
        after: Option<crate::EventId>,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError>;

    /// Returns at most `limit` events of a range, newest first, ordered by identifier: those before
    /// `before` and not before `since`.
    async fn list_events(
        &mut self,
        range: EventRange,
        since: Option<crate::EventId>,
        before: Option<crate::EventId>,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError>;
}
