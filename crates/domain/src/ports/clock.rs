//! `Clock`: what time it is.

use crate::Timestamp;

/// Tells the time. A use case asks once and passes the answer down.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}
