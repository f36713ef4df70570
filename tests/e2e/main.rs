//! End-to-end tests: the real program on SQLite and on Postgres.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by a panic, and JSON is read by its members"
)]

mod accounts;
mod api;
mod authorization;
mod bad_files;
mod bearer;
mod bodies;
mod canaries;
mod commands;
mod crashes;
mod disconnects;
mod disk;
mod end_races;
mod exposure;
mod first_start;
mod forged;
mod harness;
mod headers;
mod honest;
mod http_file;
mod injection;
mod kills;
mod leaks;
mod limits;
mod loot;
mod lost_answers;
mod many_nodes;
mod operations;
mod operator;
mod ops;
mod outage;
mod overload;
mod pair;
mod passwords;
mod problems;
mod readme;
mod refresh_races;
mod replays;
mod session_ends;
mod slow;
mod stage;
mod stopping;
mod tls;
mod vectors;
mod walk;
mod write_races;
