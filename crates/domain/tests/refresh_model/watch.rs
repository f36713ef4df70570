//! The observer: holds each step against what is promised.

use gateward_domain::refresh::RotationDecision;

use crate::clients::bit;
use crate::config::Thief;
use crate::model::RefreshModel;
use crate::state::{Node, Notes, Party, Phase, Request, Row, State};

/// What a step can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// A good client is not logged out.
    StaysIn,
    /// A token has one successor.
    OneSuccessor,
    /// Thief and owner do not both go on.
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
    /// Whether no step up to now broke the promise.
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
    /// Notes what a verdict does to the row, at the moment at which it counts.
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
                // Where nobody has a copy, nobody but a client can have shown a genuine token.
                let is_excused = !request.forged && self.is_too_late(before, request);
                hold(&mut state.notes, Promise::StaysIn, self.config.has_copy() || is_excused);
            }
            RotationDecision::Ended(_) | RotationDecision::Forged => {}
        }
        Self::observe_end(state, after);
    }

    /// Notes an end: it stays what it was.
    pub fn observe_end(state: &mut State, after: Row) {
        let before = state.row.ended;
        hold(&mut state.notes, Promise::EndsOnce, before.is_none() || before == after.ended);
        if after.ended.is_some() {
            // From here on nothing may be accepted at all, so it is needless to know of whom.
            (state.notes.owner, state.notes.thief) = (0, 0);
        }
    }

    /// Notes whose token was accepted, and whether both may have got this far.
    fn observe_parties(&self, state: &mut State, request: &Request) {
        if !self.config.has_copy() || self.config.loses_writes {
            return;
        }
        let true_age = state.row.true_age;
        let notes = &mut state.notes;
        let this = bit(request.generation);
        let others = if request.from == Party::Thief { notes.owner } else { notes.thief };
        if others & this != 0 {
            // The row moved when the token was first used, so its age lies between the two uses.
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

    /// Whether a client that read the place now, and showed what it read, would be let on.
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

/// Whether the answer to an accepted request is the one token that may follow the one shown.
///
/// The text of a token follows from its line. So a generation has one text for as long as lines
/// only move forward, each to a generation where none was before, and a repeat leaves them alone.
fn is_the_one(before: Row, request: &Request, decision: RotationDecision, after: Row) -> bool {
    let moved_or_same = match decision {
        RotationDecision::Repeat => before == after,
        _ => before.generation <= request.generation,
    };
    moved_or_same && after.generation == request.generation + 1
}
