//! The port of the events.

use async_trait::async_trait;
use gateward_domain::ports::{EventLog, StoreError};
use gateward_domain::{Event, EventId, SessionId, UserId};
use redb::WriteTransaction;

use crate::rows::EventRow;
use crate::tables::{EVENTS_OF_SESSION, EVENTS_OF_USER, count_of, enter, insert};
use crate::unit::RedbTx;

#[async_trait]
impl EventLog for RedbTx {
    async fn insert_event(&mut self, event: &Event) -> Result<(), StoreError> {
        let event = event.clone();
        self.write(move |transaction| add(transaction, &event)).await
    }

    async fn list_session_events(
        &mut self,
        session_id: SessionId,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let owner = session_id.uuid().as_u128();
        self.read(move |view| {
            let ids = view.members(EVENTS_OF_SESSION, owner, count_of(limit))?;
            view.find_all::<EventRow>(ids)
        })
        .await
    }

    async fn list_user_events(
        &mut self,
        user_id: UserId,
        after: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let owner = user_id.uuid().as_u128();
        self.read(move |view| {
            let ids = view.page(EVENTS_OF_USER, owner, after.map(key), count_of(limit))?;
            view.find_all::<EventRow>(ids)
        })
        .await
    }
}

const fn key(id: EventId) -> u128 {
    id.uuid().as_u128()
}

fn add(transaction: &WriteTransaction, event: &Event) -> Result<(), StoreError> {
    let id = key(event.id);
    if let Some(session_id) = event.session_id {
        let place = (session_id.uuid().as_u128(), event.at.micros(), id);
        enter(transaction, EVENTS_OF_SESSION, place)?;
    }
    if let Some(user_id) = event.user_id {
        enter(transaction, EVENTS_OF_USER, (user_id.uuid().as_u128(), id))?;
    }
    insert::<EventRow>(transaction, id, event)
}
