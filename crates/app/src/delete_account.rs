//! Deleting one's own account.

use gateward_domain::mail::LetterKind;
use gateward_domain::ports::{Access, HashError, StoreError, Tx};
use gateward_domain::{End, EndReason, EventKind, Origin, Password, RoleName, User};

use crate::aftermath::Aftermath;
use crate::links::USER_LINKS_MAX;
use crate::reauthenticate::PasswordShown;
use crate::{App, Caller, ReauthenticateError};

/// Why the account was not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteAccountError {
    /// The password is wrong, or was changed meanwhile.
    #[error("wrong password")]
    WrongPassword,
    /// The password was given too long ago.
    #[error("the password was given too long ago")]
    NotRecent,
    /// Nobody else could administer the installation.
    #[error("the last active administrator stays")]
    LastAdmin,
    /// The password could not be checked.
    #[error(transparent)]
    Hash(#[from] HashError),
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
    pub fn check_recent(&self, caller: &Caller) -> Result<PasswordShown, NotRecent> {
        let age = self.now().seconds_since(caller.auth_time);
        if age < self.policy.reauthentication_seconds {
            Ok(PasswordShown::recently())
        } else {
            Err(NotRecent)
        }
    }

    /// The first half: the password, or that it was given lately. Writes nothing; see
    /// [`App::login`] for why there are two halves.
    pub async fn verify_deletion(
        &self,
        caller: &Caller,
        password: Option<&Password>,
    ) -> Result<PasswordShown, DeleteAccountError> {
        let Some(password) = password else {
            return self.check_recent(caller).map_err(|NotRecent| DeleteAccountError::NotRecent);
        };
        self.verify_again(caller, password).await.map_err(|error| match error {
            ReauthenticateError::Hash(error) => DeleteAccountError::Hash(error),
            _ => DeleteAccountError::WrongPassword,
        })
    }

    /// The second half: deletes the account of the caller and ends its sessions. What was written
    /// down about it stays, and names nobody any more.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn delete_account(
        &self,
        caller: &Caller,
        _: PasswordShown,
        origin: &Origin,
    ) -> Result<(), DeleteAccountError> {
        let now = self.now();
        let mut tx = self.ports.store.begin(Access::Write).await?;
        keep_an_admin(&mut *tx, &caller.user).await?;
        let version = caller.user.credentials_version;
        let locked = tx.lock_user(caller.user.id).await?;
        let user = locked.filter(|user| user.credentials_version == version && !user.disabled);
        let user = user.ok_or(DeleteAccountError::WrongPassword)?;
        // Whoever could have undone a change of address is told that this is over, too.
        let links = tx.list_user_links(user.id, USER_LINKS_MAX).await?;
        for link in links.iter().filter(|link| link.undoes(now) && link.reserves_email) {
            let former = User { email: link.email.clone(), ..user.clone() };
            if former.email != user.email {
                let letter = self.notice(LetterKind::AccountDeleted, &former, origin.ip, now);
                tx.insert_letter(&letter).await?;
            }
        }
        let reason = EndReason::AccountDeleted;
        let ended = tx.end_sessions_of_user(user.id, None, End { at: now, reason }).await?;
        tx.delete_user(user.id).await?;
        for kind in [EventKind::AccountDeleted, EventKind::SessionsEnded(reason)] {
            tx.insert_event(&self.event_of(caller, kind, origin, now)).await?;
        }
        tx.insert_letter(&self.notice(LetterKind::AccountDeleted, &user, origin.ip, now)).await?;
        let aftermath = Aftermath::default()
            .user_changed(user.id)
            .cut_off(user.id, reason, now)
            .sessions_ended(&ended, reason)
            .letter();
        self.conclude(tx, aftermath, now).await?;
        tracing::info!(user_id = %user.id, "account deleted, sessions ended");
        Ok(())
    }
}

/// Refuses to let the last active administrator go. Two who go at once meet at the lock.
async fn keep_an_admin(tx: &mut dyn Tx, user: &User) -> Result<(), DeleteAccountError> {
    let admin = RoleName::admin();
    if !user.roles.contains(&admin) {
        return Ok(());
    }
    if let Some(instance) = tx.find_instance().await? {
        tx.lock_instance(&instance).await?;
    }
    if tx.count_users_with_role(&admin).await? <= 1 {
        return Err(DeleteAccountError::LastAdmin);
    }
    Ok(())
}
