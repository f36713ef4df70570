//! The audit trail: a chain that reveals every change, and the events that it records.

mod aging;
mod atomic;
mod erasure;
mod files;
mod forger;
mod kept;
mod ledger;
mod planted;
mod reader;
mod recorded;
mod soak;
