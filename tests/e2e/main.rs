//! End-to-end tests: the real program on SQLite and on Postgres.
#![expect(
    clippy::indexing_slicing,
    reason = "a test fails by a panic, and JSON is read by its members"
)]

mod walk;
