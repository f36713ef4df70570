//! `EventRepo`: the log of events.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use gateward_domain::audit::EventRange;
use gateward_domain::ports::{EventRepo, StoreError};
use gateward_domain::{Event, EventId, SessionId, UserId};

use super::super::Tx;
use super::super::columns::Id;
use super::super::rows::EventRow;
use super::super::schema::events;

#[async_trait]
impl EventRepo for Tx {
    async fn insert_event(&mut self, event: &Event) -> Result<(), StoreError> {
        let insert = diesel::insert_into(events::table).values(EventRow::from(event));
        change!(self, "events", conn => insert.execute(conn)).map(drop)
    }

    async fn list_session_events(
        &mut self,
        session_id: SessionId,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let session_id = Id(session_id.uuid());
        let rows = read!(self, "events", conn => events::table
            .filter(events::session_id.eq(session_id))
            .order((events::happened_at, events::id))
            .limit(i64::from(limit))
            .select(EventRow::as_select())
            .load::<EventRow>(conn))?;
        rows.into_iter().map(Event::try_from).collect()
    }

    async fn list_user_events(
        &mut self,
        user_id: UserId,
        after: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let user_id = Id(user_id.uuid());
        // No identifier is nil.
        let after = Id(after.map_or(uuid::Uuid::nil(), EventId::uuid));
        let rows = read!(self, "events", conn => events::table
            .filter(events::user_id.eq(user_id).and(events::id.gt(after)))
            .order(events::id)
            .limit(i64::from(limit))
            .select(EventRow::as_select())
            .load::<EventRow>(conn))?;
        rows.into_iter().map(Event::try_from).collect()
    }

    async fn list_events(
        &mut self,
        range: EventRange,
        since: Option<EventId>,
        before: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        // No identifier is nil, and none is the maximum.
        let since = Id(since.map_or(uuid::Uuid::nil(), EventId::uuid));
        let before = Id(before.map_or(uuid::Uuid::max(), EventId::uuid));
        let rows = read!(self, "events", conn => {
            let query = events::table
                .filter(events::id.ge(since).and(events::id.lt(before)))
                .order(events::id.desc())
                .limit(i64::from(limit))
                .select(EventRow::as_select())
                .into_boxed();
            let query = match range {
                EventRange::All => query,
                EventRange::About(id) => query.filter(events::user_id.eq(Id(id.uuid()))),
                EventRange::CausedBy(id) => query.filter(events::actor_id.eq(Id(id.uuid()))),
                EventRange::Named(name) => query.filter(events::kind.eq(name)),
            };
            query.load::<EventRow>(conn)
        })?;
        rows.into_iter().map(Event::try_from).collect()
    }
}
