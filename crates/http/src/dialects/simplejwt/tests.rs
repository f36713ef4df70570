//! Tests of the dialect with an in-memory store and real tokens.

mod bodies;
mod document;
mod fixture;
mod protected;
mod sign_up;
mod tokens;
