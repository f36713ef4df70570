//! The service and its database: the processing of a request, one step at a time.

use gateward_domain::EndReason;
use gateward_domain::refresh::RotationDecision;

use crate::config::Fault;
use crate::model::RefreshModel;
use crate::state::{Node, Pending, Phase, Request, Row, State, TestResponse};

impl RefreshModel {
    /// The conditional statement: rotates or repeats, and changes no row otherwise.
    pub fn handle(&self, state: &mut State, slot: usize, node: Node) {
        let Some(mut request) = state.requests[slot] else { return };
        let decision = self.rules.decision(state.row, &request, node);
        request.phase = match decision {
            RotationDecision::Rotate if self.config.fault == Fault::ReadThenWrite => {
                Phase::Read(node)
            }
            RotationDecision::Rotate | RotationDecision::Repeat => {
                return self.write(state, slot, node, decision);
            }
            _ => Phase::Missed(node),
        };
        state.requests[slot] = Some(request);
    }

    /// The second half of a rotation that was decided on a row read before.
    pub fn write_blindly(&self, state: &mut State, slot: usize) {
        let Some(request) = state.requests[slot] else { return };
        if let Phase::Read(node) = request.phase {
            self.write(state, slot, node, RotationDecision::Rotate);
        }
    }

    /// The second transaction: locks the row, judges again and writes.
    pub fn look(&self, state: &mut State, slot: usize) {
        let Some(mut request) = state.requests[slot] else { return };
        let Phase::Missed(node) = request.phase else { return };
        let decision = self.rules.decision(state.row, &request, node);
        let response = response_to(decision, &request);
        if matches!(decision, RotationDecision::Ended(_) | RotationDecision::Forged) {
            return answered(state, slot, response);
        }
        let row = self.rules.applied(state.row, &request, node, decision);
        // Kept as it was judged, whatever the sender does meanwhile.
        let judged = Request { age: 0, awaited: false, ..request };
        state.pending = Some(Pending { row, node, request: judged, decision });
        if decision == RotationDecision::Replay && self.config.fault == Fault::ResponseBeforeCommit
        {
            return answered(state, slot, response);
        }
        request.phase = Phase::Open(node, response);
        state.requests[slot] = Some(request);
    }

    /// The second transaction commits.
    pub fn commit(&self, state: &mut State) {
        let Some(pending) = state.pending.take() else { return };
        self.observe(state, &pending.request, pending.decision, pending.row);
        state.row = pending.row;
        for slot in 0..state.requests.len() {
            if let Some(Request { phase: Phase::Open(_, response), .. }) = state.requests[slot] {
                answered(state, slot, response);
            }
        }
    }

    /// A node crashes: its work is lost, and its uncommitted changes are rolled back.
    pub fn crash(state: &mut State, node: Node) {
        if state.pending.is_some_and(|pending| pending.node == node) {
            state.pending = None;
        }
        drop_where(state, |phase| phase.node() == Some(node));
    }

    /// The database goes back to the writes it had secured; open transactions fail.
    pub fn lose_writes(state: &mut State) {
        state.row = state.kept;
        state.pending = None;
        drop_where(state, |phase| matches!(phase, Phase::Open(..)));
    }

    /// The owner ends the session, from any client.
    pub fn log_out(state: &mut State) {
        let after = Row { ended: Some(EndReason::Logout), ..state.row };
        Self::observe_end(state, after);
        state.row = after;
    }

    /// Time passes, and waiting requests grow too old.
    pub fn tick(&self, state: &mut State) {
        let age_max = self.config.age_max();
        let grow = |row: &mut Row| {
            row.age = (row.age + 1).min(age_max);
            row.true_age = (row.true_age + 1).min(age_max);
        };
        grow(&mut state.row);
        state.pending.iter_mut().for_each(|pending| grow(&mut pending.row));
        if self.config.loses_writes {
            grow(&mut state.kept);
        }
        let deadline = self.config.deadline;
        for slot in &mut state.requests {
            let Some(request) = slot.as_mut().filter(|request| request.phase.is_undecided()) else {
                continue;
            };
            request.age = (request.age + 1).min(deadline);
            if request.age == deadline && self.config.fault != Fault::NoDeadline {
                *slot = None;
            }
        }
    }

    fn write(&self, state: &mut State, slot: usize, node: Node, decision: RotationDecision) {
        let Some(request) = state.requests[slot] else { return };
        let after = self.rules.applied(state.row, &request, node, decision);
        self.observe(state, &request, decision, after);
        state.row = after;
        answered(state, slot, response_to(decision, &request));
    }
}

/// The response is ready to be sent. If no client waits for it any more, it is dropped.
fn answered(state: &mut State, slot: usize, response: TestResponse) {
    let request = state.requests[slot].filter(|request| request.awaited);
    state.requests[slot] =
        request.map(|request| Request { phase: Phase::Answered(response), ..request });
}

fn response_to(decision: RotationDecision, request: &Request) -> TestResponse {
    match decision {
        RotationDecision::Rotate | RotationDecision::Repeat | RotationDecision::Recover => {
            TestResponse::Token(request.generation + 1)
        }
        RotationDecision::Replay => TestResponse::Reused,
        RotationDecision::Ended(_) => TestResponse::Ended,
        RotationDecision::Forged => TestResponse::Invalid,
    }
}

fn drop_where(state: &mut State, is_dropped: impl Fn(Phase) -> bool) {
    for slot in &mut state.requests {
        if slot.is_some_and(|request| is_dropped(request.phase)) {
            *slot = None;
        }
    }
}
