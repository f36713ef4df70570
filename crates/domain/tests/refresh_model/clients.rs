//! The clients and the thief: who presents what, and how they handle responses.

use crate::config::{Config, Fault, Thief};
use crate::model::{Action, RefreshModel};
use crate::state::{
    ClientStorage, Key, LAST_GENERATION, Party, Phase, Request, State, TestResponse,
};

impl RefreshModel {
    pub fn client_actions(&self, state: &State, tab: Party, actions: &mut Vec<Action>) {
        if self.config.careless && state.read[tab.index()] != state.storage {
            actions.push(Action::Read(tab));
        }
        if self.config.fault == Fault::KeyStoredLater && state.storage.key != self.key_due(state) {
            actions.push(Action::StoreKey);
        }
        let waits = state.under_way().any(|(_, request)| request.from == tab && request.awaited);
        let under_way =
            state.under_way().filter(|(_, request)| request.from != Party::Thief).count();
        let presented = self.shown_by(state, tab);
        if waits
            || under_way >= self.config.requests.0
            || !self.may_show(state, presented.generation)
        {
            return;
        }
        actions.push(Action::Send(tab, 0));
        if self.config.fault == Fault::KeyPerRequest {
            actions.push(Action::Send(tab, 1));
        }
    }

    /// No client presents the next token while a request with this one is unanswered.
    ///
    /// A client cannot see how far a request has come, so it waits for the response or for the
    /// service's deadline. The model lets it continue as soon as no older request can be judged any
    /// more, which is never later. Everything that a real client does is therefore explored.
    fn may_show(&self, state: &State, generation: u8) -> bool {
        let blocks = |request: Request| {
            request.from != Party::Thief
                && request.generation < generation
                && (request.phase.is_undecided() && request.age < self.config.deadline
                    || request.awaited && self.config.patient)
        };
        let is_blocked = state.under_way().any(|(_, request)| blocks(request));
        Config::is_in_bounds(generation)
            && (!is_blocked || self.config.fault == Fault::NextTooEarly)
    }

    fn shown_by(&self, state: &State, tab: Party) -> ClientStorage {
        if self.config.careless { state.read[tab.index()] } else { state.storage }
    }

    /// A client presents the token that it reads, or one that it read before.
    ///
    /// Reading and sending are one step: a pause between them equals a slow network, as long as the
    /// age of the request counts from the reading on.
    pub fn send(&self, state: &mut State, tab: Party, copy: u8) {
        let mut presented = self.shown_by(state, tab);
        if let (Fault::KeyPerRequest, Some(Key::Own(generation, _))) =
            (self.config.fault, presented.key)
        {
            presented.key = Some(Key::Own(generation, copy));
        }
        put(state, tab, presented, false);
    }

    /// A client stops waiting. The request continues without it.
    pub fn give_up(state: &mut State, slot: usize) {
        if let Some(request) = &mut state.requests[slot] {
            request.awaited = false;
        }
    }

    pub fn thief_actions(&self, state: &State, actions: &mut Vec<Action>) {
        if self.config.has_copy() && state.stolen.copy.is_none() {
            actions.push(Action::Steal);
        }
        let under_way =
            state.under_way().filter(|(_, request)| request.from == Party::Thief).count();
        if under_way >= self.config.requests.1 {
            return;
        }
        for generation in 1..=LAST_GENERATION {
            if self.config.thief == Thief::Forger {
                actions.push(Action::Forge(generation));
            }
            if state.stolen.tokens & bit(generation) != 0 && Config::is_in_bounds(generation) {
                let keys = [None, Some(Key::Thief)];
                actions.extend(keys.map(|key| Action::Show(generation, key)));
                let key = self.known_key(state, generation);
                actions.extend(key.map(|key| Action::Show(generation, Some(key))));
            }
        }
    }

    /// The key of the clients that the thief can send with a token.
    fn known_key(&self, state: &State, generation: u8) -> Option<Key> {
        match (self.config.fault, state.stolen.copy?) {
            (Fault::KeyDerived, _) => Some(Key::Own(generation, 0)),
            (Fault::KeyReused, copy) => copy.key,
            // With another token it is no better than the thief's own.
            (_, copy) => copy.key.filter(|_| copy.generation == generation),
        }
    }

    /// The thief copies the client storage.
    pub fn steal(&self, state: &mut State) {
        let takes_key = self.config.thief == Thief::TokenAndKey;
        let key = if takes_key { state.storage.key } else { None };
        state.stolen.copy = Some(ClientStorage { key, ..state.storage });
        state.stolen.tokens |= bit(state.storage.generation);
    }

    /// The thief presents a token that he has.
    pub fn show(state: &mut State, presented: ClientStorage) {
        put(state, Party::Thief, presented, false);
    }

    /// A forger presents a token with a wrong secret.
    pub fn forge(state: &mut State, generation: u8) {
        put(state, Party::Thief, ClientStorage { generation, key: None }, true);
    }

    /// A response arrives at a waiting client.
    pub fn receive(&self, state: &mut State, slot: usize) {
        let Some(request) = state.requests[slot].take() else { return };
        let Phase::Answered(TestResponse::Token(generation)) = request.phase else { return };
        if request.from == Party::Thief {
            state.stolen.tokens |= bit(generation);
            return;
        }
        self.store(state, generation);
        state.read[request.from.index()] = state.storage;
    }

    /// A client stores the response with a fresh key, unless the storage holds that token or a
    /// newer one.
    ///
    /// The same response may reach two clients. If the second stored it again, with a key of its
    /// own, a request of the first could no longer be repeated.
    fn store(&self, state: &mut State, generation: u8) {
        let is_invalidation = state.storage.generation < generation;
        if !is_invalidation && self.config.fault != Fault::StoresBlindly {
            return;
        }
        let copy = match state.storage.key {
            Some(Key::Own(present, copy)) if present == generation => 1 - copy,
            _ => 0,
        };
        let later = self.config.fault == Fault::KeyStoredLater;
        let key = if later { state.storage.key } else { self.fresh_key(generation, copy) };
        state.storage = ClientStorage { generation, key };
    }

    /// A client stores the key for the token that is already stored.
    pub fn store_key(&self, state: &mut State) {
        state.storage.key = self.key_due(state);
    }

    fn key_due(&self, state: &State) -> Option<Key> {
        self.fresh_key(state.storage.generation, 0)
    }

    /// The key that a client creates when it stores the token of a generation.
    pub fn fresh_key(&self, generation: u8, copy: u8) -> Option<Key> {
        let made_for = if self.config.fault == Fault::KeyReused { 0 } else { generation };
        self.config.keys.then_some(Key::Own(made_for, copy))
    }
}

/// Sends a request.
fn put(state: &mut State, from: Party, presented: ClientStorage, forged: bool) {
    let request = Request {
        from,
        generation: presented.generation,
        key: presented.key,
        forged,
        age: 0,
        awaited: true,
        phase: Phase::Sent,
    };
    if let Some(slot) = state.requests.iter_mut().find(|slot| slot.is_none()) {
        *slot = Some(request);
    }
}

/// The bit of a generation.
pub fn bit(generation: u8) -> u8 {
    1 << generation
}
