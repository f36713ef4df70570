//! Administering accounts: who may do what to whom, and what is done.
//!
//! Whoever administers holds one lock, that of the installation: so the last administrator does not
//! go while another one does, and what a caller may do is what the store says behind that lock, not
//! what a node knew a moment before.

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

/// Who administers.
#[derive(Clone, Copy, Debug)]
pub enum AdminActor<'a> {
    /// Somebody at the command line, who may do everything.
    Operator,
    /// A user, by a request from there.
    Caller(&'a Caller, &'a RequestInfo),
}

impl AdminActor<'_> {
    /// From where, if it is known.
    pub(crate) fn ip(self) -> Option<IpAddr> {
        match self {
            Self::Operator => None,
            Self::Caller(_, request_info) => request_info.ip,
        }
    }
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// The caller may not do this, or not to this account.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// The caller does not hold this role, so may not give or take it.
    #[error("the role {0} is not the caller's to give")]
    RoleNotHeld(RoleName),
    /// The password was given too long ago.
    #[error(transparent)]
    NotRecent(#[from] NotRecent),
    /// There is no such account, session or role.
    #[error("there is no such thing")]
    NotFound,
    /// Nobody could administer the installation any more.
    #[error("the last active administrator stays")]
    LastAdmin,
    /// There is no such role.
    #[error("there is no role {0}")]
    NoSuchRole(RoleName),
    /// The role is built in, and never changes.
    #[error("the role is built in")]
    BuiltIn,
    /// There are as many roles as there may be.
    #[error("there are too many roles")]
    TooManyRoles,
    /// The account would hold more roles than it may.
    #[error("an account holds at most {} roles", Role::PER_USER_MAX)]
    TooManyRolesHeld,
    /// Somebody holds the role.
    #[error("somebody holds the role")]
    RoleInUse,
    /// A link could not be made.
    #[error("the link could not be made")]
    Token(#[from] TokenError),
    /// The store refused, perhaps because a name is another's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Locks what everybody locks who administers.
pub(crate) async fn lock_installation(tx: &mut dyn Tx) -> Result<(), StoreError> {
    if let Some(instance) = tx.find_instance().await? {
        tx.lock_instance(&instance).await?;
    }
    Ok(())
}

/// Whether nobody could administer the installation without this account. The caller holds
/// [`lock_installation`].
pub(crate) async fn is_last_admin(tx: &mut dyn Tx, user: &User) -> Result<bool, StoreError> {
    let admin_role = RoleName::admin();
    let is_active_admin = user.roles.contains(&admin_role) && !user.disabled && user.email_verified;
    Ok(is_active_admin && tx.count_users_with_role(&admin_role).await? <= 1)
}

/// What whoever administers holds, by the store.
#[derive(Clone, Debug)]
pub(crate) struct Privileges {
    pub(crate) permissions: PermissionSet,
    pub(crate) roles: Vec<RoleName>,
}

impl Privileges {
    /// Whether somebody who holds this may give or take a role: only what they hold themselves.
    pub(crate) fn check_role(&self, role: &RoleName) -> Result<(), AdminError> {
        let is_held = self.roles.contains(role) || self.roles.contains(&RoleName::admin());
        if is_held { Ok(()) } else { Err(AdminError::RoleNotHeld(role.clone())) }
    }

    /// Whether they hold all of these permissions.
    pub(crate) fn require_all(&self, wanted: PermissionSet) -> Result<(), Forbidden> {
        let missing = wanted.iter().find(|permission| !self.permissions.contains(*permission));
        missing.map_or(Ok(()), |permission| Err(Forbidden(permission)))
    }
}

impl App {
    /// Begins to administer: with the lock, and what the caller holds now.
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
                // It was over before it was their turn.
                if !is_active {
                    return Err(Forbidden(permission).into());
                }
                Privileges { permissions: user.permissions, roles: user.roles }
            }
        };
        privileges.require_all([permission].into_iter().collect())?;
        Ok((tx, privileges))
    }

    /// Refuses a caller who gave the password too long ago for what cannot be taken back.
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

    /// An event about an account, by whoever administers.
    pub(crate) fn event_about_user(
        &self,
        admin: AdminActor<'_>,
        kind: EventKind,
        user_id: UserId,
        now: Timestamp,
    ) -> Event {
        Event { user_id: Some(user_id), ..self.admin_event(admin, kind, now) }
    }

    /// An event about no account, by whoever administers.
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

    /// Gives an account another name, and tells its owner.
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
        tracing::info!(user_id = %id, "account renamed");
        Ok(renamed)
    }

    /// Disables an account and ends its sessions; gives it as it is then, and whether it was not so
    /// before.
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
        // Once more where it was disabled before: nothing that was begun may be left.
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

    /// Enables an account that was disabled; gives it as it is then, and whether it was.
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

    /// Has an email sent with which the owner of an account chooses a new password. The password of
    /// now stays until then; nobody else ever chooses one.
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

/// The account that is acted on, locked. Nobody acts on one that holds a permission that they do
/// not.
pub(crate) async fn lock_target(
    tx: &mut dyn Tx,
    privileges: &Privileges,
    id: UserId,
) -> Result<User, AdminError> {
    let user = tx.lock_user(id).await?.ok_or(AdminError::NotFound)?;
    privileges.require_all(user.permissions)?;
    Ok(user)
}
