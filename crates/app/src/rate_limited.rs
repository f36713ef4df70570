//! `RateLimited`: too much was tried.

use gateward_domain::ports::StoreError;

/// So many wrong secrets were given that no more are looked at for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many tries; the next one in {retry_after_seconds} seconds")]
pub struct RateLimited {
    /// After how many seconds the next one is looked at.
    pub retry_after_seconds: u32,
}

/// Why nothing is looked at.
#[derive(Debug, thiserror::Error)]
pub enum RateLimitError {
    /// Too much was tried.
    #[error(transparent)]
    RateLimited(#[from] RateLimited),
    /// The store has failed, or there is no key to count under; what cannot be counted is not
    /// looked at.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Errors of use cases that say that too much was tried.
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
