//! Deletes the caller's account.

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
    /// The password could not be confirmed.
    #[error(transparent)]
    Reauthenticate(#[from] ReauthenticateError),
    /// The caller last confirmed the password too long ago.
    #[error("the last password confirmation is too old")]
    NotRecent,
    /// No administrator would be left.
    #[error("cannot remove the last active administrator")]
    LastAdmin,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The caller last confirmed the password too long ago for a sensitive action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the last password confirmation is too old")]
pub struct NotRecent;

impl App {
    /// Checks that the caller confirmed the password recently enough for a sensitive action.
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

    /// The first half: checks the password, or that it was confirmed recently. Writes nothing,
    /// except a failed attempt; see [`App::login`] for why there are two halves.
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

    /// The second half: deletes the caller's account and ends its sessions. Its events remain,
    /// without personal data.
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
        // The owner of an email address that could have undone a change is notified too.
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
