//! Roles in a [`MemoryStore`](super::MemoryStore), and the permissions they grant.

use async_trait::async_trait;
use gateward_domain::ports::{RoleRepo, StoreError};
use gateward_domain::{Role, RoleName, Timestamp, User, UserId, UserRange, permissions_given};

use super::MemoryTx;
use super::state::{State, truncate};

#[async_trait]
impl RoleRepo for MemoryTx {
    async fn list_roles(&mut self) -> Result<Vec<Role>, StoreError> {
        Ok(self.read(State::list_roles))
    }

    async fn put_role(&mut self, role: &Role, _now: Timestamp) -> Result<bool, StoreError> {
        let roles = &mut self.locked().roles;
        Ok(roles.insert(role.name.clone(), role.permissions).is_none())
    }

    async fn delete_role(&mut self, name: &RoleName) -> Result<bool, StoreError> {
        Ok(self.locked().roles.remove(name).is_some())
    }

    async fn set_user_roles(
        &mut self,
        id: UserId,
        roles: &[RoleName],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let change = |user: &mut User| {
            user.roles = roles.to_vec();
            user.roles.sort();
            user.updated_at = now;
        };
        Ok(self.locked().users.get_mut(&id).map(change).is_some())
    }
}

impl State {
    fn list_roles(&self) -> Vec<Role> {
        let role = |(name, permissions): (&RoleName, &_)| Role {
            name: name.clone(),
            permissions: *permissions,
        };
        self.roles.iter().map(role).collect()
    }

    /// Returns the account with the current permissions of its roles.
    pub fn as_read(&self, user: &User) -> User {
        let stored = user.roles.iter().filter_map(|role| self.roles.get(role).copied());
        User { permissions: permissions_given(&user.roles, stored), ..user.clone() }
    }

    pub fn find_user(&self, id: UserId) -> Option<User> {
        self.users.get(&id).map(|user| self.as_read(user))
    }

    pub fn list_users(&self, range: &UserRange, after: Option<&str>, limit: u32) -> Vec<User> {
        let wanted = self.users.values().filter(|user| range.contains(user));
        let mut with_cursor: Vec<_> = wanted.map(|user| (range.cursor(user), user)).collect();
        with_cursor.retain(|(cursor, _)| after.is_none_or(|after| cursor.as_str() > after));
        with_cursor.sort_by(|(one, _), (other, _)| one.cmp(other));
        truncate(with_cursor, limit).into_iter().map(|(_, user)| self.as_read(user)).collect()
    }
}
