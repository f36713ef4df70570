//! The harness of the end-to-end tests: databases, nodes and clients.
//!
//! - [`TestDatabase`] is an empty database, gone when dropped.
//! - [`Node`] is the real program as a process of its own, killed when dropped.
//! - [`Client`] speaks HTTP to a node and gives an [`Answer`].
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "this crate serves tests, and a test fails by a panic"
)]

mod client;
mod database;
mod node;

pub use client::{Answer, Client, PASSWORD, claims};
pub use database::{Database, TestDatabase};
pub use node::{MASTER_KEY, Node, Plan, program, run};

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
