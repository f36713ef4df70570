//! `AfterCommit`: what a unit of work publishes once it is committed.

use gateward_domain::feed::{FeedItem, InvalidationEvent};
use gateward_domain::key::CLOCK_SKEW_SECONDS;
use gateward_domain::ports::{Metric, StoreError, Tx};
use gateward_domain::{EndReason, SessionId, Timestamp, UserId};

use crate::App;

/// Minimum number of seconds for which invalidation events are relevant. A node that was cut off
/// for less has missed nothing. It is an hour because the writer of an event may be configured with
/// shorter token lifetimes than the nodes, such as a command in an operator's shell.
const INVALIDATION_SECONDS_MIN: i64 = 3600;

/// What a unit of work publishes once it is committed.
#[derive(Debug, Default)]
pub(crate) struct AfterCommit {
    invalidations: Vec<InvalidationEvent>,
    has_email: bool,
}

impl AfterCommit {
    /// Records that an email was queued.
    pub(crate) fn email_queued(mut self) -> Self {
        self.has_email = true;
        self
    }

    /// Records that an email was queued, if `written`.
    pub(crate) const fn email_queued_if(mut self, written: bool) -> Self {
        self.has_email |= written;
        self
    }

    /// Records that an account changed.
    pub(crate) fn user_changed(self, id: UserId) -> Self {
        self.invalidate(InvalidationEvent::UserChanged { id })
    }

    /// Records that a session ended.
    pub(crate) fn session_ended(self, id: SessionId, reason: EndReason) -> Self {
        self.invalidate(InvalidationEvent::SessionEnded { id, reason })
    }

    /// Records that sessions ended.
    pub(crate) fn sessions_ended(mut self, ids: &[SessionId], reason: EndReason) -> Self {
        self.invalidations
            .extend(ids.iter().map(|id| InvalidationEvent::SessionEnded { id: *id, reason }));
        self
    }

    /// Revokes every token of this user that was issued up to now.
    pub(crate) fn revoked_before(self, id: UserId, reason: EndReason, now: Timestamp) -> Self {
        // Tokens carry their time of issue in whole seconds, so the current second is included.
        let before = Timestamp::from_seconds(now.seconds() + 1);
        self.invalidate(InvalidationEvent::UserTokensRevoked { id, before, reason })
    }

    /// Records any other invalidation event.
    pub(crate) fn invalidate(mut self, invalidation: InvalidationEvent) -> Self {
        self.invalidations.push(invalidation);
        self
    }
}

impl App {
    /// Commits a unit of work. The invalidation events are written in the same transaction, so that
    /// every node receives them. This node applies them before the caller receives a response.
    pub(crate) async fn commit_and_publish(
        &self,
        mut tx: Box<dyn Tx>,
        after_commit: AfterCommit,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let until = self.invalidation_expires_at(now);
        let items: Vec<FeedItem> = after_commit
            .invalidations
            .into_iter()
            .map(|invalidation| FeedItem { invalidation, at: now, until })
            .collect();
        if !items.is_empty() {
            tx.insert_invalidation_events(&items).await?;
        }
        tx.commit().await?;
        self.ports.auth_cache.apply(&items);
        for item in &items {
            if let InvalidationEvent::SessionEnded { reason, .. } = item.invalidation {
                self.ports.metrics.count(Metric::SessionEnded(reason), 1);
            }
        }
        if after_commit.has_email {
            self.ports.outbox_notifier.notify();
        }
        Ok(())
    }

    /// Returns when an event of now becomes irrelevant: once the last token issued before has
    /// expired and no verifier still caches the earlier public keys, by the clock of any node.
    fn invalidation_expires_at(&self, now: Timestamp) -> Timestamp {
        let lives = self.policy.access_ttl_seconds.max(self.policy.jwks_cache_seconds);
        let seconds = lives.max(INVALIDATION_SECONDS_MIN);
        now.plus_seconds(seconds + 2 * CLOCK_SKEW_SECONDS)
    }
}
