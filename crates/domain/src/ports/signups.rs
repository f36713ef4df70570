//! `SignupRepo`: pending sign-ups.

use async_trait::async_trait;

use super::StoreError;
use crate::link::SecretHash;
use crate::signup::PendingSignup;
use crate::{EmailAddress, SignupId, Timestamp};

/// The pending sign-ups. The finders skip expired ones.
#[async_trait]
pub trait SignupRepo: Send {
    /// Inserts a sign-up. Several sign-ups may use the same username or email address.
    async fn insert_signup(&mut self, signup: &PendingSignup) -> Result<(), StoreError>;

    /// Returns the sign-up with this identifier.
    async fn find_signup(
        &mut self,
        id: SignupId,
        now: Timestamp,
    ) -> Result<Option<PendingSignup>, StoreError>;

    /// Returns the sign-up whose secret has this hash.
    async fn find_signup_by_secret(
        &mut self,
        secret: &SecretHash,
        now: Timestamp,
    ) -> Result<Option<PendingSignup>, StoreError>;

    /// Returns the newest sign-up of an email address.
    async fn find_newest_signup(
        &mut self,
        email: &EmailAddress,
        now: Timestamp,
    ) -> Result<Option<PendingSignup>, StoreError>;

    /// Deletes all sign-ups of an email address and returns their number.
    async fn delete_signups_of_email(&mut self, email: &EmailAddress) -> Result<u64, StoreError>;

    /// Deletes at most `limit` sign-ups that expired before `before`.
    async fn delete_signups(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}
