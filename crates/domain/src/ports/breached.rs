//! `BreachedPasswords`: passwords known from data breaches.

use async_trait::async_trait;

use crate::Password;

/// The list of breached passwords cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the list of breached passwords cannot be read")]
pub struct BreachedUnavailable(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Passwords known from data breaches.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait BreachedPasswords: Send + Sync {
    /// Returns whether the password is on the list.
    async fn is_breached(&self, password: &Password) -> Result<bool, BreachedUnavailable>;
}

/// No list is configured: no password counts as breached.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBreachedPasswords;

#[async_trait]
impl BreachedPasswords for NoBreachedPasswords {
    async fn is_breached(&self, _: &Password) -> Result<bool, BreachedUnavailable> {
        Ok(false)
    }
}
