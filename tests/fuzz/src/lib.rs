//! What the fuzz targets share: the service in this process, requests as text, and what must hold
//! for every response.
//!
//! - [`TestService`] serves requests from an in-memory store that is the same for each of them.
//! - [`request`] parses an input. It has the form of the requests in `docs/gateward.http`.
//! - [`Operations`] checks a response against the API document.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "this crate serves tests, and a test fails by a panic"
)]

mod keyring;
mod mailbox;
mod operations;
mod prepare;
pub mod request;
mod service;
mod variables;

pub use keyring::{AUDIENCE, ISSUER, keyring};
pub use operations::Operations;
pub use service::{Exchange, PASSWORD, TestService};
pub use variables::Variables;
