//! Changes the caller's password.

use gateward_domain::email::EmailKind;
use gateward_domain::ports::{Access, HashError, StoreError};
use gateward_domain::{
    End, EndReason, EventKind, Password, PasswordError, PasswordHash, RequestInfo,
};

use crate::after_commit::AfterCommit;
use crate::reset::end_links_issued;
use crate::{App, Caller, ReauthenticateError};

/// The current password and the new one.
#[derive(Debug)]
pub struct ChangePassword {
    /// The current password.
    pub current: Password,
    /// The new password.
    pub new: Password,
    /// Client IP address and user agent of the request.
    pub request_info: RequestInfo,
}

/// A verified change. Nothing is written yet.
#[derive(Debug)]
pub struct PreparedChange {
    hash: PasswordHash,
    request_info: RequestInfo,
}

/// Why the password was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangePasswordError {
    /// The current password was changed meanwhile.
    #[error("wrong password")]
    WrongPassword,
    /// The new password does not meet the policy.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The current password could not be confirmed.
    #[error(transparent)]
    Reauthenticate(#[from] ReauthenticateError),
    /// A password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Sets a new password. Every other session of the caller ends, so that anyone who knew the old
    /// password is logged out.
    ///
    /// Runs both halves; see [`App::login`] for why there are two.
    pub async fn change_password(
        &self,
        caller: &Caller,
        change: ChangePassword,
    ) -> Result<(), ChangePasswordError> {
        let prepared = self.prepare_change(caller, change).await?;
        self.complete_change(caller, prepared).await
    }

    /// The first half: checks both passwords and hashes the new one. Writes nothing, except a
    /// failed attempt for a wrong current password.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn prepare_change(
        &self,
        caller: &Caller,
        change: ChangePassword,
    ) -> Result<PreparedChange, ChangePasswordError> {
        let user = &caller.user;
        self.validate_new_password::<ChangePasswordError>(&change.new, &user.username, &user.email)
            .await?;
        self.verify_again(caller, &change.current, &change.request_info).await?;
        let hash = self.ports.hasher.hash(&change.new).await?;
        Ok(PreparedChange { hash, request_info: change.request_info })
    }

    /// The second half: sets the password, if the current one is still the one that was checked.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn complete_change(
        &self,
        caller: &Caller,
        prepared: PreparedChange,
    ) -> Result<(), ChangePasswordError> {
        let (now, user) = (self.now(), &caller.user);
        let PreparedChange { hash, request_info } = prepared;
        let reason = EndReason::PasswordChanged;
        let mut tx = self.ports.store.begin(Access::Write).await?;
        tx.lock_user(user.id).await?;
        // A concurrent change may have come first. The current password then differs.
        if !tx.set_password(user.id, user.credentials_version, &hash, now).await? {
            return Err(ChangePasswordError::WrongPassword);
        }
        let end = End { at: now, reason };
        let ended = tx.end_sessions_of_user(user.id, Some(caller.session_id), end).await?;
        // Anyone who knew the old password may have requested these links.
        end_links_issued(&mut *tx, user.id).await?;
        for kind in [EventKind::PasswordChanged, EventKind::SessionsEnded(reason)] {
            tx.insert_event(&self.event_of(caller, kind, &request_info, now)).await?;
        }
        tx.insert_outbox_email(&self.new_account_email(
            EmailKind::PasswordChanged,
            user,
            request_info.ip,
            now,
        ))
        .await?;
        let after_commit = AfterCommit::default()
            .user_changed(user.id)
            .sessions_ended(&ended, reason)
            .email_queued();
        self.commit_and_publish(tx, after_commit, now).await?;
        let count = ended.len();
        tracing::info!(user_id = %user.id, count, %reason, "password changed, sessions ended");
        Ok(())
    }
}
