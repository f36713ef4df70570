//! Account administration: permission checks and changes to accounts.
//!
//! Every administrative change holds one lock, that of the installation. Two administrators
//! therefore cannot be removed at the same time until none is left, and the privileges of a caller
//! are read from the store behind that lock, not from the cache.

use std::net::IpAddr;

use gateward_domain::email::EmailKind;
use gateward_domain::ports::{Access, StoreError, Tx};
use gateward_domain::{
    Actor, EndReason, Event, EventKind, Permission, PermissionSet, RequestInfo, Role, RoleName,
    Timestamp, TokenError, User, UserId, Username,
};

use crate::after_commit::AfterCommit;
use crate::outbox::{SLOT_RESET, SLOT_USERNAME};
use crate::{App, Caller, Forbidden, NotRecent};

/// The actor of an administrative change.
#[derive(Clone, Copy, Debug)]
pub enum AdminActor<'a> {
    /// An operator at the command line, who may do everything.
    Operator,
    /// A user, through a request with this information.
    Caller(&'a Caller, &'a RequestInfo),
}

impl AdminActor<'_> {
    /// Returns the client IP address, if it is known.
    pub(crate) fn ip(self) -> Option<IpAddr> {
        match self {
            Self::Operator => None,
            Self::Caller(_, request_info) => request_info.ip,
        }
    }
}

