//! What the tests of Gateward share: a store in memory, a clock that stands still, randomness that
//! repeats itself, and the promises that every store must keep.
//!
//! - [`FixedClock`] and [`SeededEntropy`] make time and randomness a matter of the test.
//! - [`fixtures`] makes accounts, sessions, tokens, keys, events, clients, invalidation events and mail from
//!   a seed.
//! - [`MemoryStore`] is a store without a database; it keeps all the promises below.
//! - [`conformance!`] makes one test of each promise of the ports, over any store:
//!
//! ```
//! mod memory {
//!     gateward_testkit::conformance!(gateward_testkit::MemoryStore::new());
//! }
//! ```
//!
//! The expression is evaluated anew for each test, may `.await`, and gives a migrated, empty store,
//! or a [`Subject`] that holds something beside it, such as the folder of its file:
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
