//! `BreachedPasswords`: passwords that were found where passwords were stolen.

use async_trait::async_trait;

use crate::Password;

/// The list of breached passwords cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the list of breached passwords cannot be read")]
pub struct BreachedUnavailable(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Passwords that were found where passwords were stolen.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait BreachedPasswords: Send + Sync {
    /// Whether the password is one of them.
    async fn is_breached(&self, password: &Password) -> Result<bool, BreachedUnavailable>;
}

/// No list is configured: none is.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBreachedPasswords;

#[async_trait]
impl BreachedPasswords for NoBreachedPasswords {
    async fn is_breached(&self, _: &Password) -> Result<bool, BreachedUnavailable> {
        Ok(false)
    }
}
