//! The properties: what must hold in every state, and what must occur in some.

use gateward_domain::EndReason;
use stateright::Property;

use crate::clients::bit;
use crate::config::Thief;
use crate::model::RefreshModel;
use crate::state::{LAST_GENERATION, Phase, Request, State, TestResponse};
use crate::watch::Promise;

/// A good client is not logged out.
pub const STAYS_IN: &str = "a good client stays in";
/// The same after the database has lost writes.
pub const STAYS_IN_AFTER_LOSS: &str = "a good client stays in after a loss of writes";
/// A token has one successor.
pub const ONE_SUCCESSOR: &str = "a token has one successor";
/// Thief and owner do not both continue.
pub const NOT_BOTH: &str = "thief and owner do not both go on";
/// The end of a session is final, and committed before the response.
pub const ENDS_ONCE: &str = "a session ends once, and the end is committed before it is published";
/// A wrong secret changes nothing.
pub const FORGERY_IS_IDLE: &str = "a wrong secret changes nothing";

type Condition = fn(&RefreshModel, &State) -> bool;

impl RefreshModel {
    /// The promises under the conditions of this run.
    pub fn promises(&self) -> impl Iterator<Item = Property<Self>> + use<> {
        let config = &self.config;
        let is_safe = !config.loses_writes;
        let always: [(bool, &'static str, Condition); 6] = [
            (!config.has_copy() && is_safe, STAYS_IN, stays_in),
            (!config.has_copy() && !is_safe, STAYS_IN_AFTER_LOSS, stays_in),
            (true, ONE_SUCCESSOR, |_, state| state.keeps(Promise::OneSuccessor)),
            (config.has_copy() && is_safe, NOT_BOTH, |_, state| state.keeps(Promise::NotBoth)),
            (is_safe, ENDS_ONCE, |_, state| {
                state.keeps(Promise::EndsOnce)
                    && (state.row.ended.is_some() || !is_answered(state, is_end))
            }),
            (true, FORGERY_IS_IDLE, |_, state| state.keeps(Promise::ForgeryIsIdle)),
        ];
        let promised = always.into_iter().filter(|(is_promised, ..)| *is_promised);
        promised.map(|(_, name, condition)| Property::always(name, condition))
    }

    /// What must occur, or the promises could hold vacuously. The last four are the limits of the
    /// promises.
    pub fn sights(&self) -> impl Iterator<Item = Property<Self>> + use<> {
        let config = &self.config;
        let (has_copy, is_safe) = (config.has_copy(), !config.loses_writes);
        let is_alone = config.thief == Thief::None;
        let sometimes: [(bool, &'static str, Condition); 10] = [
            (true, "the line reaches the last generation", |_, state| {
                state.row.generation == LAST_GENERATION
            }),
            (true, "a request outlives the wait for it", |_, state| {
                has_request(state, |request| !request.awaited && request.phase == Phase::Sent)
            }),
            (config.keys || config.leeway > 0, "an answer is given again", |_, state| {
                is_answered(state, |response| {
                    response == TestResponse::Token(state.storage.generation)
                })
            }),
            (has_copy, "a replay ends the session", |_, state| {
                is_answered(state, |response| response == TestResponse::Reused)
            }),
            (config.thief == Thief::Forger, "a forgery is refused", |_, state| {
                is_answered(state, |response| response == TestResponse::Invalid)
            }),
            (!is_safe, "the line catches up", |_, state| {
                state
                    .pending
                    .is_some_and(|pending| pending.request.generation > state.row.generation)
            }),
            (!config.keys && is_alone, "who comes after the leeway is logged out", |_, state| {
                state.row.ended == Some(EndReason::RefreshTokenReused)
            }),
            (config.thief == Thief::TokenAndKey && is_safe, "both go on once more", |_, state| {
                state.notes.owner & state.notes.thief != 0
            }),
            (
                !config.keys && config.leeway > 0 && has_copy && is_safe,
                "both go on side by side within the leeway",
                |_, state| {
                    let all: u8 = (1..LAST_GENERATION).map(bit).sum();
                    state.notes.owner & state.notes.thief == all
                },
            ),
            (has_copy && !is_safe, "both go on where writes were lost", |_, state| {
                state.stolen.copy.is_some_and(|copy| {
                    let has_next = state.stolen.tokens & bit(copy.generation + 1) != 0;
                    has_next && state.storage.generation > copy.generation
                })
            }),
        ];
        let expected = sometimes.into_iter().filter(|(is_expected, ..)| *is_expected);
        expected.map(|(_, name, condition)| Property::sometimes(name, condition))
    }
}

/// The clients were never refused while they followed the rules, and would not be now.
fn stays_in(model: &RefreshModel, state: &State) -> bool {
    let has_ended = state.row.ended.is_some();
    state.keeps(Promise::StaysIn) && (has_ended || model.place_is_good(state))
}

fn has_request(state: &State, is_meant: impl Fn(Request) -> bool) -> bool {
    state.under_way().any(|(_, request)| is_meant(request))
}

fn is_answered(state: &State, is_meant: impl Fn(TestResponse) -> bool) -> bool {
    has_request(state, |request| match request.phase {
        Phase::Answered(response) => is_meant(response),
        _ => false,
    })
}

fn is_end(response: TestResponse) -> bool {
    matches!(response, TestResponse::Reused | TestResponse::Ended)
}
