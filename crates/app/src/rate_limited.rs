//! `RateLimited`: the error of an exceeded rate limit.

use gateward_domain::ports::StoreError;

/// Too many wrong secrets: further attempts are refused for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts; retry in {retry_after_seconds} seconds")]
pub struct RateLimited {
    /// Number of seconds after which the next attempt is accepted.
    pub retry_after_seconds: u32,
}

/// Why an attempt is refused.
#[derive(Debug, thiserror::Error)]
pub enum RateLimitError {
    /// A rate limit applies.
    #[error(transparent)]
    RateLimited(#[from] RateLimited),
    /// The store failed, or there is no key for the counters. An attempt that cannot be counted is
    /// refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Implements the conversion for errors of use cases that report a rate limit.
macro_rules! rate_limited {
    ($($error:ty),*) => {
        $(impl From<$crate::RateLimitError> for $error {
            fn from(error: $crate::RateLimitError) -> Self {
                match error {
                    $crate::RateLimitError::RateLimited(error) => Self::RateLimited(error),
                    $crate::RateLimitError::Store(error) => error.into(),
                }
            }
        })*
    };
}

pub(crate) use rate_limited;
