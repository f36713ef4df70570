//! Tests of endpoints with an in-memory store and real tokens.

mod administration;
mod clients;
mod explain;
mod fixture;
mod introspect;
mod invitation_page;
mod not_me;
mod prepared;
mod revocations;
mod revoke;
mod sessions;
mod streams;
mod wire;
