//! Test support for Gateward: an in-memory store, fakes of other ports, and the conformance suite
//! for stores.
//!
//! - [`FixedClock`] and [`SeededEntropy`] let the test control time and randomness.
//! - [`fixtures`] creates accounts, sessions, tokens, keys, events, known devices, invalidation
//!   events and mail from a seed.
//! - [`MemoryStore`] is a store without a database. It passes the conformance suite.
//!   [`FaultyStore`] is the same, but fails on demand.
//! - [`PlainHasher`] keeps passwords in clear text, and [`DroppingMailer`] sends no email.
//! - [`eventually()`] waits until a condition holds.
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
mod eventually;
mod faulty_store;
pub mod fixtures;
mod hasher;
mod mailer;
mod memory;
pub mod suite;

pub use clock::FixedClock;
pub use entropy::SeededEntropy;
pub use eventually::eventually;
pub use faulty_store::{FaultyStore, StoreFault};
pub use hasher::PlainHasher;
pub use mailer::DroppingMailer;
pub use memory::MemoryStore;
pub use suite::Subject;
