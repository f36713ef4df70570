//! Sets a new password with an emailed link.

use gateward_domain::email::EmailKind;
use gateward_domain::link::{Link, LinkPurpose, LinkSubject};
use gateward_domain::ports::{Access, HashError, RateLimitScope, StoreError, Tx};
use gateward_domain::{
    Actor, End, EndReason, Event, EventKind, Identifier, Password, PasswordError, PasswordHash,
    RequestInfo, SessionId, Timestamp, User, UserId,
};

use crate::after_commit::AfterCommit;
use crate::links::{LinkProof, lock_owner};
use crate::rate_limited::rate_limited;
use crate::{App, OperatorError, RateLimited};

/// Proof of access to the mailbox, and the new password.
#[derive(Debug)]
pub struct ResetPassword {
    /// The link or the code.
    pub proof: LinkProof,
    /// The new password.
    pub new: Password,
    /// Client IP address and user agent of the request.
    pub request_info: RequestInfo,
}

/// A verified reset. Nothing is written yet.
#[derive(Debug)]
pub struct PreparedReset {
    link: Link,
    hash: PasswordHash,
    request_info: RequestInfo,
}

/// Why the password was not reset.
#[derive(Debug, thiserror::Error)]
pub enum ResetPasswordError {
    /// The link or code is unknown, used, superseded or expired.
    #[error("the link is invalid, expired or already used")]
    InvalidLink,
    /// A rate limit applies.
    #[error(transparent)]
    RateLimited(#[from] RateLimited),
    /// The new password does not meet the policy.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The links that a reset deletes: another person may have requested them before the owner came
/// back. A link that undoes a change remains, because it went to a confirmed email address.
const STARTED_BEFORE: [LinkPurpose; 5] = [
    LinkPurpose::Invitation,
    LinkPurpose::ResetPassword,
    LinkPurpose::OperatorReset,
    LinkPurpose::ConfirmEmail,
    LinkPurpose::ChangeEmail,
];

/// Deletes these links of an account.
pub(crate) async fn end_links_issued(tx: &mut dyn Tx, user_id: UserId) -> Result<(), StoreError> {
    tx.delete_user_links(user_id, &STARTED_BEFORE, EVER).await?;
    Ok(())
}

/// The start of time, to match every link.
const EVER: Timestamp = Timestamp::from_seconds(0);

impl App {
    /// Sets a new password with a link or a code. Runs both halves; see [`App::login`] for why
    /// there are two.
    pub async fn reset_password(&self, reset: ResetPassword) -> Result<(), ResetPasswordError> {
        let prepared = self.prepare_reset(reset).await?;
        self.complete_reset(prepared).await
    }

    /// The first half: finds the link and hashes the password. Consumes nothing but one attempt of
    /// a code.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn prepare_reset(
        &self,
        reset: ResetPassword,
    ) -> Result<PreparedReset, ResetPasswordError> {
        let request_info = reset.request_info.clone();
        let is_wrong =
            |error: &ResetPasswordError| matches!(error, ResetPasswordError::InvalidLink);
        let now = self.now();
        let prepared = self.prepare_by_link(reset, now);
        self.with_rate_limit(RateLimitScope::Link, (&request_info, now), is_wrong, prepared).await
    }

    async fn prepare_by_link(
        &self,
        reset: ResetPassword,
        now: Timestamp,
    ) -> Result<PreparedReset, ResetPasswordError> {
        // The code of a link that an operator hands over is never shown.
        let purposes: &[LinkPurpose] = match reset.proof {
            LinkProof::Token(_) => &[LinkPurpose::ResetPassword, LinkPurpose::OperatorReset],
            LinkProof::Code { .. } => &[LinkPurpose::ResetPassword],
        };
        let link = self.presented_link(&reset.proof, purposes, None, now).await?;
        let link = link.ok_or(ResetPasswordError::InvalidLink)?;
        let user = self.find_owner(&link).await?.ok_or(ResetPasswordError::InvalidLink)?;
        self.validate_new_password::<ResetPasswordError>(&reset.new, &user.username, &user.email)
            .await?;
        let hash = self.ports.hasher.hash(&reset.new).await?;
        Ok(PreparedReset { link, hash, request_info: reset.request_info })
    }

    /// The second half: consumes the link, sets the password, and ends everything started with the
    /// old one.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn complete_reset(&self, prepared: PreparedReset) -> Result<(), ResetPasswordError> {
        let now = self.now();
        let PreparedReset { link, hash, request_info } = prepared;
        let mut tx = self.ports.store.begin(Access::Write).await?;
        let user = lock_owner(&mut *tx, &link).await?.ok_or(ResetPasswordError::InvalidLink)?;
        if !tx.spend_link(link.id, now).await? {
            return Err(ResetPasswordError::InvalidLink);
        }
        tx.set_password(user.id, user.credentials_version, &hash, now).await?;
        let proves_mailbox = link.purpose == LinkPurpose::ResetPassword;
        let confirms = proves_mailbox && !user.email_verified;
        if confirms {
            tx.set_email(user.id, &user.email, true, now).await?;
        }
        self.reset_login_failures(&mut *tx, &user, &request_info).await?;
        let ended = self.end_all_started(&mut *tx, &user, EndReason::PasswordReset, now).await?;
        let mut kinds =
            vec![EventKind::PasswordReset, EventKind::SessionsEnded(EndReason::PasswordReset)];
        kinds.extend(confirms.then_some(EventKind::EmailConfirmed));
        for kind in kinds {
            let event = self.event(kind, Actor::User(user.id), now);
            tx.insert_event(&Event { user_id: Some(user.id), ip: request_info.ip, ..event })
                .await?;
        }
        tx.insert_outbox_email(&self.new_account_email(
            EmailKind::PasswordReset,
            &user,
            request_info.ip,
            now,
        ))
        .await?;
        let after_commit = AfterCommit::default()
            .user_changed(user.id)
            .sessions_ended(&ended, EndReason::PasswordReset)
            .email_queued();
        self.commit_and_publish(tx, after_commit, now).await?;
        tracing::info!(user_id = %user.id, "password reset, sessions ended");
        Ok(())
    }

