//! `RoleRepo`: the roles beside those that are built in, and who holds which.

use async_trait::async_trait;

use super::StoreError;
use crate::{Role, RoleName, Timestamp, UserId};

/// The roles beside those that are built in, and who holds which.
///
/// Whoever changes anything here has locked the installation
/// ([`KeyRepo::lock_instance`](super::KeyRepo::lock_instance)): so a role is not deleted while
/// somebody is given it, and the last administrator does not go while another one does.
#[async_trait]
pub trait RoleRepo: Send {
    /// All roles, in the order of their names.
    async fn list_roles(&mut self) -> Result<Vec<Role>, StoreError>;

    /// Defines a role, anew or for the first time; `true` if it is new. What its holders may do is
    /// different from now on.
    async fn put_role(&mut self, role: &Role, now: Timestamp) -> Result<bool, StoreError>;

    /// Deletes a role; `false` if there is none. Accounts keep its name, which gives nothing.
    async fn delete_role(&mut self, name: &RoleName) -> Result<bool, StoreError>;

    /// Gives an account exactly these roles; `false` if there is no such account.
    async fn set_user_roles(
        &mut self,
        id: UserId,
        roles: &[RoleName],
        now: Timestamp,
    ) -> Result<bool, StoreError>;
}
