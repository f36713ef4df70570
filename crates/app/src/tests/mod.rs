//! Tests of the use cases: against the memory store, and against mocks where the call is the point.

mod accounts;
mod fakes;
mod keys;
mod logins;
mod refreshes;
