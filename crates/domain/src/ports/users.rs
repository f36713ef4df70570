//! `UserRepo`: accounts.

use async_trait::async_trait;

use super::StoreError;
use crate::{
    EmailAddress, Identifier, PasswordHash, RoleName, Timestamp, User, UserId, UserRange, Username,
};

/// The accounts.
#[async_trait]
pub trait UserRepo: Send {
    /// Adds an account with its roles.
    ///
    /// Fails with [`StoreError::Taken`] if the name or the address is another's, or the address is
    /// reserved for another at the time the account is made, by a link that is in time
    /// ([`Link::reserves_email`](crate::link::Link::reserves_email)); if both are, the name is
    /// reported.
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

    /// Gives the account another address, or the same, and notes whether it is confirmed; `false`
    /// if there is no such account.
    ///
    /// Fails with [`StoreError::Taken`] if the address is another's or reserved for another at
    /// `now`.
    async fn set_email(
        &mut self,
        id: UserId,
        email: &EmailAddress,
        verified: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// The account that has this address, or for which it is reserved at `now`.
    async fn find_email_owner(
        &mut self,
        email: &EmailAddress,
        now: Timestamp,
    ) -> Result<Option<UserId>, StoreError>;

    /// Deletes the account, its roles and the links about it; `false` if there is none. Its
    /// sessions stay, and so does what was written down about it.
    async fn delete_user(&mut self, id: UserId) -> Result<bool, StoreError>;

    /// The accounts of a range, in its order, those that stand after `after`, at most `limit`.
    ///
    /// `after` is what [`UserRange::place`] gave for some account, which may be gone meanwhile.
    async fn list_users(
        &mut self,
        range: &UserRange,
        after: Option<String>,
        limit: u32,
    ) -> Result<Vec<User>, StoreError>;

    /// How many accounts hold a role that are not disabled and whose address is confirmed: somebody
    /// who was invited and has no password yet counts for nothing.
    async fn count_users_with_role(&mut self, role: &RoleName) -> Result<u64, StoreError>;

    /// Sets a new password and moves the credentials' version on, if it is still `version`.
    async fn set_password(
        &mut self,
        id: UserId,
        version: i64,
        hash: &PasswordHash,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Replaces the hash by another of the same password, if the version is still `version`.
    async fn set_rehashed_password(
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
