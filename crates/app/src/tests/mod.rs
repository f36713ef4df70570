//! Tests of the use cases: against the memory store, and against mocks where the call is the point.

mod accounts;
mod addresses;
mod clients;
mod confirmations;
mod deletion;
mod failing;
mod fakes;
mod hijacks;
mod key_changes;
mod keys;
mod knowing;
mod letters;
mod logins;
mod mailbox;
mod notices;
mod refreshes;
mod resets;
mod retries;
mod signups;
mod stale_letters;
mod stories;
mod undos;
