//! The port of the roles, and the permissions they grant to accounts.

use async_trait::async_trait;
use gateward_domain::ports::{RoleRepo, StoreError};
use gateward_domain::{Role, RoleName, Timestamp, User, UserId, permissions_given};
use redb::WriteTransaction;

use crate::rows::RoleRow;
use crate::tables::{View, insert, remove, table};
use crate::unit::RedbTx;
use crate::users;

#[async_trait]
impl RoleRepo for RedbTx {
    async fn list_roles(&mut self) -> Result<Vec<Role>, StoreError> {
        self.read(list).await
    }

    async fn put_role(&mut self, role: &Role, _now: Timestamp) -> Result<bool, StoreError> {
        self.may_lock()?;
        let role = role.clone();
        self.write(move |transaction| put(transaction, &role)).await
    }

    async fn delete_role(&mut self, name: &RoleName) -> Result<bool, StoreError> {
        self.may_lock()?;
        let name = name.clone();
        self.write(move |transaction| delete(transaction, &name)).await
    }

    async fn set_user_roles(
        &mut self,
        id: UserId,
        roles: &[RoleName],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.may_lock()?;
        let roles = roles.to_vec();
        let change = move |user: &mut User| {
            user.roles = roles;
            user.updated_at = now;
        };
        self.write(move |transaction| users::update_if(transaction, id, |_| true, change)).await
    }
}

/// Returns the account with the current permissions of its roles.
pub fn given(view: View<'_>, user: User) -> Result<User, StoreError> {
    let mut stored = Vec::new();
    for name in &user.roles {
        stored.extend(view.find::<RoleRow>(name.as_str())?.map(|role| role.permissions));
    }
    Ok(User { permissions: permissions_given(&user.roles, stored), ..user })
}

fn list(view: View<'_>) -> Result<Vec<Role>, StoreError> {
    view.all::<RoleRow>()
}

/// Writes a role. Returns whether it is new.
fn put(transaction: &WriteTransaction, role: &Role) -> Result<bool, StoreError> {
    let is_new = !delete(transaction, &role.name)?;
    insert::<RoleRow>(transaction, role.name.as_str(), role)?;
    Ok(is_new)
}

/// Deletes a role. Returns whether it existed.
fn delete(transaction: &WriteTransaction, name: &RoleName) -> Result<bool, StoreError> {
    let found = View::Own(transaction).find::<RoleRow>(name.as_str())?;
    remove(transaction, table::<RoleRow>(), name.as_str())?;
    Ok(found.is_some())
}
