//! The observer: checks each step against the promises.

use gateward_domain::refresh::RotationDecision;

use crate::clients::bit;
use crate::config::Thief;
use crate::model::RefreshModel;
use crate::state::{Node, Notes, Party, Phase, Request, Row, State};

/// A promise that a step can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// A good client is not logged out.
    StaysIn,
    /// A token has one successor.
    OneSuccessor,
    /// Thief and owner do not both continue.
    NotBoth,
    /// A session ends once, and nothing of it works afterwards.
    EndsOnce,
    /// A wrong secret changes nothing.
    ForgeryIsIdle,
}

impl Promise {
    fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl State {
    /// Whether no step so far has broken the promise.
    pub fn keeps(&self, promise: Promise) -> bool {
        self.notes.broken & promise.bit() == 0
    }
}

fn hold(notes: &mut Notes, promise: Promise, holds: bool) {
    if !holds {
        notes.broken |= promise.bit();
    }
}

impl RefreshModel {
    /// Records the effect of a decision on the row, at the moment at which it counts.
    pub fn observe(
        &self,
        state: &mut State,
        request: &Request,
        decision: RotationDecision,
        after: Row,
    ) {
        let before = state.row;
        if request.forged {
            hold(&mut state.notes, Promise::ForgeryIsIdle, before == after);
        }
        match decision {
            RotationDecision::Rotate | RotationDecision::Repeat | RotationDecision::Recover => {
                let is_the_one = is_the_one(before, request, decision, after);
                hold(&mut state.notes, Promise::OneSuccessor, is_the_one);
                hold(&mut state.notes, Promise::EndsOnce, before.ended.is_none());
                self.observe_parties(state, request);
            }
            RotationDecision::Replay => {
                // If there is no copy, only a client can have presented a genuine token.
                let is_excused = !request.forged && self.is_too_late(before, request);
                hold(&mut state.notes, Promise::StaysIn, self.config.has_copy() || is_excused);
            }
            RotationDecision::Ended(_) | RotationDecision::Forged => {}
        }
        Self::observe_end(state, after);
    }

    /// Records an end, which must not change afterwards.
    pub fn observe_end(state: &mut State, after: Row) {
        let before = state.row.ended;
        hold(&mut state.notes, Promise::EndsOnce, before.is_none() || before == after.ended);
        if after.ended.is_some() {
            // From here on nothing may be accepted at all, so the sender does not matter.
            (state.notes.owner, state.notes.thief) = (0, 0);
        }
    }

    /// Records whose token was accepted, and whether both may have come this far.
    fn observe_parties(&self, state: &mut State, request: &Request) {
        if !self.config.has_copy() || self.config.loses_writes {
            return;
        }
        let true_age = state.row.true_age;
        let notes = &mut state.notes;
        let this = bit(request.generation);
        let others = if request.from == Party::Thief { notes.owner } else { notes.thief };
        if others & this != 0 {
            // The row rotated when the token was first used, so its age lies between the two uses.
            let within = !self.config.keys && true_age < self.config.leeway_longest();
            let once_more = self.config.thief == Thief::TokenAndKey
                && state.stolen.copy.is_some_and(|copy| copy.generation == request.generation);
            hold(notes, Promise::NotBoth, within || once_more);
        }
        match request.from {
            Party::Thief => notes.thief |= this,
            Party::TabA | Party::TabB => notes.owner |= this,
        }
    }

    /// Whether a request without a key comes after the leeway, so that nothing is promised to it.
    fn is_too_late(&self, row: Row, request: &Request) -> bool {
        !self.config.keys
            && row.generation == request.generation + 1
            && row.true_age >= self.config.leeway_shortest()
    }

    /// Whether a client that read the storage now, and presented the token, would be accepted.
    pub fn place_is_good(&self, state: &State) -> bool {
        let presented = Request {
            from: Party::TabA,
            generation: state.storage.generation,
            key: state.storage.key,
            forged: false,
            age: 0,
            awaited: true,
            phase: Phase::Sent,
        };
        let is_let_on = |node| {
            let decision = self.rules.decision(state.row, &presented, node);
            matches!(
                decision,
                RotationDecision::Rotate | RotationDecision::Repeat | RotationDecision::Recover
            )
        };
        self.is_too_late(state.row, &presented) || Node::ALL.into_iter().all(is_let_on)
    }
}

/// Whether the response to an accepted request is the one token that may follow the presented one.
///
/// The text of a token is derived from its refresh state. A generation therefore has one text as
/// long as refresh states only advance, each to a new generation, and a repeat does not change
/// them.
fn is_the_one(before: Row, request: &Request, decision: RotationDecision, after: Row) -> bool {
    let moved_or_same = match decision {
        RotationDecision::Repeat => before == after,
        _ => before.generation <= request.generation,
    };
    moved_or_same && after.generation == request.generation + 1
}
