//! Exchanges a refresh token for the next pair.

use gateward_domain::email::EmailKind;
use gateward_domain::ports::{Access, Metric, RefreshOutcome, StoreError};
use gateward_domain::refresh::{
    IdempotencyKeyHash, PresentedToken, Rotation, RotationDecision, judge,
};
use gateward_domain::{
    Actor, End, EndReason, Event, EventKind, RequestInfo, Session, SessionId, Timestamp,
    TokenError, TokenPair, TokenText, User,
};

use crate::App;
use crate::after_commit::AfterCommit;

/// Maximum age of a refresh request in seconds when its processing starts. An older one is dropped:
/// its client has given up, and may have presented the next token since. It is shorter than the
/// default leeway, so that a slow request without an idempotency key is dropped and not taken for a
/// replay.
const DEADLINE_SECONDS: i64 = 5;

/// A refresh request.
#[derive(Debug)]
pub struct Refresh {
    /// The presented token.
    pub token: TokenText,
    /// The idempotency key of the request.
    pub idempotency_key: Option<IdempotencyKeyHash>,
    /// Time of arrival of the request, UTC.
    pub received_at: Timestamp,
    /// Client IP address and user agent of the request.
    pub request_info: RequestInfo,
    /// Whether the session gets its next refresh token. Without rotation the current token stays
    /// valid until it expires, and a stolen one is noticed by no one.
    pub rotate: bool,
}

/// The result of a refresh.
#[derive(Debug)]
pub struct Refreshed {
    /// The next token pair.
    pub pair: TokenPair,
    /// The user, as they are now.
    pub user: User,
}

