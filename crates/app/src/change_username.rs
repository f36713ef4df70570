//! Changes the caller's username.

use gateward_domain::email::EmailKind;
use gateward_domain::ports::{Access, StoreError};
use gateward_domain::{EventKind, RequestInfo, User, Username};

use crate::after_commit::AfterCommit;
use crate::outbox::SLOT_USERNAME;
use crate::{App, Caller};

/// Why the username was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeUsernameError {
    /// The account was deleted meanwhile.
    #[error("the account was deleted")]
    Gone,
    /// The store failed, or the username is already taken.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Changes the caller's username. Their tokens carry it from the next one on.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn change_username(
        &self,
        caller: &Caller,
        username: Username,
        request_info: &RequestInfo,
    ) -> Result<User, ChangeUsernameError> {
        let now = self.now();
        let mut tx = self.ports.store.begin(Access::Write).await?;
        if !tx.set_username(caller.user.id, &username, now).await? {
            return Err(ChangeUsernameError::Gone);
        }
        let user = tx.find_user(caller.user.id).await?.ok_or(ChangeUsernameError::Gone)?;
        let event = self.event_of(caller, EventKind::UsernameChanged, request_info, now);
        tx.insert_event(&event).await?;
        let message =
            self.new_account_email(EmailKind::UsernameChanged, &user, request_info.ip, now);
        self.queue_in_free_slot(&mut *tx, SLOT_USERNAME, message).await?;
        let after_commit = AfterCommit::default().user_changed(user.id).email_queued();
        self.commit_and_publish(tx, after_commit, now).await?;
        tracing::info!(user_id = %user.id, "username changed");
        Ok(user)
    }
}
