//! `RefreshModel`: the possible steps, and the effect of each on a state.

use stateright::{Model, Property};

use crate::config::{Config, Thief};
use crate::rules::Rules;
use crate::state::{
    ClientStorage, Key, Node, Notes, Party, Phase, Row, SLOTS, State, StolenTokens,
};

/// Clients, thief, service and database.
#[derive(Clone, Debug)]
pub struct RefreshModel {
    pub config: Config,
    pub rules: Rules,
}

/// A step. A number named slot is the index of a request in [`State::requests`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A careless client reads the storage.
    Read(Party),
    /// A client presents a token; the number distinguishes keys that should be one.
    Send(Party, u8),
    /// A node takes a request: the conditional statement.
    Handle { slot: usize, node: Node },
    /// A node writes its decision on a row read before.
    WriteBlindly { slot: usize },
    /// The second transaction.
    Look { slot: usize },
    /// The second transaction commits.
    Commit,
    /// A response arrives.
    Receive { slot: usize },
    /// A key is stored for the token that is already stored.
    StoreKey,
    /// A request or a response is lost.
    Lose { slot: usize },
    /// A client stops waiting.
    GiveUp { slot: usize },
    /// A node crashes.
    Crash(Node),
    /// Time passes.
    Tick,
    /// The owner logs out.
    LogOut,
    /// The thief copies the storage.
    Steal,
    /// The thief presents a token.
    Show(u8, Option<Key>),
    /// A forger presents a token of a generation, with a wrong secret.
    Forge(u8),
    /// The database secures its last writes.
    Secure,
    /// The database loses what it has not secured.
    LoseWrites,
}

impl RefreshModel {
    pub fn new(config: Config) -> Self {
        Self { rules: Rules::new(config.clone()), config }
    }

    /// The actions on requests under way.
    ///
    /// While a second transaction holds the row's lock, every other statement on the row waits. The
    /// thief neither gives up nor loses anything: a lost request equals one that he did not send,
    /// and a lost response equals one that he does not use.
    fn request_actions(state: &State, actions: &mut Vec<Action>) {
        let is_free = state.pending.is_none();
        for (slot, request) in state.under_way() {
            let is_thief = request.from == Party::Thief;
            match request.phase {
                Phase::Sent if is_free => {
                    actions.extend(Node::ALL.map(|node| Action::Handle { slot, node }));
                }
                Phase::Read(_) if is_free => actions.push(Action::WriteBlindly { slot }),
                Phase::Missed(_) if is_free => actions.push(Action::Look { slot }),
                Phase::Answered(_) => actions.push(Action::Receive { slot }),
                Phase::Sent | Phase::Read(_) | Phase::Missed(_) | Phase::Open(..) => {}
            }
            if !is_thief && matches!(request.phase, Phase::Sent | Phase::Answered(_)) {
                actions.push(Action::Lose { slot });
            }
            if !is_thief && request.awaited && !matches!(request.phase, Phase::Answered(_)) {
                actions.push(Action::GiveUp { slot });
            }
        }
        for node in Node::ALL {
            let works = state.under_way().any(|(_, request)| request.phase.node() == Some(node));
            if works || state.pending.is_some_and(|pending| pending.node == node) {
                actions.push(Action::Crash(node));
            }
        }
    }
}

impl Model for RefreshModel {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let row = Row { generation: 1, age: 0, true_age: 0, key: None, ended: None };
        let storage = ClientStorage { generation: 1, key: self.fresh_key(1, 0) };
        vec![State {
            row,
            pending: None,
            kept: row,
            storage,
            read: [storage; 2],
            requests: [None; SLOTS],
            stolen: StolenTokens::default(),
            notes: Notes::default(),
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for tab in Party::TABS {
            self.client_actions(state, tab, actions);
        }
        Self::request_actions(state, actions);
        if state.pending.is_some() {
            actions.push(Action::Commit);
        } else if self.config.logout && state.row.ended.is_none() {
            actions.push(Action::LogOut);
        }
        if self.config.thief != Thief::None {
            self.thief_actions(state, actions);
        }
        if self.config.loses_writes && state.kept != state.row {
            actions.extend([Action::Secure, Action::LoseWrites]);
        }
        actions.push(Action::Tick);
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Read(tab) => state.read[tab.index()] = state.storage,
            Action::Send(tab, copy) => self.send(&mut state, tab, copy),
            Action::Handle { slot, node } => self.handle(&mut state, slot, node),
            Action::WriteBlindly { slot } => self.write_blindly(&mut state, slot),
            Action::Look { slot } => self.look(&mut state, slot),
            Action::Commit => self.commit(&mut state),
            Action::Receive { slot } => self.receive(&mut state, slot),
            Action::StoreKey => self.store_key(&mut state),
            Action::Lose { slot } => state.requests[slot] = None,
            Action::GiveUp { slot } => Self::give_up(&mut state, slot),
            Action::Crash(node) => Self::crash(&mut state, node),
            Action::Tick => self.tick(&mut state),
            Action::LogOut => Self::log_out(&mut state),
            Action::Steal => self.steal(&mut state),
            Action::Show(generation, key) => {
                Self::show(&mut state, ClientStorage { generation, key });
            }
            Action::Forge(generation) => Self::forge(&mut state, generation),
            Action::Secure => state.kept = state.row,
            Action::LoseWrites => Self::lose_writes(&mut state),
        }
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        self.promises().chain(self.sights()).collect()
    }
}
