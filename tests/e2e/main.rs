//! End-to-end tests: the real program on SQLite and on Postgres.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by a panic, and JSON is read by its members"
)]

mod accounts;
mod addresses;
mod administration;
mod audit_trail;
mod authorization;
mod bad_files;
mod bearer;
mod bodies;
mod brute_force;
mod commands;
mod confirmations;
mod cookies;
mod cors;
mod csrf;
mod departures;
mod dev_inbox;
mod dialects;
mod disk;
mod doctor;
mod email_rules;
mod emails;
mod exposure;
mod feed;
mod first_start;
mod forged;
mod headers;
mod hijacks;
mod http_file;
mod known_devices;
mod leaks;
mod master_key;
mod oauth;
mod operations;
mod operator;
mod ops;
mod own_sessions;
mod pages;
mod passwords;
mod problems;
mod readme;
mod refresh_races;
mod replays;
mod resets;
mod session_commands;
mod session_ends;
mod soak;
mod stopping;
mod support;
mod tls;
mod user_commands;
mod walk;
