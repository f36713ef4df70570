//! What a [`MemoryStore`](super::MemoryStore) does with events and their chain.

use std::cmp::Reverse;

use async_trait::async_trait;
use gateward_domain::audit::{Chain, Entry, EventRange, Seal, SignedHead};
use gateward_domain::ports::{AuditTrail, EventLog, StoreError};
use gateward_domain::{Actor, Event, EventId, SessionId, Timestamp, UserId};

use super::MemoryTx;
use super::state::{State, doubled, page, remove_where, truncate};

#[async_trait]
impl EventLog for MemoryTx {
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
impl AuditTrail for MemoryTx {
    async fn list_unsealed_events(&mut self, limit: u32) -> Result<Vec<Entry>, StoreError> {
        Ok(self.read(|state| {
            let unsealed = state.entries.iter().filter(|entry| entry.seal.is_none());
            page(unsealed, |entry| entry.event.id, None, limit)
        }))
    }

    async fn find_chain(&mut self) -> Result<Chain, StoreError> {
        Ok(self.read(State::find_chain))
    }

    async fn lock_chain(&mut self) -> Result<Chain, StoreError> {
        Ok(self.locked().find_chain())
    }

    async fn seal_events(
        &mut self,
        seals: &[(EventId, Seal)],
        tip: &SignedHead,
    ) -> Result<(), StoreError> {
        self.locked().seal_events(seals, tip)
    }

    async fn list_sealed_events(
        &mut self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        Ok(self.read(|state| {
            let sealed = state.entries.iter().filter(|entry| seq(entry) > 0);
            page(sealed, seq, Some(after), limit)
        }))
    }

    async fn cut_chain(&mut self, floor: &SignedHead) -> Result<u64, StoreError> {
        let state = self.locked();
        state.chain = Some(Chain { floor: floor.clone(), ..state.find_chain() });
        let goes = |entry: &Entry| (1..=floor.head.seq).contains(&seq(entry));
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

/// The place of an entry in the chain; 0, if it has none.
fn seq(entry: &Entry) -> i64 {
    entry.seal.as_ref().map_or(0, |seal| seal.seq)
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
        self.entries.push(Entry { event: event.clone(), commitment, seal: None });
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

    fn seal_events(
        &mut self,
        seals: &[(EventId, Seal)],
        tip: &SignedHead,
    ) -> Result<(), StoreError> {
        let is_taken = |seal: &Seal| self.entries.iter().any(|entry| seq(entry) == seal.seq);
        if seals.iter().any(|(_, seal)| is_taken(seal)) {
            return Err(doubled("place in the chain"));
        }
        for (id, seal) in seals {
            if let Some(entry) = self.entries.iter_mut().find(|entry| entry.event.id == *id) {
                entry.seal = Some(seal.clone());
            }
        }
        self.chain = Some(Chain { tip: tip.clone(), ..self.find_chain() });
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
