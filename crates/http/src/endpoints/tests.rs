//! Tests of endpoints over a store in memory, with tokens as they are.

mod administration;
mod clients;
mod explain;
mod fixture;
mod introspect;
mod invitation_page;
mod not_me;
mod revocations;
mod revoke;
mod sessions;
mod streams;
mod wire;
