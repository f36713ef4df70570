//! `State`: the database, the storage of the clients, the requests under way and the thief.

use gateward_domain::EndReason;
use gateward_domain::refresh::RotationDecision;

/// The generations of the model: 1 to this. The token of this one is not presented.
pub const LAST_GENERATION: u8 = 4;

/// Maximum number of concurrent requests, of all senders.
pub const SLOTS: usize = 4;

/// A sender of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// An honest client, such as a browser tab.
    TabA,
    /// Another one, which shares the storage for token and key with the first.
    TabB,
    /// The holder of a copy.
    Thief,
}

impl Party {
    /// The honest clients.
    pub const TABS: [Self; 2] = [Self::TabA, Self::TabB];

    /// Its index in [`Self::TABS`]; the thief has none.
    pub fn index(self) -> usize {
        self as usize
    }
}

/// An idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// The clients' key for the token of a generation; several if they have a fault.
    Own(u8, u8),
    /// The thief's own.
    Thief,
}

/// The storage of the clients: a token, identified by its generation, and its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientStorage {
    pub generation: u8,
    pub key: Option<Key>,
}

/// The row of the session. Ages are in ticks before now and stop at `Config::age_max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Row {
    pub generation: u8,
    /// Age of the recorded time of the rotation, by the clock of the node that did it.
    pub age: i8,
    /// Age of the rotation itself. Nothing in the model can see it; the promises are checked
    /// against it.
    pub true_age: i8,
    pub key: Option<Key>,
    pub ended: Option<EndReason>,
}

/// A response of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestResponse {
    /// The token of this generation.
    Token(u8),
    /// 401 `refresh_token_reused`.
    Reused,
    /// 401 `session_ended`.
    Ended,
    /// 401 `invalid_token`.
    Invalid,
}

/// A node of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    One,
    Two,
}

impl Node {
    pub const ALL: [Self; 2] = [Self::One, Self::Two];
}

/// The progress of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It is on its way, or waits at a node.
    Sent,
    /// Only with the fault `ReadThenWrite`: the row was read and allows a rotation.
    Read(Node),
    /// The conditional statement has changed no row.
    Missed(Node),
    /// The second transaction has locked the row and written, and has not committed.
    Open(Node, TestResponse),
    /// It is decided and committed. The response is at its node or on its way; a crash of the node
    /// and a loss on the way have the same effect.
    Answered(TestResponse),
}

impl Phase {
    /// The node that processes it.
    pub fn node(self) -> Option<Node> {
        match self {
            Self::Sent | Self::Answered(_) => None,
            Self::Read(node) | Self::Missed(node) | Self::Open(node, _) => Some(node),
        }
    }

    /// Whether the rules are still to be applied to it.
    pub fn is_undecided(self) -> bool {
        matches!(self, Self::Sent | Self::Read(_) | Self::Missed(_))
    }
}

/// A request that is under way, or its response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    pub from: Party,
    pub generation: u8,
    pub key: Option<Key>,
    /// Whether the secret is wrong.
    pub forged: bool,
    /// Ticks since it was sent, up to the deadline.
    pub age: u8,
    /// Whether the sender still waits for the response.
    pub awaited: bool,
    pub phase: Phase,
}

/// The uncommitted writes of a second transaction; it holds the lock of the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    pub row: Row,
    pub node: Node,
    /// The request as it was judged.
    pub request: Request,
    pub decision: RotationDecision,
}

/// What the thief has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct StolenTokens {
    /// What he copied.
    pub copy: Option<ClientStorage>,
    /// The generations of which he has the token, one bit each.
    pub tokens: u8,
}

/// The notes of an omniscient observer. No step depends on them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Notes {
    /// The generations whose token was accepted from a client, one bit each; recorded only with a
    /// thief.
    pub owner: u8,
    /// Those whose token was accepted from the thief.
    pub thief: u8,
    /// The promises that a step broke, one bit each.
    pub broken: u8,
}

/// The complete state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    pub row: Row,
    pub pending: Option<Pending>,
    /// The row as the database has secured it, to which it goes back when it loses writes.
    pub kept: Row,
    pub storage: ClientStorage,
    /// What each client has read; only careless clients present it.
    pub read: [ClientStorage; 2],
    pub requests: [Option<Request>; SLOTS],
    pub stolen: StolenTokens,
    pub notes: Notes,
}

impl State {
    /// The requests under way with their indexes.
    pub fn under_way(&self) -> impl Iterator<Item = (usize, Request)> + '_ {
        self.requests.iter().enumerate().filter_map(|(slot, request)| Some((slot, (*request)?)))
    }
}
