//! The conformance suite: every promise of the storage ports, one function each, named in words.
//!
//! A promise is written once, within `promises!`; its function, and what makes a test of it in
//! every adapter, follow from that. A file of promises that is not listed in `register!` below does
//! not pass the gate, because its list is dead code.

#[macro_use]
mod register;
mod stage;

pub mod accounts;
pub mod combinations;
pub mod credentials;
pub mod ends;
pub mod events;
pub mod keys;
pub mod locks;
pub mod logins;
pub mod rotation;
pub mod rotation_races;
pub mod sessions;
pub mod sweeps;
pub mod units;
pub mod walks;

pub use register::run;
pub use stage::{Stage, Subject};

register! {
    accounts => __promises_accounts,
    combinations => __promises_combinations,
    credentials => __promises_credentials,
    ends => __promises_ends,
    events => __promises_events,
    keys => __promises_keys,
    locks => __promises_locks,
    logins => __promises_logins,
    rotation => __promises_rotation,
    rotation_races => __promises_rotation_races,
    sessions => __promises_sessions,
    sweeps => __promises_sweeps,
    units => __promises_units,
    walks => __promises_walks,
}
