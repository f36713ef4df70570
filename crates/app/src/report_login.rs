//! Reports a login that was not the account owner's.

use gateward_domain::email::{EmailKind, OutboxEmail};
use gateward_domain::link::{Link, LinkPurpose, LinkSubject, SecretHash};
use gateward_domain::ports::{Access, RateLimitScope, StoreError, Tx};
use gateward_domain::{
    Actor, EndReason, Event, EventId, EventKind, RequestInfo, Session, Timestamp, User,
};

use crate::after_commit::AfterCommit;
use crate::rate_limited::rate_limited;
use crate::{App, RateLimited};

/// Maximum number of events read since the login. If the person who logged in has caused more, the
/// link takes effect.
const EVENTS_MAX: u32 = 500;

/// Why the report was refused.
#[derive(Debug, thiserror::Error)]
pub enum NotMeError {
    /// The link is unknown, used or expired.
    #[error("the link is invalid, expired or already used")]
    InvalidLink,
    /// A rate limit applies.
    #[error(transparent)]
    RateLimited(#[from] RateLimited),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Ends the session of a login that was not the owner's, and starts a password reset.
    ///
    /// The person who logged in knows the password and may have started more with it. The password
    /// therefore stops working, all sessions and links end, no device is known any longer, and the
    /// owner receives an email to choose another password.
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn report_login(
        &self,
        token: &str,
        request_info: &RequestInfo,
    ) -> Result<(), NotMeError> {
        let is_wrong = |error: &NotMeError| matches!(error, NotMeError::InvalidLink);
        let now = self.now();
        let reported = self.report_by_link(token, request_info, now);
        self.with_rate_limit(RateLimitScope::Link, (request_info, now), is_wrong, reported).await
    }

    async fn report_by_link(
        &self,
        token: &str,
        request_info: &RequestInfo,
        now: Timestamp,
    ) -> Result<(), NotMeError> {
        let (link, session) = self.reported(token, now).await?;
        let mut tx = self.ports.store.begin(Access::Write).await?;
        let user = tx.lock_user(session.user_id).await?.ok_or(NotMeError::InvalidLink)?;
        if !tx.spend_link(link.id, now).await? {
            return Err(NotMeError::InvalidLink);
        }
        let reason = EndReason::NotMe;
        let ended = self.end_all_started(&mut *tx, &user, reason, now).await?;
        self.begin_reset(&mut *tx, &user, &link, (request_info, now)).await?;
        for kind in [EventKind::LoginReported, EventKind::SessionsEnded(reason)] {
            let event = self.event(kind, Actor::User(user.id), now);
            let (user_id, session_id) = (Some(user.id), Some(session.id));
            tx.insert_event(&Event { user_id, session_id, ip: request_info.ip, ..event }).await?;
        }
        let after_commit = AfterCommit::default()
            .user_changed(user.id)
            .sessions_ended(&ended, reason)
            .email_queued();
        self.commit_and_publish(tx, after_commit, now).await?;
        tracing::warn!(user_id = %user.id, session_id = %session.id, "login reported, sessions ended");
        Ok(())
    }

    /// Returns the presented link and the session that it is about.
    async fn reported(&self, token: &str, now: Timestamp) -> Result<(Link, Session), NotMeError> {
        let mut tx = self.ports.store.begin(Access::Read).await?;
        let link = tx.find_link_by_secret(&SecretHash::of(token)).await?;
        let link = link.filter(|link| link.purpose == LinkPurpose::NotMe && link.expires_at > now);
        let link = link.ok_or(NotMeError::InvalidLink)?;
        let found = match link.subject {
            LinkSubject::Session(id) => tx.find_session(id).await?,
            LinkSubject::Signup(_) | LinkSubject::User(_) => None,
        };
        let (session, _) = found.ok_or(NotMeError::InvalidLink)?;
        // An owner who has reset the password by email since has settled the matter and has a new
        // password.
        let since = Some(EventId::before_all_at(link.created_at));
        let events = tx.list_user_events(session.user_id, since, EVENTS_MAX).await?;
        tx.commit().await?;
        let settles = [EventKind::PasswordReset, EventKind::EmailChangeUndone];
        if events.iter().any(|event| settles.contains(&event.kind)) {
            return Err(NotMeError::InvalidLink);
        }
        Ok((link, session))
    }

    async fn begin_reset(
        &self,
        tx: &mut dyn Tx,
        user: &User,
        link: &Link,
        (request_info, now): (&RequestInfo, Timestamp),
    ) -> Result<(), StoreError> {
        tx.set_password(user.id, user.credentials_version, &self.dummy_hash, now).await?;
        // If the email address was changed since, its owner has a link that undoes the change. The
        // new email address may be the attacker's.
        if user.email == link.email && !user.disabled {
            let message =
                self.new_outbox_email(EmailKind::ForgotPassword, &link.email, request_info.ip, now);
            tx.insert_outbox_email(&OutboxEmail { user_id: Some(user.id), ..message }).await?;
        }
        Ok(())
    }
}

rate_limited!(NotMeError);
