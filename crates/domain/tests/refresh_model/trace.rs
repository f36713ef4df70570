//! A path of the checker as sentences.

use std::fmt;

use stateright::Path;

use crate::model::Action;
use crate::state::{Key, Node, Party, Phase, Request, Row, State, TestResponse};

/// Describes a path, a sentence for each step.
pub fn tell(path: Path<State, Action>) -> Vec<String> {
    let steps = path.into_vec();
    steps
        .windows(2)
        .filter_map(|pair| {
            let [(before, action), (after, _)] = pair else { return None };
            action.map(|action| sentence(before, action, after))
        })
        .collect()
}

fn sentence(before: &State, action: Action, after: &State) -> String {
    let request = |slot: usize| before.requests[slot];
    match action {
        Action::Read(tab) => format!("{tab} reads token {}", after.read[tab.index()].generation),
        Action::Send(tab, _) => {
            let sent = after.under_way().find(|(slot, _)| request(*slot).is_none());
            format!("{tab} shows {}", sent.map_or_else(String::new, |(_, sent)| presented(&sent)))
        }
        Action::Handle { slot, node } => {
            let what = outcome(before.row, after.requests[slot], after.row);
            format!("{node} takes {}: {what}", of(request(slot)))
        }
        Action::WriteBlindly { slot } => {
            let what = outcome(before.row, after.requests[slot], after.row);
            format!("the node of {} writes: {what}", of(request(slot)))
        }
        Action::Look { slot } => {
            let what = after.pending.map_or_else(
                || outcome(before.row, after.requests[slot], after.row),
                |pending| format!("{:?}", pending.decision).to_lowercase(),
            );
            format!("the row is locked for {}: {what}", of(request(slot)))
        }
        Action::Commit => format!("it commits: {}", change(before.row, after.row)),
        Action::Receive { slot } => match request(slot) {
            Some(Request { from, phase: Phase::Answered(response), .. }) => {
                format!("{from} gets {response}")
            }
            _ => String::new(),
        },
        Action::StoreKey => format!("{} is stored", key_name(after.storage.key)),
        Action::Lose { slot } => match request(slot).map(|request| request.phase) {
            Some(Phase::Answered(_)) => format!("the answer to {} is lost", of(request(slot))),
            _ => format!("{} is lost", of(request(slot))),
        },
        Action::GiveUp { slot } => format!("the client of {} gives up", of(request(slot))),
        Action::Crash(node) => format!("{node} crashes"),
        Action::Tick => "time passes".to_owned(),
        Action::LogOut => "the owner logs out".to_owned(),
        Action::Steal => format!("the thief copies token {}", before.storage.generation),
        Action::Show(generation, key) => {
            format!("the thief shows token {generation} with {}", key_name(key))
        }
        Action::Forge(generation) => format!("the thief forges token {generation}"),
        Action::Secure => "the database secures its writes".to_owned(),
        Action::LoseWrites => format!("writes are lost: {}", change(before.row, after.row)),
    }
}

fn outcome(before: Row, request: Option<Request>, after: Row) -> String {
    match request.map(|request| request.phase) {
        Some(Phase::Missed(_)) => "no row is touched".to_owned(),
        Some(Phase::Read(_)) => "it may rotate".to_owned(),
        Some(Phase::Answered(response)) => {
            format!("{}, the answer is {response}", change(before, after))
        }
        _ => change(before, after),
    }
}

fn change(before: Row, after: Row) -> String {
    if before.ended != after.ended {
        let reason = after.ended.map_or("nothing", |reason| reason.as_str());
        format!("the session is ended by {reason}")
    } else if before.generation == after.generation {
        "the row stays".to_owned()
    } else {
        format!("the row goes from {} to {}", before.generation, after.generation)
    }
}

fn of(request: Option<Request>) -> String {
    request.map_or_else(String::new, |request| {
        format!("token {} of {}", request.generation, request.from)
    })
}

fn presented(request: &Request) -> String {
    format!("token {} with {}", request.generation, key_name(request.key))
}

fn key_name(key: Option<Key>) -> String {
    match key {
        None => "no key".to_owned(),
        Some(Key::Thief) => "the thief's key".to_owned(),
        Some(Key::Own(generation, 0)) => format!("key {generation}"),
        Some(Key::Own(generation, _)) => format!("another key {generation}"),
    }
}

impl fmt::Display for Party {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::TabA => "tab A",
            Self::TabB => "tab B",
            Self::Thief => "the thief",
        })
    }
}

impl fmt::Display for Node {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::One => "node one",
            Self::Two => "node two",
        })
    }
}

impl fmt::Display for TestResponse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(generation) => write!(formatter, "token {generation}"),
            Self::Reused => formatter.write_str("401 refresh_token_reused"),
            Self::Ended => formatter.write_str("401 session_ended"),
            Self::Invalid => formatter.write_str("401 invalid_token"),
        }
    }
}
