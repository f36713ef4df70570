//! Changing one's own name.

use gateward_domain::mail::LetterKind;
use gateward_domain::ports::{Access, StoreError};
use gateward_domain::{EventKind, Origin, User, Username};

use crate::aftermath::Aftermath;
use crate::outbox::RENAMING;
use crate::{App, Caller};

/// Why the name was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeUsernameError {
    /// The account went away meanwhile.
    #[error("the account is gone")]
    Gone,
    /// The store refused, perhaps because the name is another's.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Gives the caller another name; their tokens carry it from the next one on.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn change_username(
        &self,
        caller: &Caller,
        username: Username,
        origin: &Origin,
    ) -> Result<User, ChangeUsernameError> {
        let now = self.now();
        let mut tx = self.ports.store.begin(Access::Write).await?;
        if !tx.set_username(caller.user.id, &username, now).await? {
            return Err(ChangeUsernameError::Gone);
        }
        let user = tx.find_user(caller.user.id).await?.ok_or(ChangeUsernameError::Gone)?;
        let event = self.event_of(caller, EventKind::UsernameChanged, origin, now);
        tx.insert_event(&event).await?;
        let letter = self.notice(LetterKind::UsernameChanged, &user, origin.ip, now);
        self.post_spaced(&mut *tx, RENAMING, letter).await?;
        let aftermath = Aftermath::default().user_changed(user.id).letter();
        self.conclude(tx, aftermath, now).await?;
        tracing::info!(user_id = %user.id, "username changed");
        Ok(user)
    }
}
