//! Tests of the dialect with an in-memory store and real tokens.

mod cookie;
mod fixture;
mod header;
mod refusals;
