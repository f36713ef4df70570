//! `Clock`: the current time.

use crate::Timestamp;

/// Returns the time. A use case reads it once and passes it on.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait Clock: Send + Sync {
    /// Returns the current time, UTC.
    fn now(&self) -> Timestamp;
}
