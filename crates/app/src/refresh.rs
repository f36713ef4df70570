//! Refreshing: a refresh token for the next pair.

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

/// A refresh that waited longer than this before it was begun is dropped, in seconds: its client
/// has given up and may have shown the next token since. Shorter than the leeway by default, so
/// that a slow request of a client without keys is dropped rather than taken for a replay.
const DEADLINE_SECONDS: i64 = 5;

/// A refresh token that is shown.
#[derive(Debug)]
pub struct Refresh {
    /// The token.
    pub token: TokenText,
    /// The idempotency key that came with it.
    pub idempotency_key: Option<IdempotencyKeyHash>,
    /// When the request arrived.
    pub received_at: Timestamp,
    /// Where it came from.
    pub request_info: RequestInfo,
}

/// What a refresh gives.
#[derive(Debug)]
pub struct Refreshed {
    /// The next pair.
    pub pair: TokenPair,
    /// Whose it is, as they are now.
    pub user: User,
}

/// Why there is no next pair.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The token is not believed.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The session is over.
    #[error("the session is over: {0}")]
    SessionEnded(EndReason),
    /// The token was spent before; the session is over from now on.
    #[error("the refresh token was spent before")]
    Reused,
    /// The request is too old to be acted on.
    #[error("the request waited too long")]
    TooLate,
    /// The store has failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Exchanges a refresh token for the next pair, by the rules of
    /// [`judge`].
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
        let mut tx = self.ports.store.begin(Access::SingleWrite).await?;
        let rotated = tx.rotate_session(&rotation).await?;
        tx.commit().await?;
        let (session, user, outcome) = match rotated {
            Some((session, user)) => {
                // The line stands where the token that was shown says, or has moved on just now.
                let has_moved = session.refresh_state.rotated_at == now;
                let outcome =
                    if has_moved { RefreshOutcome::Rotated } else { RefreshOutcome::Repeated };
                (session, user, outcome)
            }
            None => self.rotate_locked(&rotation, &refresh.request_info, deadline).await?,
        };
        let pair = self.issue_pair(&user, &session, now)?;
        Ok((Refreshed { pair, user }, outcome))
    }

    /// The session of a refresh token of ours, whether or not it can still be used.
    pub fn session_id_of_refresh_token(&self, token: &str) -> Result<SessionId, TokenError> {
        Ok(self.ports.signer.verify_refresh(token, self.now())?.session_id)
    }

    /// What the store is asked to do with the token that is shown.
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

    /// Applies the whole table to a session that the one statement left alone. What it decides is
    /// committed before it is told.
    async fn rotate_locked(
        &self,
        rotation: &Rotation,
        request_info: &RequestInfo,
        deadline: Timestamp,
    ) -> Result<(Session, User, RefreshOutcome), RefreshError> {
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
            // The store was slow: its client may have given up and gone on with the next token.
            // Only the time of this moment tells, so it is asked for again.
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
                    "a spent refresh token was shown; the session is over"
                );
                return Err(RefreshError::Reused);
            }
            RotationDecision::Repeat => {}
            RotationDecision::Rotate | RotationDecision::Recover => {
                session.refresh_state =
                    session.refresh_state.after(rotation, session.lifetime_ends_at);
                tx.set_refresh_state(session.id, &session.refresh_state).await?;
            }
        }
        if decision == RotationDecision::Recover {
            tx.insert_event(&event).await?;
            tracing::warn!(session_id = %session.id, "the store has lost writes; caught up");
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
            RotationDecision::Recover => RefreshOutcome::Recovered,
            RotationDecision::Repeat => RefreshOutcome::Repeated,
            _ => RefreshOutcome::Rotated,
        };
        Ok((session, user, outcome))
    }
}
