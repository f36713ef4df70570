//! `RoleRepo`: custom roles, and their assignment to accounts.

use async_trait::async_trait;

use super::StoreError;
use crate::{Role, RoleName, Timestamp, UserId};

/// Custom roles, and their assignment to accounts.
///
/// Every caller that changes something here has locked the installation
/// ([`KeyRepo::lock_instance`](super::KeyRepo::lock_instance)). A role is therefore not deleted
/// while it is being assigned, and two administrators cannot be removed at the same time until none
/// is left.
#[async_trait]
pub trait RoleRepo: Send {
    /// Returns all custom roles, ordered by name.
    async fn list_roles(&mut self) -> Result<Vec<Role>, StoreError>;

    /// Inserts or replaces a role. Returns `true` if it is new. The change applies to its holders
    /// at once.
    async fn put_role(&mut self, role: &Role, now: Timestamp) -> Result<bool, StoreError>;

    /// Deletes a role. Returns `false` if it does not exist. Accounts keep the role's name, which
    /// grants nothing.
    async fn delete_role(&mut self, name: &RoleName) -> Result<bool, StoreError>;

    /// Sets the roles of an account. Returns `false` if the account does not exist.
    async fn set_user_roles(
        &mut self,
        id: UserId,
        roles: &[RoleName],
        now: Timestamp,
    ) -> Result<bool, StoreError>;
}
