//! Roles: their definitions, their permissions and their holders.

use gateward_domain::feed::InvalidationEvent;
use gateward_domain::ports::{Access, StoreError, Tx};
use gateward_domain::{
    Event, EventKind, Permission, PermissionSet, Role, RoleName, User, UserId, UserRange,
};

use crate::App;
use crate::admin::{AdminActor, AdminError, Privileges, is_last_admin, lock_target};
use crate::after_commit::AfterCommit;

impl App {
    /// Returns all roles, in alphabetical order.
    pub async fn list_roles(&self) -> Result<Vec<Role>, StoreError> {
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let mut roles = tx.list_roles().await?;
        tx.commit().await?;
        roles.extend(Role::built_in());
        roles.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(roles)
    }

    /// Returns the role with this name.
    pub async fn find_role(&self, name: &RoleName) -> Result<Option<Role>, StoreError> {
        Ok(self.list_roles().await?.into_iter().find(|role| role.name == *name))
    }

    /// Creates or replaces a role. Returns whether it is new. The change applies to its holders
    /// from their next request on. A caller may not define a role that grants or granted more than
    /// they hold.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn put_role(&self, admin: AdminActor<'_>, role: Role) -> Result<bool, AdminError> {
        let done = self.try_put_role(admin, role).await;
        self.audit_denial(admin, done).await
    }

    async fn try_put_role(&self, admin: AdminActor<'_>, role: Role) -> Result<bool, AdminError> {
        let now = self.now();
        self.require_recent_password(admin, now)?;
        let (mut tx, privileges) = self.begin_admin(admin, Permission::RolesWrite, now).await?;
        if role.name.is_built_in() {
            return Err(AdminError::BuiltIn);
        }
        let roles = tx.list_roles().await?;
        let before = roles.iter().find(|other| other.name == role.name);
        let given = before.map_or(PermissionSet::EMPTY, |before| before.permissions);
        privileges.require_all(role.permissions.union(given))?;
        if before.is_none() && roles.len() >= Role::MAX {
            return Err(AdminError::TooManyRoles);
        }
        let is_new = tx.put_role(&role, now).await?;
        let event = self.admin_event(admin, EventKind::RoleDefined, now);
        let detail = format!(
            "role={} permissions={} before={}",
            role.name,
            role.permissions.to_text(),
            given.to_text()
        );
        tx.insert_event(&Event { detail: Some(detail), ..event }).await?;
        self.commit_and_publish(
            tx,
            AfterCommit::default().invalidate(InvalidationEvent::RolesChanged),
            now,
        )
        .await?;
        Ok(is_new)
    }

    /// Deletes a role without holders.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn delete_role(
        &self,
        admin: AdminActor<'_>,
        name: &RoleName,
    ) -> Result<(), AdminError> {
        let done = self.try_delete_role(admin, name).await;
        self.audit_denial(admin, done).await
    }

    async fn try_delete_role(
        &self,
        admin: AdminActor<'_>,
        name: &RoleName,
    ) -> Result<(), AdminError> {
        let now = self.now();
        self.require_recent_password(admin, now)?;
        let (mut tx, privileges) = self.begin_admin(admin, Permission::RolesWrite, now).await?;
        if name.is_built_in() {
            return Err(AdminError::BuiltIn);
        }
        let roles = tx.list_roles().await?;
        let role = roles.iter().find(|role| role.name == *name).ok_or(AdminError::NotFound)?;
        privileges.require_all(role.permissions)?;
        if !tx.list_users(&UserRange::Role(name.clone()), None, 1).await?.is_empty() {
            return Err(AdminError::RoleInUse);
        }
        tx.delete_role(name).await?;
        let event = self.admin_event(admin, EventKind::RoleDeleted, now);
        tx.insert_event(&Event { detail: Some(format!("role={name}")), ..event }).await?;
        self.commit_and_publish(
            tx,
            AfterCommit::default().invalidate(InvalidationEvent::RolesChanged),
            now,
        )
        .await?;
        Ok(())
    }

    /// Sets the roles of an account. `user` is always added.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn set_user_roles(
        &self,
        admin: AdminActor<'_>,
        id: UserId,
        roles: Vec<RoleName>,
    ) -> Result<User, AdminError> {
        let done = self.change_roles(admin, id, |_| roles).await;
        self.audit_denial(admin, done).await
    }

    /// Grants an account one role, or revokes one. Returns the changed account.
    pub async fn change_role(
        &self,
        admin: AdminActor<'_>,
        id: UserId,
        role: RoleName,
        privileges: bool,
    ) -> Result<User, AdminError> {
        let changed = self.change_roles(admin, id, |user| {
            let mut roles: Vec<_> =
                user.roles.iter().filter(|held| **held != role).cloned().collect();
            if privileges {
                roles.push(role);
            }
            roles
        });
        let done = changed.await;
        self.audit_denial(admin, done).await
    }

    async fn change_roles(
        &self,
        admin: AdminActor<'_>,
        id: UserId,
        wanted: impl FnOnce(&User) -> Vec<RoleName> + Send,
    ) -> Result<User, AdminError> {
        let now = self.now();
        self.require_recent_password(admin, now)?;
        let (mut tx, privileges) = self.begin_admin(admin, Permission::RolesGrant, now).await?;
        let user = lock_target(&mut *tx, &privileges, id).await?;
        let roles = self.grantable(&mut *tx, &privileges, (&user.roles, wanted(&user))).await?;
        if roles == user.roles {
            return Ok(user);
        }
        if !roles.contains(&RoleName::admin()) && is_last_admin(&mut *tx, &user).await? {
            return Err(AdminError::LastAdmin);
        }
        tx.set_user_roles(id, &roles, now).await?;
        let event = self.event_about_user(admin, EventKind::RolesChanged, id, now);
        let detail = format!("roles={} before={}", listed(&roles), listed(&user.roles));
        tx.insert_event(&Event { detail: Some(detail), ..event }).await?;
        let user = tx.find_user(id).await?.ok_or(AdminError::NotFound)?;
        self.commit_and_publish(tx, AfterCommit::default().user_changed(id), now).await?;
        tracing::info!(user_id = %id, "roles changed");
        Ok(user)
    }

    /// Returns these roles in order, if each exists and the caller may grant all that are added or
    /// removed: the caller must hold each of them and all of its permissions.
    pub(crate) async fn grantable(
        &self,
        tx: &mut dyn Tx,
        privileges: &Privileges,
        (before, mut wanted): (&[RoleName], Vec<RoleName>),
    ) -> Result<Vec<RoleName>, AdminError> {
        wanted.push(RoleName::user());
        wanted.sort();
        wanted.dedup();
        if wanted.len() > Role::PER_USER_MAX {
            return Err(AdminError::TooManyRolesHeld);
        }
        let mut roles = tx.list_roles().await?;
        roles.extend(Role::built_in());
        let given = wanted.iter().filter(|role| !before.contains(role));
        let taken = before.iter().filter(|role| !wanted.contains(role));
        for name in given.clone() {
            if !roles.iter().any(|role| role.name == *name) {
                return Err(AdminError::NoSuchRole(name.clone()));
            }
        }
        for name in given.chain(taken) {
            if *name == RoleName::user() {
                continue;
            }
            let defined = roles.iter().find(|role| role.name == *name);
            privileges
                .require_all(defined.map_or(PermissionSet::EMPTY, |role| role.permissions))?;
            privileges.check_role(name)?;
        }
        Ok(wanted)
    }
}

/// Formats roles for an event.
pub(crate) fn listed(roles: &[RoleName]) -> String {
    let names: Vec<&str> = roles.iter().map(RoleName::as_str).collect();
    names.join(",")
}
