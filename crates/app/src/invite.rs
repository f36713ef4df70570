//! Invites a user: creates an account whose password only its owner chooses.

use gateward_domain::email::{EmailKind, OutboxEmail};
use gateward_domain::link::{Link, LinkPurpose, LinkSubject};
use gateward_domain::ports::{Access, HashError, RateLimitScope, StoreError};
use gateward_domain::{
    Actor, EmailAddress, Event, EventKind, Password, PasswordError, PasswordHash, Permission,
    RequestInfo, RoleName, Timestamp, User, Username,
};

use crate::admin::{AdminActor, AdminError};
use crate::after_commit::AfterCommit;
use crate::links::{LinkProof, lock_owner};
use crate::rate_limited::rate_limited;
use crate::reset::end_links_issued;
use crate::roles::listed;
use crate::{App, RateLimited};

/// The account to create by invitation.
#[derive(Debug)]
pub struct Invitation {
    /// The username of the account.
    pub username: Username,
    /// The email address that receives the invitation.
    pub email: EmailAddress,
    /// The roles. Every account also holds `user`.
    pub roles: Vec<RoleName>,
}

/// A verified acceptance. Nothing is written yet.
#[derive(Debug)]
pub struct PreparedAcceptance {
    link: Link,
    hash: PasswordHash,
    request_info: RequestInfo,
}

/// Why an invitation was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AcceptInvitationError {
    /// The link is unknown, used, superseded or expired.
    #[error("the link is invalid, expired or already used")]
    InvalidLink,
    /// A rate limit applies.
    #[error(transparent)]
    RateLimited(#[from] RateLimited),
    /// The password does not meet the policy.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The password could not be hashed.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Creates an account without a password, and emails its owner an invitation to choose one.
    ///
    /// For roles beyond `user`, the caller needs the permission to grant them and must have
    /// confirmed the password recently.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn invite_user(
        &self,
        admin: AdminActor<'_>,
        invitation: Invitation,
    ) -> Result<User, AdminError> {
        let done = self.try_invite_user(admin, invitation).await;
        self.audit_denial(admin, done).await
    }

    async fn try_invite_user(
        &self,
        admin: AdminActor<'_>,
        invitation: Invitation,
    ) -> Result<User, AdminError> {
        let now = self.now();
        let (mut tx, privileges) = self.begin_admin(admin, Permission::UsersWrite, now).await?;
        let user_role = RoleName::user();
        if invitation.roles.iter().any(|role| *role != user_role) {
            privileges.require_all([Permission::RolesGrant].into_iter().collect())?;
            self.require_recent_password(admin, now)?;
        }
        let roles = self.grantable(&mut *tx, &privileges, (&[], invitation.roles)).await?;
        // The hash of an unknown password, until the owner chooses one.
        let hash = self.dummy_hash.clone();
        let user = self.new_user(invitation.username, invitation.email, hash, now);
        let user = User { roles, ..user };
        tx.insert_user(&user).await?;
        let subject = LinkSubject::User(user.id);
        let link = self.new_link(LinkPurpose::Invitation, subject, &user.email, now)?;
        tx.put_link(&link).await?;
        let message = self.new_account_email(EmailKind::Invitation, &user, admin.ip(), now);
        let message = OutboxEmail { link_id: Some(link.id), slot: None, ..message };
        tx.insert_outbox_email(&message).await?;
        let event = self.event_about_user(admin, EventKind::AccountInvited, user.id, now);
        let detail = Some(format!("roles={}", listed(&user.roles)));
        tx.insert_event(&Event { detail, ..event }).await?;
        // Read back with the permissions of its roles.
        let user = tx.find_user(user.id).await?.ok_or(AdminError::NotFound)?;
        self.commit_and_publish(tx, AfterCommit::default().email_queued(), now).await?;
        tracing::info!(user_id = %user.id, "user invited");
        Ok(user)
    }

    /// The first half of accepting: finds the link and hashes the password. Consumes nothing; see
    /// [`App::login`] for why there are two halves.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn prepare_acceptance(
        &self,
        token: String,
        password: Password,
        request_info: RequestInfo,
    ) -> Result<PreparedAcceptance, AcceptInvitationError> {
        let is_wrong =
            |error: &AcceptInvitationError| matches!(error, AcceptInvitationError::InvalidLink);
        let now = self.now();
        let invited = self.invited_by(token, &password, now);
        let (link, hash) = self
            .with_rate_limit(RateLimitScope::Link, (&request_info, now), is_wrong, invited)
            .await?;
        Ok(PreparedAcceptance { link, hash, request_info })
    }

    async fn invited_by(
        &self,
        token: String,
        password: &Password,
        now: Timestamp,
    ) -> Result<(Link, PasswordHash), AcceptInvitationError> {
        let proof = LinkProof::Token(token);
        let link = self.presented_link(&proof, &[LinkPurpose::Invitation], None, now).await?;
        let link = link.ok_or(AcceptInvitationError::InvalidLink)?;
        let user = self.find_owner(&link).await?.ok_or(AcceptInvitationError::InvalidLink)?;
        self.validate_new_password::<AcceptInvitationError>(password, &user.username, &user.email)
            .await?;
        let hash = self.ports.hasher.hash(password).await?;
        Ok((link, hash))
    }

    /// The second half: consumes the link and sets the password. The emailed link confirms the
    /// email address.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn complete_acceptance(
        &self,
        prepared: PreparedAcceptance,
    ) -> Result<(), AcceptInvitationError> {
        let now = self.now();
        let PreparedAcceptance { link, hash, request_info } = prepared;
        let mut tx = self.ports.store.begin(Access::Write).await?;
        let user = lock_owner(&mut *tx, &link).await?.ok_or(AcceptInvitationError::InvalidLink)?;
        if !tx.spend_link(link.id, now).await? {
            return Err(AcceptInvitationError::InvalidLink);
        }
        tx.set_password(user.id, user.credentials_version, &hash, now).await?;
        tx.set_email(user.id, &user.email, true, now).await?;
        end_links_issued(&mut *tx, user.id).await?;
        // Other sign-ups with this email address can no longer be confirmed.
        tx.delete_signups_of_email(&link.email).await?;
        for kind in [EventKind::InvitationAccepted, EventKind::EmailConfirmed] {
            let event = self.event(kind, Actor::User(user.id), now);
            tx.insert_event(&Event { user_id: Some(user.id), ip: request_info.ip, ..event })
                .await?;
        }
        self.commit_and_publish(tx, AfterCommit::default().user_changed(user.id), now).await?;
        tracing::info!(user_id = %user.id, "invitation accepted");
        Ok(())
    }
}

rate_limited!(AcceptInvitationError);
