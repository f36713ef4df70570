//! End-to-end tests: the real program on SQLite and on Postgres.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by a panic, and JSON is read by its members"
)]

mod accounts;
mod addresses;
mod api;
mod authorization;
mod bad_files;
mod bearer;
mod bodies;
mod browser_flow;
mod canaries;
mod commands;
mod confirmations;
mod crashes;
mod departures;
mod dev_inbox;
mod disconnects;
mod disk;
mod end_races;
mod exposure;
mod first_start;
mod forged;
mod harness;
mod headers;
mod hijacks;
mod honest;
mod http_file;
mod injection;
mod kills;
mod leaks;
mod letter_canaries;
mod letter_rules;
mod letters;
mod limits;
mod loot;
mod lost_answers;
mod mail_crash;
mod mail_faults;
mod mail_operator;
mod mail_outage;
mod mail_relays;
mod mail_stage;
mod many_nodes;
mod operations;
mod operator;
mod ops;
mod outage;
mod overload;
mod pages;
mod pair;
mod passwords;
mod post;
mod problems;
mod readme;
mod refresh_races;
mod replays;
mod resets;
mod session_ends;
mod slow;
mod stage;
mod stopping;
mod tls;
mod vectors;
mod walk;
mod write_races;
