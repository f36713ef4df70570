//! The port of the events.

use std::ops::Bound::{Excluded, Included, Unbounded};

use async_trait::async_trait;
use gateward_domain::audit::{Entry, EventRange};
use gateward_domain::ports::{EventRepo, StoreError};
use gateward_domain::{Event, EventId, SessionId, UserId};
use redb::WriteTransaction;

use crate::rows::EventRow;
use crate::tables::{
    CHAIN, EVENTS_OF_SESSION, EVENTS_OF_USER, count_of, enter, insert, remove, table,
};
use crate::unit::RedbTx;

#[async_trait]
impl EventRepo for RedbTx {
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
            events(view.find_all::<EventRow>(ids))
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
            events(view.find_all::<EventRow>(ids))
        })
        .await
    }

    /// Scans all events between the bounds until it has enough.
    async fn list_events(
        &mut self,
        range: EventRange,
        since: Option<EventId>,
        before: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let since = since.map(key).map_or(Unbounded, Included);
        let before = before.map(key).map_or(Unbounded, Excluded);
        let is_meant = move |entry: &Entry| range.contains(&entry.event);
        self.read(move |view| {
            events(view.last::<EventRow>((since, before), count_of(limit), is_meant))
        })
        .await
    }
}

const fn key(id: EventId) -> u128 {
    id.uuid().as_u128()
}

fn add(transaction: &WriteTransaction, event: &Event) -> Result<(), StoreError> {
    let id = key(event.id);
    let commitment = event.commitment();
    let commitment = commitment
        .ok_or_else(|| StoreError::Unavailable("an event is written with its salt".into()))?;
    if let Some(place) = place_of_session(event) {
        enter(transaction, EVENTS_OF_SESSION, place)?;
    }
    if let Some(place) = place_of_user(event) {
        enter(transaction, EVENTS_OF_USER, place)?;
    }
    enter(transaction, CHAIN, (0, id))?;
    insert::<EventRow>(transaction, id, &Entry { event: event.clone(), commitment, position: None })
}

/// Deletes an event and its index entries.
pub fn forget(transaction: &WriteTransaction, entry: &Entry) -> Result<(), StoreError> {
    let id = key(entry.event.id);
    if let Some(place) = place_of_session(&entry.event) {
        remove(transaction, EVENTS_OF_SESSION, place)?;
    }
    if let Some(place) = place_of_user(&entry.event) {
        remove(transaction, EVENTS_OF_USER, place)?;
    }
    let seq = entry.position.as_ref().map_or(0, |position| position.seq);
    remove(transaction, CHAIN, (seq, id))?;
    remove(transaction, table::<EventRow>(), id)
}

/// Returns the events without their positions in the chain.
fn events(entries: Result<Vec<Entry>, StoreError>) -> Result<Vec<Event>, StoreError> {
    Ok(entries?.into_iter().map(|entry| entry.event).collect())
}

/// Returns the index key of an event among those of its session.
fn place_of_session(event: &Event) -> Option<(u128, i64, u128)> {
    let session_id = event.session_id?;
    Some((session_id.uuid().as_u128(), event.at.micros(), key(event.id)))
}

/// Returns the index key of an event among those of its account.
fn place_of_user(event: &Event) -> Option<(u128, u128)> {
    Some((event.user_id?.uuid().as_u128(), key(event.id)))
}
