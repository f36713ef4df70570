//! `AfterCommit`: what the world learns of a unit of work once it is committed.

use gateward_domain::feed::{FeedItem, InvalidationEvent};
use gateward_domain::key::CLOCK_SKEW_SECONDS;
use gateward_domain::ports::{Metric, StoreError, Tx};
use gateward_domain::{EndReason, SessionId, Timestamp, UserId};

use crate::App;

/// For how many seconds invalidation events matter at least: a node that heard nothing for a
/// shorter time has missed nothing. It is an hour because whoever writes them may be set to shorter
/// lives of tokens than the nodes are, such as a command in the shell of an operator.
const INVALIDATION_SECONDS_MIN: i64 = 3600;

/// What the world learns of a unit of work once it is committed.
#[derive(Debug, Default)]
pub(crate) struct AfterCommit {
    invalidations: Vec<InvalidationEvent>,
    has_email: bool,
}

impl AfterCommit {
    /// An email was written.
    pub(crate) fn email_queued(mut self) -> Self {
        self.has_email = true;
        self
    }

    /// An email was written, if it was.
    pub(crate) const fn email_queued_if(mut self, written: bool) -> Self {
        self.has_email |= written;
        self
    }

    /// An account is not what it was.
    pub(crate) fn user_changed(self, id: UserId) -> Self {
        self.invalidate(InvalidationEvent::UserChanged { id })
    }

    /// A session ended.
    pub(crate) fn session_ended(self, id: SessionId, reason: EndReason) -> Self {
        self.invalidate(InvalidationEvent::SessionEnded { id, reason })
    }

    /// Some sessions ended.
    pub(crate) fn sessions_ended(mut self, ids: &[SessionId], reason: EndReason) -> Self {
        self.invalidations
            .extend(ids.iter().map(|id| InvalidationEvent::SessionEnded { id: *id, reason }));
        self
    }

    /// Nobody is to believe a token of this user that was made until now.
    pub(crate) fn revoked_before(self, id: UserId, reason: EndReason, now: Timestamp) -> Self {
        // Tokens tell the second in which they were made, so the whole of this one counts.
        let before = Timestamp::from_seconds(now.seconds() + 1);
        self.invalidate(InvalidationEvent::UserTokensRevoked { id, before, reason })
    }

    /// Something else.
    pub(crate) fn invalidate(mut self, invalidation: InvalidationEvent) -> Self {
        self.invalidations.push(invalidation);
        self
    }
}

impl App {
    /// Ends a unit of work: what it tells is written in the same transaction, so that every node
    /// learns of it, and this node knows it before anybody gets an answer.
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

    /// Until when what happens now matters: until the last token has expired that was made before,
    /// and nobody keeps the public keys of before any more, by the clock of any node.
    fn invalidation_expires_at(&self, now: Timestamp) -> Timestamp {
        let lives = self.policy.access_ttl_seconds.max(self.policy.jwks_cache_seconds);
        let seconds = lives.max(INVALIDATION_SECONDS_MIN);
        now.plus_seconds(seconds + 2 * CLOCK_SKEW_SECONDS)
    }
}
