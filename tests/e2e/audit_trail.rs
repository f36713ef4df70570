//! The audit trail: a chain that nobody changes unnoticed, and what is written into it.

mod aging;
mod atomic;
mod busy;
mod erasure;
mod files;
mod forger;
mod kept;
mod ledger;
mod planted;
mod reader;
mod recorded;
