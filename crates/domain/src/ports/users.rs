//! `UserRepo`: accounts.

use async_trait::async_trait;

use super::StoreError;
use crate::{Identifier, PasswordHash, Timestamp, User, UserId, Username};

/// The accounts.
#[async_trait]
pub trait UserRepo: Send {
    /// Adds an account with its roles.
    ///
    /// Fails with [`StoreError::Taken`] if the name or the address is another's; if both are, the
    /// name is reported.
    async fn insert_user(&mut self, user: &User) -> Result<(), StoreError>;

    /// The account with this identifier.
    async fn find_user(&mut self, id: UserId) -> Result<Option<User>, StoreError>;

    /// The account with this address or name.
    async fn find_user_by_identifier(
        &mut self,
        identifier: &Identifier,
    ) -> Result<Option<User>, StoreError>;

    /// The account with this identifier, locked until the transaction ends.
    ///
    /// Whoever begins a session or ends all of a user's sessions holds this lock.
    async fn lock_user(&mut self, id: UserId) -> Result<Option<User>, StoreError>;

    /// Gives the account another name; `false` if there is no such account.
    ///
    /// Fails with [`StoreError::Taken`] if the name is another's.
    async fn set_username(
        &mut self,
        id: UserId,
        username: &Username,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Sets a new password and moves the credentials' version on, if it is still `version`.
    async fn set_password(
        &mut self,
        id: UserId,
        version: i64,
        hash: &PasswordHash,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Replaces the hash by another of the same password, if the version is still `version`.
    async fn renew_password_hash(
        &mut self,
        id: UserId,
        version: i64,
        hash: &PasswordHash,
    ) -> Result<bool, StoreError>;

    /// Disables or enables the account; `false` if it was so already, or does not exist.
    async fn set_user_disabled(
        &mut self,
        id: UserId,
        disabled: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
}
