//! The harness of the end-to-end tests: databases, nodes and clients.
//!
//! - [`TestDatabase`] is an empty database, gone when dropped.
//! - [`Node`] is the real program as a process of its own, killed when dropped.
//! - [`Client`] speaks HTTP to a node and gives an [`TestResponse`].
//! - [`Wire`] sends bytes to a node as no client library would.
//! - [`MailServer`] takes emails, as a process of its own, and gives them as [`Mail`].
//! - [`Browser`] opens pages in Chromium.
//! - [`FastClock`] and [`ShiftedClock`] show a node another time of day.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "this crate serves tests, and a test fails by a panic"
)]

mod browser;
mod client;
mod database;
mod faketime;
mod mail;
mod node;
mod wire;

pub use browser::{Browser, BrowserPlan, Element, Session};
pub use client::{Client, PASSWORD, TestResponse, claims};
pub use database::{Database, TestDatabase};
pub use faketime::{Environment, FastClock, ShiftedClock};
pub use mail::{Mail, MailPlan, MailServer, MailTls};
pub use node::{MASTER_KEY, Node, Plan, program, run};
pub use wire::{RawResponse, Wire};

/// Says that something is not checked here, so that it is seen although the test passes: what is
/// printed by a macro is shown for failures alone. In the gate (`CI=true`) it fails instead.
#[expect(clippy::disallowed_methods, reason = "a test is told by its environment")]
pub fn not_checked(what: &str) {
    use std::io::Write;
    assert!(std::env::var("CI").as_deref() != Ok("true"), "not checked: {what}");
    let _ = writeln!(std::io::stderr(), "\n*** NOT CHECKED: {what}\n");
}

/// Makes a test on SQLite and one on Postgres of each function, which takes a [`Database`].
#[macro_export]
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::$name($crate::Database::Sqlite).await;
                }
            )*
        }

        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::$name($crate::Database::Postgres).await;
                }
            )*
        }
    };
}