/// Why a refresh failed.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The token is not accepted.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The session has ended.
    #[error("the session has ended: {0}")]
    SessionEnded(EndReason),
    /// The token was already used. The session has now ended.
    #[error("the refresh token was already used")]
    Reused,
    /// The request is too old to process.
    #[error("the request waited too long and was dropped")]
    TooLate,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Exchanges a refresh token for the next pair, by the rules of [`judge`].
    #[tracing::instrument(skip_all, err(level = "debug"))]
    pub async fn refresh(&self, refresh: Refresh) -> Result<Refreshed, RefreshError> {
        let refreshed = self.try_refresh(refresh).await;
        let outcome = match &refreshed {
            Ok((_, outcome)) => Some(*outcome),
            Err(RefreshError::Reused) => Some(RefreshOutcome::Replayed),
            Err(RefreshError::SessionEnded(_)) => Some(RefreshOutcome::Ended),
            Err(RefreshError::Token(_)) => Some(RefreshOutcome::Refused),
            Err(RefreshError::TooLate | RefreshError::Store(_)) => None,
        };
        if let Some(outcome) = outcome {
            self.ports.metrics.count(Metric::Refresh(outcome), 1);
        }
        refreshed.map(|(refreshed, _)| refreshed)
    }

    async fn try_refresh(
        &self,
        refresh: Refresh,
    ) -> Result<(Refreshed, RefreshOutcome), RefreshError> {
        let now = self.now();
        let deadline = refresh.received_at.plus_seconds(DEADLINE_SECONDS);
        if now > deadline {
            return Err(RefreshError::TooLate);
        }
        let presented = self.ports.signer.verify_refresh(refresh.token.expose(), now)?;
        if presented.expires_at <= now {
            return Err(RefreshError::Token(TokenError::Expired));
        }
        let rotation = self.rotation(presented, refresh.idempotency_key, now)?;

        // One statement decides the common cases.
        let rotated = if refresh.rotate {
            let mut tx = self.ports.store.begin(Access::SingleWrite).await?;
            let rotated = tx.rotate_session(&rotation).await?;
            tx.commit().await?;
            rotated
        } else {
            None
        };
        let (session, user, outcome) = match rotated {
            Some((session, user)) => {
                // The refresh state is either the one of the presented token, or has just advanced.
                let has_moved = session.refresh_state.rotated_at == now;
                let outcome =
                    if has_moved { RefreshOutcome::Rotated } else { RefreshOutcome::Repeated };
                (session, user, outcome)
            }
            None => self.rotate_locked(&rotation, &refresh, deadline).await?,
        };
        let pair = self.issue_pair::<RefreshError>(&user, &session, false, now).await?;
        Ok((Refreshed { pair, user }, outcome))
    }

    /// Returns the session of a refresh token of this installation, whether or not it is still
    /// valid.
    pub fn session_id_of_refresh_token(&self, token: &str) -> Result<SessionId, TokenError> {
        Ok(self.ports.signer.verify_refresh(token, self.now())?.session_id)
    }

    /// Builds the store's request for the presented token.
    fn rotation(
        &self,
        presented: PresentedToken,
        idempotency_key: Option<IdempotencyKeyHash>,
        now: Timestamp,
    ) -> Result<Rotation, TokenError> {
        Ok(Rotation {
            presented,
            idempotency_key,
            now,
            key_id: self.ports.signer.refresh_key(now)?,
            idle_seconds: self.policy.refresh_idle_seconds,
            leeway_seconds: self.policy.refresh_leeway_seconds,
        })
    }

    /// Applies all rules to a session that the single statement did not change. The decision is
    /// committed before it is returned.
    async fn rotate_locked(
        &self,
        rotation: &Rotation,
        refresh: &Refresh,
        deadline: Timestamp,
    ) -> Result<(Session, User, RefreshOutcome), RefreshError> {
        let request_info = &refresh.request_info;
        let mut tx = self.ports.store.begin(Access::Write).await?;
        let Some(mut session) = tx.lock_session(rotation.presented.session_id).await? else {
            return Err(RefreshError::Token(TokenError::Invalid));
        };
        let event = Event {
            user_id: Some(session.user_id),
            session_id: Some(session.id),
            ip: request_info.ip,
            ..self.event(EventKind::SessionRecovered, Actor::Service, rotation.now)
        };
        let decision = judge(&session, rotation);
        match decision {
            RotationDecision::Forged => return Err(RefreshError::Token(TokenError::Invalid)),
            RotationDecision::Ended(end) => return Err(RefreshError::SessionEnded(end.reason)),
            // The store was slow: the client may have given up and used the next token. Only the
            // current time shows that, so it is read again.
            RotationDecision::Replay if self.now() > deadline => return Err(RefreshError::TooLate),
            RotationDecision::Replay => {
                let reason = EndReason::RefreshTokenReused;
                tx.end_session(session.id, End { at: rotation.now, reason }).await?;
                let kind = EventKind::SessionEnded(reason);
                tx.insert_event(&Event { kind, ..event }).await?;
                if let Some(user) = tx.find_user(session.user_id).await? {
                    let (kind, now) = (EmailKind::TokenReused, rotation.now);
                    tx.insert_outbox_email(&self.new_account_email(
                        kind,
                        &user,
                        request_info.ip,
                        now,
                    ))
                    .await?;
                }
                let after_commit =
                    AfterCommit::default().session_ended(session.id, reason).email_queued();
                self.commit_and_publish(tx, after_commit, rotation.now).await?;
                tracing::warn!(
                    user_id = %session.user_id, session_id = %session.id,
                    "refresh token reuse detected, session revoked"
                );
                return Err(RefreshError::Reused);
            }
            RotationDecision::Rotate | RotationDecision::Recover if refresh.rotate => {
                session.refresh_state =
                    session.refresh_state.after(rotation, session.lifetime_ends_at);
                tx.set_refresh_state(session.id, &session.refresh_state).await?;
            }
            RotationDecision::Repeat | RotationDecision::Rotate | RotationDecision::Recover => {}
        }
        if decision == RotationDecision::Recover && refresh.rotate {
            tx.insert_event(&event).await?;
            tracing::warn!(session_id = %session.id, "database lost writes, session recovered");
        }
        let user = match tx.find_user(session.user_id).await? {
            None => return Err(RefreshError::SessionEnded(EndReason::AccountDeleted)),
            Some(user) if user.disabled => {
                return Err(RefreshError::SessionEnded(EndReason::AccountDisabled));
            }
            Some(user) => user,
        };
        tx.commit().await?;
        let outcome = match decision {
            RotationDecision::Repeat => RefreshOutcome::Repeated,
            _ if !refresh.rotate => RefreshOutcome::Kept,
            RotationDecision::Recover => RefreshOutcome::Recovered,
            _ => RefreshOutcome::Rotated,
        };
        Ok((session, user, outcome))
    }
}
