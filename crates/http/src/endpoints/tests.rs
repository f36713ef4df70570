//! Tests of endpoints over a store in memory, with tokens as they are.

mod explain;
mod introspect;
mod not_me;
mod revocations;
mod revoke;
mod sessions;
mod stage;
mod streams;
mod wire;
