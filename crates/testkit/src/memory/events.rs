//! Events and their chain in a [`MemoryStore`](super::MemoryStore).

use std::cmp::Reverse;

use async_trait::async_trait;
use gateward_domain::audit::{Chain, ChainPosition, Entry, EventRange, SignedCheckpoint};
use gateward_domain::ports::{AuditRepo, EventRepo, StoreError};
use gateward_domain::{Actor, Event, EventId, SessionId, Timestamp, UserId};

use super::MemoryTx;
use super::state::{State, doubled, page, remove_where, truncate};

#[async_trait]
impl EventRepo for MemoryTx {
    async fn insert_event(&mut self, event: &Event) -> Result<(), StoreError> {
        self.write(|state| state.insert_event(event)).await
    }

    async fn list_session_events(
        &mut self,
        session_id: SessionId,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        Ok(self.read(|state| state.list_session_events(session_id, limit)))
    }

    async fn list_user_events(
        &mut self,
        user_id: UserId,
        after: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        Ok(self.read(|state| {
            let of_user = state.events().filter(|event| event.user_id == Some(user_id));
            page(of_user, |event| event.id, after, limit)
        }))
    }

    async fn list_events(
        &mut self,
        range: EventRange,
        since: Option<EventId>,
        before: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let is_meant = |event: &&Event| {
            range.contains(event)
                && since.is_none_or(|since| event.id >= since)
                && before.is_none_or(|before| event.id < before)
        };
        Ok(self.read(|state| {
            let mut events: Vec<_> = state.events().filter(is_meant).cloned().collect();
            events.sort_by_key(|event| Reverse(event.id));
            truncate(events, limit)
        }))
    }
}

#[async_trait]
impl AuditRepo for MemoryTx {
    async fn list_unchained_events(&mut self, limit: u32) -> Result<Vec<Entry>, StoreError> {
        Ok(self.read(|state| {
            let unchained = state.entries.iter().filter(|entry| entry.position.is_none());
            page(unchained, |entry| entry.event.id, None, limit)
        }))
    }

    async fn find_chain(&mut self) -> Result<Chain, StoreError> {
        Ok(self.read(State::find_chain))
    }

    async fn lock_chain(&mut self) -> Result<Chain, StoreError> {
        Ok(self.locked().find_chain())
    }

    async fn append_to_chain(
        &mut self,
        positions: &[(EventId, ChainPosition)],
        latest: &SignedCheckpoint,
    ) -> Result<(), StoreError> {
        self.locked().append_to_chain(positions, latest)
    }

    async fn list_chained_events(
        &mut self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        Ok(self.read(|state| {
            let chained = state.entries.iter().filter(|entry| seq(entry) > 0);
            page(chained, seq, Some(after), limit)
        }))
    }

    async fn truncate_chain(
        &mut self,
        retention_boundary: &SignedCheckpoint,
    ) -> Result<u64, StoreError> {
        let state = self.locked();
        state.chain =
            Some(Chain { retention_boundary: retention_boundary.clone(), ..state.find_chain() });
        let goes = |entry: &Entry| (1..=retention_boundary.checkpoint.seq).contains(&seq(entry));
        Ok(remove_where(&mut state.entries, u32::MAX, goes))
    }

    async fn request_erasure(&mut self, user_id: UserId, now: Timestamp) -> Result<(), StoreError> {
        self.write(|state| {
            state.erasures.entry(user_id).or_insert(now);
            Ok(())
        })
        .await
    }

    async fn find_erasure(&mut self) -> Result<Option<UserId>, StoreError> {
        Ok(self.read(|state| {
            let first = state.erasures.iter().min_by_key(|(id, noted_at)| (*noted_at, *id));
            first.map(|(id, _)| *id)
        }))
    }

    async fn erase_events(&mut self, user_id: UserId, limit: u32) -> Result<u64, StoreError> {
        self.write(|state| Ok(state.erase_events(user_id, limit))).await
    }
}

/// Returns the sequence number of an entry, or 0 if it has none.
fn seq(entry: &Entry) -> i64 {
    entry.position.as_ref().map_or(0, |position| position.seq)
}

impl State {
    /// All events, in the order in which they were written.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.entries.iter().map(|entry| &entry.event)
    }

    fn insert_event(&mut self, event: &Event) -> Result<(), StoreError> {
        if self.events().any(|other| other.id == event.id) {
            return Err(doubled("event"));
        }
        let commitment = event
            .commitment()
            .ok_or_else(|| StoreError::Unavailable("an event is written with its salt".into()))?;
        self.entries.push(Entry { event: event.clone(), commitment, position: None });
        Ok(())
    }

    fn list_session_events(&self, session_id: SessionId, limit: u32) -> Vec<Event> {
        let of_session = |event: &&Event| event.session_id == Some(session_id);
        let mut events: Vec<_> = self.events().filter(of_session).cloned().collect();
        events.sort_by_key(|event| (event.at, event.id));
        truncate(events, limit)
    }

    fn find_chain(&self) -> Chain {
        self.chain.clone().unwrap_or_else(Chain::start)
    }

    fn append_to_chain(
        &mut self,
        positions: &[(EventId, ChainPosition)],
        latest: &SignedCheckpoint,
    ) -> Result<(), StoreError> {
        let is_taken =
            |position: &ChainPosition| self.entries.iter().any(|entry| seq(entry) == position.seq);
        if positions.iter().any(|(_, position)| is_taken(position)) {
            return Err(doubled("place in the chain"));
        }
        for (id, position) in positions {
            if let Some(entry) = self.entries.iter_mut().find(|entry| entry.event.id == *id) {
                entry.position = Some(position.clone());
            }
        }
        self.chain = Some(Chain { latest: latest.clone(), ..self.find_chain() });
        Ok(())
    }

    fn erase_events(&mut self, user_id: UserId, limit: u32) -> u64 {
        let is_personal = |event: &Event| {
            let is_theirs = match event.actor {
                Actor::User(id) => id == user_id,
                Actor::Operator | Actor::Service => event.user_id == Some(user_id),
            };
            is_theirs && (event.ip.is_some() || event.salt.is_some())
        };
        let events = self.entries.iter_mut().map(|entry| &mut entry.event);
        let mut erased = 0;
        for event in events.filter(|event| is_personal(event)) {
            if erased == u64::from(limit) {
                return erased;
            }
            (event.ip, event.salt) = (None, None);
            erased += 1;
        }
        self.erasures.remove(&user_id);
        erased
    }
}