    /// Ends all sessions of an account and returns them. Also removes links and known devices,
    /// which are no longer trusted.
    pub(crate) async fn end_all_started(
        &self,
        tx: &mut dyn Tx,
        user: &User,
        reason: EndReason,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError> {
        let ended = tx.end_sessions_of_user(user.id, None, End { at: now, reason }).await?;
        tx.delete_user_known_devices(user.id).await?;
        end_links_issued(tx, user.id).await?;
        Ok(ended)
    }

    /// Creates a password reset link for an operator to hand over. Returns the link and its expiry.
    /// It replaces an emailed one.
    pub async fn make_reset_link(
        &self,
        identifier: &Identifier,
    ) -> Result<(String, Timestamp), OperatorError> {
        let now = self.now();
        let mut tx = self.ports.store.begin(Access::Write).await?;
        let found = tx.find_user_by_identifier(identifier).await?;
        let Some(user) = found else { return Err(OperatorError::NoSuchUser) };
        let locked = tx.lock_user(user.id).await?;
        let user = locked.filter(|user| !user.disabled).ok_or(OperatorError::Disabled)?;
        let subject = LinkSubject::User(user.id);
        let link = self.new_link(LinkPurpose::OperatorReset, subject, &user.email, now)?;
        let url = self.link_url(&link)?;
        let mailed = [LinkPurpose::ResetPassword];
        tx.delete_user_links(user.id, &mailed, EVER).await?;
        tx.put_link(&link).await?;
        let event = self.event(EventKind::ResetLinkCreated, Actor::Operator, now);
        tx.insert_event(&Event { user_id: Some(user.id), ..event }).await?;
        tx.commit().await?;
        Ok((url, link.expires_at))
    }
}

rate_limited!(ResetPasswordError);
