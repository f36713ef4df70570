//! Deleting one's own account.

use gateward_domain::email::EmailKind;
use gateward_domain::ports::{Access, StoreError, Tx};
use gateward_domain::{End, EndReason, EventKind, Password, RequestInfo, Timestamp, User};

use crate::admin::{AdminActor, is_last_admin, lock_installation};
use crate::after_commit::AfterCommit;
use crate::links::USER_LINKS_MAX;
use crate::reauthenticate::PasswordConfirmed;
use crate::{App, Caller, ReauthenticateError};

/// Why the account was not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteAccountError {
    /// The password is wrong, or was changed meanwhile.
    #[error("wrong password")]
    WrongPassword,
    /// The password could not be shown.
    #[error(transparent)]
    Reauthenticate(#[from] ReauthenticateError),
    /// The password was given too long ago.
    #[error("the password was given too long ago")]
    NotRecent,
    /// Nobody else could administer the installation.
    #[error("the last active administrator stays")]
    LastAdmin,
    /// The store has failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The password was given too long ago for a sensitive act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the password was given too long ago")]
pub struct NotRecent;

impl App {
    /// Whether the caller gave the password lately enough for a sensitive act.
    pub fn check_recent(&self, caller: &Caller) -> Result<PasswordConfirmed, NotRecent> {
        self.check_recent_at(caller, self.now())
    }

    pub(crate) fn check_recent_at(
        &self,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<PasswordConfirmed, NotRecent> {
        let age = now.seconds_since(caller.auth_time);
        if age < self.policy.reauthentication_seconds {
            Ok(PasswordConfirmed::recently())
        } else {
            Err(NotRecent)
        }
    }

    /// The first half: the password, or that it was given lately. Writes nothing but that
    /// it was wrong; see [`App::login`] for why there are two halves.
    pub async fn verify_deletion(
        &self,
        caller: &Caller,
        password: Option<&Password>,
        request_info: &RequestInfo,
    ) -> Result<PasswordConfirmed, DeleteAccountError> {
        let Some(password) = password else {
            return self.check_recent(caller).map_err(|NotRecent| DeleteAccountError::NotRecent);
        };
        Ok(self.verify_again(caller, password, request_info).await?)
    }

    /// The second half: deletes the account of the caller and ends its sessions. What was written
    /// down about it stays, and names nobody any more.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn delete_account(
        &self,
        caller: &Caller,
        _: PasswordConfirmed,
        request_info: &RequestInfo,
    ) -> Result<(), DeleteAccountError> {
        let now = self.now();
        let mut tx = self.ports.store.begin(Access::Write).await?;
        lock_installation(&mut *tx).await?;
        let version = caller.user.credentials_version;
        let locked = tx.lock_user(caller.user.id).await?;
        let user = locked.filter(|user| user.credentials_version == version && !user.disabled);
        let user = user.ok_or(DeleteAccountError::WrongPassword)?;
        if is_last_admin(&mut *tx, &user).await? {
            return Err(DeleteAccountError::LastAdmin);
        }
        let admin = AdminActor::Caller(caller, request_info);
        let after_commit = self.delete_locked(&mut *tx, &user, admin, now).await?;
        self.commit_and_publish(tx, after_commit, now).await?;
        tracing::info!(user_id = %user.id, "account deleted, sessions ended");
        Ok(())
    }

    /// Deletes an account that the caller has locked, and ends its sessions.
    pub(crate) async fn delete_locked(
        &self,
        tx: &mut dyn Tx,
        user: &User,
        admin: AdminActor<'_>,
        now: Timestamp,
    ) -> Result<AfterCommit, StoreError> {
        let ip = admin.ip();
        // Whoever could have undone a change of address is told that this is over, too.
        let links = tx.list_user_links(user.id, USER_LINKS_MAX).await?;
        for link in links.iter().filter(|link| link.undoes(now) && link.reserves_email) {
            let former = User { email: link.email.clone(), ..user.clone() };
            if former.email != user.email {
                let message = self.new_account_email(EmailKind::AccountDeleted, &former, ip, now);
                tx.insert_outbox_email(&message).await?;
            }
        }
        let reason = EndReason::AccountDeleted;
        let ended = tx.end_sessions_of_user(user.id, None, End { at: now, reason }).await?;
        tx.delete_user(user.id).await?;
        tx.request_erasure(user.id, now).await?;
        for kind in [EventKind::AccountDeleted, EventKind::SessionsEnded(reason)] {
            tx.insert_event(&self.event_about_user(admin, kind, user.id, now)).await?;
        }
        tx.insert_outbox_email(&self.new_account_email(EmailKind::AccountDeleted, user, ip, now))
            .await?;
        Ok(AfterCommit::default()
            .user_changed(user.id)
            .revoked_before(user.id, reason, now)
            .sessions_ended(&ended, reason)
            .email_queued())
    }
}
