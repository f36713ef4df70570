//! `PlainHasher`: password hashes in clear text.

use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use gateward_domain::ports::{HashError, PasswordHasher};
use gateward_domain::{Password, PasswordHash};

const PREFIX: &str = "plain:";

const OUTDATED_PREFIX: &str = "old:";

/// Hashes by adding the prefix `plain:` to the password, and counts.
///
/// It also verifies hashes with the prefix `old:`, which need a rehash.
#[derive(Debug, Default)]
pub struct PlainHasher {
    hashed: AtomicU32,
    verified: AtomicU32,
}

impl PlainHasher {
    /// Returns the number of hashed passwords.
    #[must_use]
    pub fn hashed(&self) -> u32 {
        self.hashed.load(Ordering::Relaxed)
    }

    /// Returns the number of verified passwords, right or wrong.
    #[must_use]
    pub fn verified(&self) -> u32 {
        self.verified.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl PasswordHasher for PlainHasher {
    async fn hash(&self, password: &Password) -> Result<PasswordHash, HashError> {
        self.hashed.fetch_add(1, Ordering::Relaxed);
        Ok(PasswordHash::from_phc(format!("{PREFIX}{}", password.expose())))
    }

    async fn verify(&self, password: &Password, hash: &PasswordHash) -> Result<bool, HashError> {
        self.verified.fetch_add(1, Ordering::Relaxed);
        let text = hash.expose();
        let bare = text.strip_prefix(PREFIX).or_else(|| text.strip_prefix(OUTDATED_PREFIX));
        Ok(bare == Some(password.expose()))
    }

    fn needs_rehash(&self, hash: &PasswordHash) -> bool {
        hash.expose().starts_with(OUTDATED_PREFIX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::received(text.to_owned()).unwrap()
    }

    #[tokio::test]
    async fn a_plain_hash_is_current_and_an_old_one_is_outdated() {
        let hasher = PlainHasher::default();
        let (right, wrong) = (password("correct horse"), password("wrong horse"));
        let current = hasher.hash(&right).await.unwrap();
        assert_eq!(current.expose(), "plain:correct horse");
        let outdated = PasswordHash::from_phc("old:correct horse".to_owned());
        for (hash, is_outdated) in [(&current, false), (&outdated, true)] {
            assert_eq!(hasher.verify(&right, hash).await, Ok(true));
            assert_eq!(hasher.verify(&wrong, hash).await, Ok(false));
            assert_eq!(hasher.needs_rehash(hash), is_outdated);
        }
        let other = PasswordHash::from_phc("correct horse".to_owned());
        assert_eq!(hasher.verify(&right, &other).await, Ok(false));
        assert_eq!((hasher.hashed(), hasher.verified()), (1, 5));
    }
}
