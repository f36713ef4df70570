//! `UserRepo`: accounts.

use async_trait::async_trait;

use super::StoreError;
use crate::{
    EmailAddress, Identifier, PasswordHash, RoleName, Timestamp, User, UserId, UserRange, Username,
};

/// The accounts.
#[async_trait]
pub trait UserRepo: Send {
    /// Inserts an account with its roles.
    ///
    /// Returns [`StoreError::Taken`] if the username or the email address belongs to another
    /// account, or if a valid link reserves the email address for another account at the time of
    /// creation ([`Link::reserves_email`](crate::link::Link::reserves_email)). If both are taken,
    /// the username is reported.
    async fn insert_user(&mut self, user: &User) -> Result<(), StoreError>;

    /// Returns the account with this identifier.
    async fn find_user(&mut self, id: UserId) -> Result<Option<User>, StoreError>;

    /// Returns the number of an account, if it has one.
    async fn find_user_number(&mut self, id: UserId) -> Result<Option<i64>, StoreError>;

    /// Returns the number of an account, and assigns the next one if it has none. Returns `None` if
    /// the account does not exist.
    ///
    /// Numbers are positive and unique in the installation. A number is never assigned again, even
    /// after its account was deleted.
    async fn assign_user_number(&mut self, id: UserId) -> Result<Option<i64>, StoreError>;

    /// Returns the account with this email address or username.
    async fn find_user_by_identifier(
        &mut self,
        identifier: &Identifier,
    ) -> Result<Option<User>, StoreError>;

    /// Returns the account with this identifier, locked until the transaction ends.
    ///
    /// Hold this lock to start a session or to end all sessions of a user.
    async fn lock_user(&mut self, id: UserId) -> Result<Option<User>, StoreError>;

    /// Sets the username. Returns `false` if the account does not exist.
    ///
    /// Returns [`StoreError::Taken`] if the username belongs to another account.
    async fn set_username(
        &mut self,
        id: UserId,
        username: &Username,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Sets the email address, which may be unchanged, and whether it is confirmed. Returns `false`
    /// if the account does not exist.
    ///
    /// Returns [`StoreError::Taken`] if the email address belongs to another account or is reserved
    /// for one at `now`.
    async fn set_email(
        &mut self,
        id: UserId,
        email: &EmailAddress,
        verified: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Returns the account that has this email address, or for which it is reserved at `now`.
    async fn find_email_owner(
        &mut self,
        email: &EmailAddress,
        now: Timestamp,
    ) -> Result<Option<UserId>, StoreError>;

    /// Deletes the account, its roles and its links. Returns `false` if it does not exist. Its
    /// sessions and its events remain.
    async fn delete_user(&mut self, id: UserId) -> Result<bool, StoreError>;

    /// Returns at most `limit` accounts of a range after `after`, in the order of the range.
    ///
    /// `after` is the result of [`UserRange::cursor`] for some account, which may be deleted
    /// meanwhile.
    async fn list_users(
        &mut self,
        range: &UserRange,
        after: Option<String>,
        limit: u32,
    ) -> Result<Vec<User>, StoreError>;

    /// Returns the number of accounts that hold a role, are not disabled and have a confirmed email
    /// address. An invited user without a password is not counted.
    async fn count_users_with_role(&mut self, role: &RoleName) -> Result<u64, StoreError>;

    /// Sets a new password and increments the credentials version, if it is still `version`.
    async fn set_password(
        &mut self,
        id: UserId,
        version: i64,
        hash: &PasswordHash,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Replaces the hash with another hash of the same password, if the version is still `version`.
    async fn set_rehashed_password(
        &mut self,
        id: UserId,
        version: i64,
        hash: &PasswordHash,
    ) -> Result<bool, StoreError>;

    /// Disables or enables the account. Returns `false` if that changes nothing or the account does
    /// not exist.
    async fn set_user_disabled(
        &mut self,
        id: UserId,
        disabled: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
}
