//! Changes the caller's email address, and undoes the change from the old one.

use gateward_domain::email::{EmailKind, OutboxEmail};
use gateward_domain::link::{Link, LinkPurpose, LinkSubject, SecretHash};
use gateward_domain::ports::{Access, RateLimitScope, StoreError, Taken, Tx};
use gateward_domain::{
    Actor, EmailAddress, EndReason, Event, EventKind, RequestInfo, SessionId, Timestamp,
    TokenError, User,
};

use crate::after_commit::AfterCommit;
use crate::links::USER_LINKS_MAX;
use crate::outbox::SLOT_CONFIRM;
use crate::rate_limited::rate_limited;
use crate::reauthenticate::PasswordConfirmed;
use crate::{App, Caller, RateLimited};

/// Maximum number of valid undo links per account. Each is valid for a week.
const UNDO_LINKS_MAX: usize = 20;

/// Why the email address was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeEmailError {
    /// The password is wrong, or was changed meanwhile.
    #[error("wrong password")]
    WrongPassword,
    /// The account already has this email address.
    #[error("this is already the email address of the account")]
    Unchanged,
    /// The account's email address was changed too often in the last week.
    #[error("the email address was changed too often")]
    TooOften,
    /// The link could not be created.
    #[error("the link could not be created")]
    Token(#[from] TokenError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a change was not undone.
#[derive(Debug, thiserror::Error)]
pub enum UndoEmailError {
    /// The link is unknown, used, superseded or expired.
    #[error("the link is invalid, expired or already used")]
    InvalidLink,
    /// A rate limit applies.
    #[error(transparent)]
    RateLimited(#[from] RateLimited),
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

impl App {
    /// Sends a confirmation link to the new email address and an undo link to the old one. The
    /// account keeps its email address until the confirmation. The response does not reveal whether
    /// another account has the new email address.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn change_email(
        &self,
        caller: &Caller,
        _: PasswordConfirmed,
        new: EmailAddress,
        request_info: &RequestInfo,
    ) -> Result<(), ChangeEmailError> {
        let now = self.now();
        let mut tx = self.ports.store.begin(Access::Write).await?;
        let version = caller.user.credentials_version;
        let locked = tx.lock_user(caller.user.id).await?;
        let user = locked.filter(|user| user.credentials_version == version && !user.disabled);
        let user = user.ok_or(ChangeEmailError::WrongPassword)?;
        if user.email == new {
            return Err(ChangeEmailError::Unchanged);
        }
        let links = tx.list_user_links(user.id, USER_LINKS_MAX).await?;
        if links.iter().filter(|link| link.undoes(now)).count() >= UNDO_LINKS_MAX {
            return Err(ChangeEmailError::TooOften);
        }
        let subject = LinkSubject::User(user.id);
        let confirm = self.new_link(LinkPurpose::ChangeEmail, subject, &new, now)?;
        let undo = self.new_link(LinkPurpose::UndoEmail, subject, &user.email, now)?;
        // An unconfirmed email address is not reserved: its real owner may claim it.
        let undo = Link { reserves_email: user.email_verified, ..undo };
        for link in [&confirm, &undo] {
            tx.put_link(link).await?;
        }
        let ask = self.new_outbox_email(EmailKind::ChangeEmail, &new, request_info.ip, now);
        let tell = self.new_account_email(EmailKind::EmailChange, &user, request_info.ip, now);
        let carrying = |message: OutboxEmail, link: &Link| OutboxEmail {
            user_id: Some(user.id),
            link_id: Some(link.id),
            ..message
        };
        self.queue_in_free_slot(&mut *tx, SLOT_CONFIRM, carrying(ask, &confirm)).await?;
        tx.insert_outbox_email(&carrying(tell, &undo)).await?;
        let event = self.event_of(caller, EventKind::EmailChangeRequested, request_info, now);
        tx.insert_event(&event).await?;
        self.commit_and_publish(tx, AfterCommit::default().email_queued(), now).await?;
        tracing::info!(user_id = %user.id, "email change requested");
        Ok(())
    }

    /// Restores the email address to which the undo link was sent. Before the change is confirmed,
    /// this cancels it. In either case the person who requested the change is logged out: the
    /// sessions end, the password stops working, and the owner receives a password reset email.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn undo_email_change(
        &self,
        token: &str,
        request_info: &RequestInfo,
    ) -> Result<(), UndoEmailError> {
        let is_wrong = |error: &UndoEmailError| matches!(error, UndoEmailError::InvalidLink);
        let now = self.now();
        let undone = self.undo_by_link(token, request_info, now);
        self.with_rate_limit(RateLimitScope::Link, (request_info, now), is_wrong, undone).await
    }

    async fn undo_by_link(
        &self,
        token: &str,
        request_info: &RequestInfo,
        now: Timestamp,
    ) -> Result<(), UndoEmailError> {
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let link = tx.find_link_by_secret(&SecretHash::of(token)).await?;
        tx.commit().await?;
        let link = link.filter(|link| link.undoes(now)).ok_or(UndoEmailError::InvalidLink)?;
        let user_id = link.user_id().ok_or(UndoEmailError::InvalidLink)?;

        let mut tx = self.ports.store.begin(Access::Write).await?;
        let user = tx.lock_user(user_id).await?.ok_or(UndoEmailError::InvalidLink)?;
        if !tx.spend_link(link.id, now).await? {
            return Err(UndoEmailError::InvalidLink);
        }
        let ended = self.bring_back(&mut *tx, &user, &link, (request_info, now)).await?;
        let after_commit = AfterCommit::default()
            .user_changed(user_id)
            .sessions_ended(&ended, EndReason::EmailChanged)
            .email_queued();
        self.commit_and_publish(tx, after_commit, now).await?;
        tracing::info!(%user_id, "email change undone, sessions ended");
        Ok(())
    }

    async fn bring_back(
        &self,
        tx: &mut dyn Tx,
        user: &User,
        link: &Link,
        (request_info, now): (&RequestInfo, Timestamp),
    ) -> Result<Vec<SessionId>, UndoEmailError> {
        tx.set_email(user.id, &link.email, true, now).await?;
        // The person who requested the change knows the password. This sets one that is unknown to
        // everyone: the reset email is the only way in.
        tx.set_password(user.id, user.credentials_version, &self.dummy_hash, now).await?;
        let reason = EndReason::EmailChanged;
        let ended = self.end_all_started(tx, user, reason, now).await?;
        // Undo links of later changes went to email addresses that those changes set.
        tx.delete_user_links(user.id, &[LinkPurpose::UndoEmail], link.created_at).await?;
        for kind in [EventKind::EmailChangeUndone, EventKind::SessionsEnded(reason)] {
            let event = self.event(kind, Actor::User(user.id), now);
            tx.insert_event(&Event { user_id: Some(user.id), ip: request_info.ip, ..event })
                .await?;
        }
        if user.email != link.email {
            let message =
                self.new_account_email(EmailKind::EmailUndone, user, request_info.ip, now);
            tx.insert_outbox_email(&message).await?;
        }
        let message =
            self.new_outbox_email(EmailKind::ForgotPassword, &link.email, request_info.ip, now);
        tx.insert_outbox_email(&OutboxEmail { user_id: Some(user.id), ..message }).await?;
        Ok(ended)
    }
}

impl From<StoreError> for UndoEmailError {
    /// An email address that was not reserved may have been taken meanwhile.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken(Taken::Email) => Self::InvalidLink,
            other => Self::Store(other),
        }
    }
}

rate_limited!(UndoEmailError);
