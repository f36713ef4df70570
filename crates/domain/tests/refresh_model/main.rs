//! The rules of refresh, explored exhaustively: every order of every step, within bounds. `make test`
//! ends large runs early; `make soak` does not.
//!
//! The model is two honest clients that share one storage for token and key, at times a thief, a
//! service of two nodes, and a database. Decisions and refresh states are the domain's own: each
//! step calls [`judge`](gateward_domain::refresh::judge) or `RefreshState::after` on a real
//! `Session`. Their environment is modelled:
//!
//! - A node takes a request in **one conditional statement**, which rotates or repeats. If that
//!   changes no row, a **second transaction** locks the row, judges again, and commits; the
//!   response is sent after that. Between any two of these steps anything else may happen: another
//!   request, the crash of the node, a lost response, a client that gives up and retries.
//! - A **client** reads the storage and sends what it finds, including on retries. It stores the
//!   response with a fresh key, unless the storage holds that token or a newer one. It does not
//!   present the next token while a request with this one can still be processed. Patient clients
//!   wait until it is answered or given up, and store any response.
//! - A request may arrive late, even after its sender gave up, but not after the **deadline**.
//! - The **thief** copies the token, with or without the key, once, at any time. He presents what
//!   he has at any time, with no key, a key of his own, or the copied one. A forger has no copy and
//!   presents tokens of any generation with a wrong secret.
//! - A **database** that loses writes goes back to any earlier state that it has secured,
//!   repeatedly, though not to one before the login.
//! - **Time** is a clock of coarse ticks. Only ages count, and those beyond the leeway are
//!   equivalent, so that there is no last tick.
//! - There are **four generations**: the first is 1, and 4 is not presented.
//!
//! What is promised, and when:
//!
//! | promise | holds | run |
//! |---|---|---|
//! | a good client stays in | without a thief, database keeps its commits; without keys while every use of a token falls within the leeway | `KEYS` `LEEWAY` `CLOCKS` `PATIENT` `LEEWAY_PATIENT` `FORGER` `LEEWAY_FORGER` |
//! | a token has one successor | always | all |
//! | thief and owner do not both go on | database keeps its commits, and: keys, or no leeway (once more at the copied generation where the key was copied too); without keys within the leeway of each other | `THIEF` `THIEF_CROWD` `THIEF_WITH_KEY` `STRICT_THIEF` `LEEWAY_THIEF` `CLOCKS_THIEF` |
//! | a good client stays in after a loss of writes | without a thief; without keys as above | `LOSS` `LEEWAY_LOSS` `LOSS_FORGER` |
//! | a session ends once, and the end is committed before it is published | database keeps its commits | all without lost writes |
//! | a wrong secret changes nothing | always | `FORGER` `LEEWAY_FORGER` `LOSS_FORGER` |
//!
//! "Stays in" is more than not having been logged out: in every state, a client that reads the
//! storage and presents its token would be accepted. "Within the leeway" allows for clocks that
//! differ: their difference shortens the time in which a repeat is certain and lengthens that in
//! which it is possible.
//!
//! If the model did too little, a run could keep its promises vacuously. So each run also has
//! **sights**, which must occur, and a minimum number of states. Each of the faults in
//! [`config::Fault`] must break a promise: see [`faults`]. The limits of the promises are in
//! [`limits`].
//!
//! Two things keep the runs small, and neither hides a path. Clients, nodes and the order of
//! requests have no meaning of their own ([`symmetry`]). And a committed response is one state,
//! whether it is still at its node or on its way: a crash and a loss have the same effect.

#[cfg(test)]
mod clients;
#[cfg(test)]
mod config;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod model;
#[cfg(test)]
mod promises;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod runs;
#[cfg(test)]
mod service;
#[cfg(test)]
mod state;
#[cfg(test)]
mod symmetry;
#[cfg(test)]
mod trace;
#[cfg(test)]
mod watch;
