//! The service and its database: what becomes of a request, one step at a time.

use gateward_domain::EndReason;
use gateward_domain::refresh::Verdict;

use crate::config::Fault;
use crate::model::RefreshModel;
use crate::state::{Answer, Node, Pending, Request, Row, Stage, State};

impl RefreshModel {
    /// The conditional statement: rotates and repeats, and touches no row otherwise.
    pub fn handle(&self, state: &mut State, slot: usize, node: Node) {
        let Some(mut request) = state.requests[slot] else { return };
        let verdict = self.rules.verdict(state.row, &request, node);
        request.stage = match verdict {
            Verdict::Rotate if self.config.fault == Fault::ReadThenWrite => Stage::Read(node),
            Verdict::Rotate | Verdict::Repeat => {
                return self.write(state, slot, node, verdict);
            }
            _ => Stage::Missed(node),
        };
        state.requests[slot] = Some(request);
    }

    /// The second half of a rotation that was decided on a row read before.
    pub fn write_blindly(&self, state: &mut State, slot: usize) {
        let Some(request) = state.requests[slot] else { return };
        if let Stage::Read(node) = request.stage {
            self.write(state, slot, node, Verdict::Rotate);
        }
    }

    /// The second transaction: locks the row, judges anew and writes.
    pub fn look(&self, state: &mut State, slot: usize) {
        let Some(mut request) = state.requests[slot] else { return };
        let Stage::Missed(node) = request.stage else { return };
        let verdict = self.rules.verdict(state.row, &request, node);
        let answer = answer_to(verdict, &request);
        if matches!(verdict, Verdict::Over(_) | Verdict::Forged) {
            return answered(state, slot, answer);
        }
        let row = self.rules.applied(state.row, &request, node, verdict);
        // Kept as it was judged, whatever becomes of the sender meanwhile.
        let judged = Request { age: 0, awaited: false, ..request };
        state.pending = Some(Pending { row, node, request: judged, verdict });
        if verdict == Verdict::Replay && self.config.fault == Fault::AnswerBeforeCommit {
            return answered(state, slot, answer);
        }
        request.stage = Stage::Open(node, answer);
        state.requests[slot] = Some(request);
    }

    /// The second transaction commits.
    pub fn commit(&self, state: &mut State) {
        let Some(pending) = state.pending.take() else { return };
        self.observe(state, &pending.request, pending.verdict, pending.row);
        state.row = pending.row;
        for slot in 0..state.requests.len() {
            if let Some(Request { stage: Stage::Open(_, answer), .. }) = state.requests[slot] {
                answered(state, slot, answer);
            }
        }
    }

    /// A node crashes: what it worked on is gone, and what it had not committed is undone.
    pub fn crash(state: &mut State, node: Node) {
        if state.pending.is_some_and(|pending| pending.node == node) {
            state.pending = None;
        }
        drop_where(state, |stage| stage.node() == Some(node));
    }

    /// The database goes back to the writes it had secured; whatever was open fails.
    pub fn lose_writes(state: &mut State) {
        state.row = state.kept;
        state.pending = None;
        drop_where(state, |stage| matches!(stage, Stage::Open(..)));
    }

    /// The owner ends the session, from wherever they are.
    pub fn log_out(state: &mut State) {
        let after = Row { ended: Some(EndReason::Logout), ..state.row };
        Self::observe_end(state, after);
        state.row = after;
    }

    /// Time passes, and requests that wait grow too old.
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
            let Some(request) = slot.as_mut().filter(|request| request.stage.is_undecided()) else {
                continue;
            };
            request.age = (request.age + 1).min(deadline);
            if request.age == deadline && self.config.fault != Fault::NoDeadline {
                *slot = None;
            }
        }
    }

    fn write(&self, state: &mut State, slot: usize, node: Node, verdict: Verdict) {
        let Some(request) = state.requests[slot] else { return };
        let after = self.rules.applied(state.row, &request, node, verdict);
        self.observe(state, &request, verdict, after);
        state.row = after;
        answered(state, slot, answer_to(verdict, &request));
    }
}

/// The answer is ready to leave; if nobody waits for it any more, nobody gets it.
fn answered(state: &mut State, slot: usize, answer: Answer) {
    let request = state.requests[slot].filter(|request| request.awaited);
    state.requests[slot] =
        request.map(|request| Request { stage: Stage::Answered(answer), ..request });
}

fn answer_to(verdict: Verdict, request: &Request) -> Answer {
    match verdict {
        Verdict::Rotate | Verdict::Repeat | Verdict::CatchUp => {
            Answer::Token(request.generation + 1)
        }
        Verdict::Replay => Answer::Reused,
        Verdict::Over(_) => Answer::Ended,
        Verdict::Forged => Answer::Invalid,
    }
}

fn drop_where(state: &mut State, is_dropped: impl Fn(Stage) -> bool) {
    for slot in &mut state.requests {
        if slot.is_some_and(|request| is_dropped(request.stage)) {
            *slot = None;
        }
    }
}