/// Why an administrative change was refused.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The caller lacks the permission, or lacks it for this account.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The caller does not hold this role, so may neither grant nor revoke it.
    #[error("the caller does not have the role {0} and cannot assign or remove it")]
    RoleNotHeld(RoleName),
    /// The caller last confirmed the password too long ago.
    #[error(transparent)]
    NotRecent(#[from] NotRecent),
    /// The account, session or role does not exist.
    #[error("not found")]
    NotFound,
    /// No administrator would be left.
    #[error("cannot remove the last active administrator")]
    LastAdmin,
    /// The role does not exist.
    #[error("the role {0} does not exist")]
    NoSuchRole(RoleName),
    /// The role is built in and cannot be changed.
    #[error("the role is built in and cannot be changed")]
    BuiltIn,
    /// The maximum number of roles is reached.
    #[error("there are too many roles")]
    TooManyRoles,
    /// The account would exceed the maximum number of roles.
    #[error("a user can have at most {} roles", Role::PER_USER_MAX)]
    TooManyRolesHeld,
    /// At least one account holds the role.
    #[error("the role is in use")]
    RoleInUse,
    /// A link could not be created.
    #[error("the link could not be created")]
    Token(#[from] TokenError),
    /// The store failed, or a unique value is already taken.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Takes the lock that every administrative change holds.
pub(crate) async fn lock_installation(tx: &mut dyn Tx) -> Result<(), StoreError> {
    if let Some(instance) = tx.find_instance().await? {
        tx.lock_instance(&instance).await?;
    }
    Ok(())
}

/// Returns whether this account is the last administrator. The caller holds [`lock_installation`].
pub(crate) async fn is_last_admin(tx: &mut dyn Tx, user: &User) -> Result<bool, StoreError> {
    let admin_role = RoleName::admin();
    let is_active_admin = user.roles.contains(&admin_role) && !user.disabled && user.email_verified;
    Ok(is_active_admin && tx.count_users_with_role(&admin_role).await? <= 1)
}

/// The privileges of the actor, as read from the store.
#[derive(Clone, Debug)]
pub(crate) struct Privileges {
    pub(crate) permissions: PermissionSet,
    pub(crate) roles: Vec<RoleName>,
}

impl Privileges {
    /// Checks that the actor may grant or revoke a role: only a role that they hold.
    pub(crate) fn check_role(&self, role: &RoleName) -> Result<(), AdminError> {
        let is_held = self.roles.contains(role) || self.roles.contains(&RoleName::admin());
        if is_held { Ok(()) } else { Err(AdminError::RoleNotHeld(role.clone())) }
    }

    /// Checks that the actor holds all of these permissions.
    pub(crate) fn require_all(&self, wanted: PermissionSet) -> Result<(), Forbidden> {
        let missing = wanted.iter().find(|permission| !self.permissions.contains(*permission));
        missing.map_or(Ok(()), |permission| Err(Forbidden(permission)))
    }
}

impl App {
    /// Starts an administrative change: takes the lock and reads the privileges of the caller.
    pub(crate) async fn begin_admin(
        &self,
        admin: AdminActor<'_>,
        permission: Permission,
        now: Timestamp,
    ) -> Result<(Box<dyn Tx>, Privileges), AdminError> {
        let mut tx = self.ports.store.begin(Access::Write).await?;
        lock_installation(&mut *tx).await?;
        let privileges = match admin {
            AdminActor::Operator => {
                Privileges { permissions: PermissionSet::all(), roles: vec![RoleName::admin()] }
            }
            AdminActor::Caller(caller, _) => {
                let user = tx.find_user(caller.user.id).await?;
                let user = user.filter(|user| !user.disabled).ok_or(Forbidden(permission))?;
                let session = tx.find_session(caller.session_id).await?;
                let is_active = session.is_some_and(|(session, _)| session.end(now).is_none());
                // The session ended while the caller waited for the lock.
                if !is_active {
                    return Err(Forbidden(permission).into());
                }
                Privileges { permissions: user.permissions, roles: user.roles }
            }
        };
        privileges.require_all([permission].into_iter().collect())?;
        Ok((tx, privileges))
    }

    /// Refuses an irreversible change if the caller last confirmed the password too long ago.
    pub(crate) fn require_recent_password(
        &self,
        admin: AdminActor<'_>,
        now: Timestamp,
    ) -> Result<(), NotRecent> {
        match admin {
            AdminActor::Operator => Ok(()),
            AdminActor::Caller(caller, _) => self.check_recent_at(caller, now).map(drop),
        }
    }

    /// Builds an event about an account, caused by the actor.
    pub(crate) fn event_about_user(
        &self,
        admin: AdminActor<'_>,
        kind: EventKind,
        user_id: UserId,
        now: Timestamp,
    ) -> Event {
        Event { user_id: Some(user_id), ..self.admin_event(admin, kind, now) }
    }

    /// Builds an event that is about no account, caused by the actor.
    pub(crate) fn admin_event(
        &self,
        admin: AdminActor<'_>,
        kind: EventKind,
        now: Timestamp,
    ) -> Event {
        let (actor, actor_session_id) = match admin {
            AdminActor::Operator => (Actor::Operator, None),
            AdminActor::Caller(caller, _) => (Actor::User(caller.user.id), Some(caller.session_id)),
        };
        Event { actor_session_id, ip: admin.ip(), ..self.event(kind, actor, now) }
    }

    /// Changes the username of an account and notifies its owner.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn rename_user(
        &self,
        admin: AdminActor<'_>,
        id: UserId,
        username: Username,
    ) -> Result<User, AdminError> {
        let done = self.try_rename_user(admin, id, username).await;
        self.audit_denial(admin, done).await
    }

    async fn try_rename_user(
        &self,
        admin: AdminActor<'_>,
        id: UserId,
        username: Username,
    ) -> Result<User, AdminError> {
        let now = self.now();
        let (mut tx, privileges) = self.begin_admin(admin, Permission::UsersWrite, now).await?;
        let user = lock_target(&mut *tx, &privileges, id).await?;
        if user.username == username {
            return Ok(user);
        }
        tx.set_username(id, &username, now).await?;
        let renamed = User { username, updated_at: now, ..user };
        tx.insert_event(&self.event_about_user(admin, EventKind::UsernameChanged, id, now)).await?;
        let message = self.new_account_email(EmailKind::UsernameChanged, &renamed, admin.ip(), now);
        self.queue_in_free_slot(&mut *tx, SLOT_USERNAME, message).await?;
        self.commit_and_publish(tx, AfterCommit::default().user_changed(id).email_queued(), now)
            .await?;
        tracing::info!(user_id = %id, "username changed");
        Ok(renamed)
    }

    /// Disables an account and ends its sessions. Returns the changed account, and whether it was
    /// enabled before.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn disable_user(
        &self,
        admin: AdminActor<'_>,
        id: UserId,
    ) -> Result<(User, bool), AdminError> {
        let done = self.try_disable_user(admin, id).await;
        self.audit_denial(admin, done).await
    }

    async fn try_disable_user(
        &self,
        admin: AdminActor<'_>,
        id: UserId,
    ) -> Result<(User, bool), AdminError> {
        let now = self.now();
        self.require_recent_password(admin, now)?;
        let (mut tx, privileges) = self.begin_admin(admin, Permission::UsersWrite, now).await?;
        let user = lock_target(&mut *tx, &privileges, id).await?;
        if is_last_admin(&mut *tx, &user).await? {
            return Err(AdminError::LastAdmin);
        }
        let changed = tx.set_user_disabled(id, true, now).await?;
        let reason = EndReason::AccountDisabled;
        // Repeated for an account that is already disabled: nothing started before may remain.
        let ended = self.end_all_started(&mut *tx, &user, reason, now).await?;
        if changed {
            tx.insert_event(&self.event_about_user(admin, EventKind::AccountDisabled, id, now))
                .await?;
        }
        if !ended.is_empty() {
            tx.insert_event(&self.event_about_user(
                admin,
                EventKind::SessionsEnded(reason),
                id,
                now,
            ))
            .await?;
        }
        let after_commit = AfterCommit::default()
            .user_changed(id)
            .revoked_before(id, reason, now)
            .sessions_ended(&ended, reason);
        let user = tx.find_user(id).await?.ok_or(AdminError::NotFound)?;
        self.commit_and_publish(tx, after_commit, now).await?;
        tracing::info!(user_id = %id, "account disabled, sessions ended");
        Ok((user, changed))
    }

    /// Enables a disabled account. Returns the changed account, and whether it was disabled before.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn enable_user(
        &self,
        admin: AdminActor<'_>,
        id: UserId,
    ) -> Result<(User, bool), AdminError> {
        let done = self.try_enable_user(admin, id).await;
        self.audit_denial(admin, done).await
    }

    async fn try_enable_user(
        &self,
        admin: AdminActor<'_>,
        id: UserId,
    ) -> Result<(User, bool), AdminError> {
        let now = self.now();
        let (mut tx, privileges) = self.begin_admin(admin, Permission::UsersWrite, now).await?;
        lock_target(&mut *tx, &privileges, id).await?;
        let changed = tx.set_user_disabled(id, false, now).await?;
        if changed {
            tx.insert_event(&self.event_about_user(admin, EventKind::AccountEnabled, id, now))
                .await?;
        }
        let user = tx.find_user(id).await?.ok_or(AdminError::NotFound)?;
        self.commit_and_publish(tx, AfterCommit::default().user_changed(id), now).await?;
        Ok((user, changed))
    }

    /// Deletes an account and ends its sessions.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn delete_user(&self, admin: AdminActor<'_>, id: UserId) -> Result<User, AdminError> {
        let done = self.try_delete_user(admin, id).await;
        self.audit_denial(admin, done).await
    }

    async fn try_delete_user(&self, admin: AdminActor<'_>, id: UserId) -> Result<User, AdminError> {
        let now = self.now();
        self.require_recent_password(admin, now)?;
        let (mut tx, privileges) = self.begin_admin(admin, Permission::UsersWrite, now).await?;
        let user = lock_target(&mut *tx, &privileges, id).await?;
        if is_last_admin(&mut *tx, &user).await? {
            return Err(AdminError::LastAdmin);
        }
        let after_commit = self.delete_locked(&mut *tx, &user, admin, now).await?;
        self.commit_and_publish(tx, after_commit, now).await?;
        tracing::info!(user_id = %id, "account deleted, sessions ended");
        Ok(user)
    }

    /// Sends the owner of an account a password reset email. The current password stays valid until
    /// the owner chooses a new one. No other person ever chooses it.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn send_password_reset(
        &self,
        admin: AdminActor<'_>,
        id: UserId,
    ) -> Result<(), AdminError> {
        let done = self.try_start_reset(admin, id).await;
        self.audit_denial(admin, done).await
    }

    async fn try_start_reset(&self, admin: AdminActor<'_>, id: UserId) -> Result<(), AdminError> {
        let now = self.now();
        let (mut tx, privileges) = self.begin_admin(admin, Permission::UsersWrite, now).await?;
        let user = lock_target(&mut *tx, &privileges, id).await?;
        let message =
            self.new_outbox_email(EmailKind::ForgotPassword, &user.email, admin.ip(), now);
        tx.insert_outbox_email(&self.with_slot(SLOT_RESET, message)).await?;
        tx.insert_event(&self.event_about_user(admin, EventKind::ResetRequested, id, now)).await?;
        Ok(self.commit_and_publish(tx, AfterCommit::default().email_queued(), now).await?)
    }
}

/// Returns the target account, locked. An actor may not change an account with a permission that
/// the actor lacks.
pub(crate) async fn lock_target(
    tx: &mut dyn Tx,
    privileges: &Privileges,
    id: UserId,
) -> Result<User, AdminError> {
    let user = tx.lock_user(id).await?.ok_or(AdminError::NotFound)?;
    privileges.require_all(user.permissions)?;
    Ok(user)
}
