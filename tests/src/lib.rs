//! The harness of the end-to-end tests: databases, nodes and clients.
//!
//! - [`TestDatabase`] is a migrated database, removed when dropped.
//! - [`Node`] is a node of the real program, in a process of its own or in that of the test, killed
//!   when dropped.
//! - [`Client`] speaks HTTP to a node and returns a [`TestResponse`].
//! - [`Wire`] sends raw bytes to a node.
//! - [`MailServer`] receives emails in a separate process, and returns them as [`Mail`].
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

use std::num::NonZero;
use std::path::Path;
use std::time::Duration;

pub use browser::{Browser, BrowserPlan, Element, Session};
pub use client::{Client, PASSWORD, TestResponse, claims};
pub use database::{Database, TestDatabase};
pub use faketime::{Environment, FastClock, ShiftedClock};
pub use gateward_testkit::eventually;
pub use mail::{Mail, MailPlan, MailServer, MailTls};
pub use node::{MASTER_KEY, Node, Plan, program, run};
pub use wire::{RawResponse, Wire};

/// The folder of the repository.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace")
}

/// How often a long test repeats itself: `small` times in the gate, and `GATEWARD_SOAK` times as
/// many by hand (`make soak SOAK=10`).
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the environment configures a test")]
pub fn rounds<N: std::ops::Mul<Output = N> + From<u8>>(small: N) -> N {
    let factor = std::env::var("GATEWARD_SOAK").unwrap_or_else(|_| "1".to_owned());
    let factor: NonZero<u8> = factor.parse().expect("GATEWARD_SOAK is a number from 1 to 255");
    small * N::from(factor.get())
}

/// The median, the upper one of two.
#[must_use]
pub fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort();
    times[times.len() / 2]
}

/// Reports a skipped check, so that it is visible although the test passes: macros print only for
/// failures. In the gate (`CI=true`) it fails instead.
#[expect(clippy::disallowed_methods, reason = "the environment configures a test")]
pub fn not_checked(what: &str) {
    use std::io::Write;
    assert!(std::env::var("CI").as_deref() != Ok("true"), "not checked: {what}");
    let _ = writeln!(std::io::stderr(), "\n*** NOT CHECKED: {what}\n");
}

/// Creates a test on SQLite and one on Postgres for each function, which takes a [`Database`].
#[macro_export]
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        $crate::on_sqlite!($($name),*);

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

/// The same on SQLite alone, for what does not depend on the database.
#[macro_export]
macro_rules! on_sqlite {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::$name($crate::Database::Sqlite).await;
                }
            )*
        }
    };
}
