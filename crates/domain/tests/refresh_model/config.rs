//! `Config`: what one run of the checker allows, and the faults that can be seeded.

use crate::state::LAST_GENERATION;

/// What the attacker can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thief {
    /// There is no attacker.
    None,
    /// Creates tokens with a wrong secret.
    Forger,
    /// Copies the token, once, at any time.
    Token,
    /// Copies the token and its key.
    TokenAndKey,
}

/// A fault in the service or in its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// None: the rules as they are.
    None,
    /// The service repeats for any key.
    KeyNotCompared,
    /// The leeway lasts one tick too long: "at most" in place of "less than".
    LeewayTooLong,
    /// The leeway is one tick too short.
    LeewayTooShort,
    /// A repeat counts as a rotation for the leeway.
    RepeatExtendsLeeway,
    /// A token is repeated although its successor has been presented.
    RepeatAfterSuccessor,
    /// The 401 of a replay is sent before the end is committed.
    ResponseBeforeCommit,
    /// The secret is not compared for generations behind the row.
    OldSecretUnchecked,
    /// The secret is not compared for generations ahead of the row.
    NewSecretUnchecked,
    /// A replay ends a session that has already ended.
    EndedAgain,
    /// The end of a session is not checked.
    EndIgnored,
    /// A token ahead of the row is a replay.
    NoCatchUp,
    /// The row is read in one statement and written in another that does not check it again.
    ReadThenWrite,
    /// The service processes requests of any age.
    NoDeadline,
    /// The clients present the next token while a request with this one can still be processed.
    NextTooEarly,
    /// The clients use one key for all tokens.
    KeyReused,
    /// The clients derive the key from the token, and the thief knows how.
    KeyDerived,
    /// The clients create a key for each request.
    KeyPerRequest,
    /// The clients store a response without checking what is stored.
    StoresBlindly,
    /// The clients store the token first and its key in a second step.
    KeyStoredLater,
    /// No fault in the service: the clocks differ, and the promises do not account for it.
    ClocksIgnored,
}

/// What one run allows.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent switch")]
pub struct Config {
    /// The run's name in the report.
    pub name: &'static str,
    /// Whether the clients send keys.
    pub keys: bool,
    /// The leeway in ticks; 0 turns it off.
    pub leeway: i8,
    /// Number of ticks after which the service drops a request.
    pub deadline: u8,
    /// Number of ticks by which the clock of the second node is ahead.
    pub skew: i8,
    /// The attacker.
    pub thief: Thief,
    /// Whether the database may lose its last writes, repeatedly.
    pub loses_writes: bool,
    /// Whether the owner may log out.
    pub logout: bool,
    /// Whether the clients present what they read before, and do not read again before they send.
    pub careless: bool,
    /// Whether the clients hold the next token back until each request with this one is answered or
    /// given up, and not only until it cannot be processed any more.
    pub patient: bool,
    /// Maximum number of concurrent requests of the clients, and of the thief.
    pub requests: (usize, usize),
    /// The seeded fault.
    pub fault: Fault,
}

impl Config {
    /// Two careful clients with keys, no attacker, and a database that keeps its commits.
    pub const KEYS: Self = Self {
        name: "keys",
        keys: true,
        leeway: 0,
        deadline: 2,
        skew: 0,
        thief: Thief::None,
        loses_writes: false,
        logout: false,
        careless: false,
        patient: false,
        requests: (4, 0),
        fault: Fault::None,
    };

    /// The same with a fault.
    pub fn with(self, fault: Fault) -> Self {
        Self { fault, ..self }
    }

    /// Whether an attacker has a copy of a token.
    pub fn has_copy(&self) -> bool {
        matches!(self.thief, Thief::Token | Thief::TokenAndKey)
    }

    /// The age in ticks from which on a repeat without a key is not promised any more.
    ///
    /// A clock that is ahead shortens it by that difference.
    pub fn leeway_shortest(&self) -> i8 {
        self.leeway - self.skew_allowed()
    }

    /// The age in ticks from which on no repeat without a key may happen.
    pub fn leeway_longest(&self) -> i8 {
        if self.leeway == 0 { 0 } else { self.leeway + self.skew_allowed() }
    }

    /// The age beyond which time makes no difference: one more than any rule checks.
    pub fn age_max(&self) -> i8 {
        if self.leeway == 0 { 0 } else { self.leeway + self.skew + 1 }
    }

    /// Whether a token can be presented without leaving the generations of the model.
    pub fn is_in_bounds(generation: u8) -> bool {
        generation < LAST_GENERATION
    }

    fn skew_allowed(&self) -> i8 {
        if self.fault == Fault::ClocksIgnored { 0 } else { self.skew }
    }
}
