//! `SignupRepo`: sign-ups that wait for their address to be confirmed.

use async_trait::async_trait;

use super::StoreError;
use crate::link::SecretHash;
use crate::signup::PendingSignup;
use crate::{EmailAddress, SignupId, Timestamp};

/// The sign-ups that wait. One whose time is over is not found any more.
#[async_trait]
pub trait SignupRepo: Send {
    /// Adds a sign-up. Any number may want one name or one address.
    async fn insert_signup(&mut self, signup: &PendingSignup) -> Result<(), StoreError>;

    /// The sign-up with this identifier.
    async fn find_signup(
        &mut self,
        id: SignupId,
        now: Timestamp,
    ) -> Result<Option<PendingSignup>, StoreError>;

    /// The sign-up whose secret has this hash.
    async fn find_signup_by_secret(
        &mut self,
        secret: &SecretHash,
        now: Timestamp,
    ) -> Result<Option<PendingSignup>, StoreError>;

    /// The sign-up of an address that was made last.
    async fn find_newest_signup(
        &mut self,
        email: &EmailAddress,
        now: Timestamp,
    ) -> Result<Option<PendingSignup>, StoreError>;

    /// Deletes all sign-ups of an address; gives how many.
    async fn delete_signups_of_email(&mut self, email: &EmailAddress) -> Result<u64, StoreError>;

    /// Deletes at most `limit` sign-ups whose time was over before `before`.
    async fn delete_signups(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}
