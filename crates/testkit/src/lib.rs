//! Test support for Gateward: an in-memory store, a fixed clock, reproducible randomness, and the
//! conformance suite for stores.
//!
//! - [`FixedClock`] and [`SeededEntropy`] let the test control time and randomness.
//! - [`fixtures`] creates accounts, sessions, tokens, keys, events, known devices, invalidation
//!   events and mail from a seed.
//! - [`MemoryStore`] is a store without a database. It passes the conformance suite.
//! - [`conformance!`] creates one test for each promise of the ports, for any store:
//!
//! ```
//! mod memory {
//!     gateward_testkit::conformance!(gateward_testkit::MemoryStore::new());
//! }
//! ```
//!
//! The expression is evaluated for each test and may `.await`. It returns a migrated, empty store,
//! or a [`Subject`] that also owns a resource, such as the folder of its file:
//!
//! ```ignore
//! mod sqlite {
//!     async fn fresh() -> gateward_testkit::Subject {
//!         let folder = tempfile::tempdir().unwrap();
//!         let store = open(folder.path()).await;
//!         gateward_testkit::Subject::guarded(store, folder)
//!     }
//!
//!     gateward_testkit::conformance!(fresh().await);
//! }
//! ```
#![warn(missing_docs)]
#![expect(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "this crate serves tests, and a test fails by a panic"
)]

mod clock;
mod entropy;
pub mod fixtures;
mod memory;
pub mod suite;

pub use clock::FixedClock;
pub use entropy::SeededEntropy;
pub use memory::MemoryStore;
pub use suite::Subject;
