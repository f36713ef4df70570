//! `AuthCache`: what a node can decide without reading the store.

use std::sync::Arc;
use std::time::Instant;

use crate::feed::FeedItem;
use crate::{AccessClaims, EndReason, SessionId, User};

/// The start of a read from the store, as a count of applied events and a monotonic time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadMark {
    /// Number of items applied before the read.
    pub applied: u64,
    /// Monotonic time of the read.
    pub at: Instant,
}

/// The authentication cache of a node: sessions that ended recently, and the users whose tokens it
/// has seen. It drops entries that are no longer relevant, and holds a bounded number of users.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait AuthCache: Send + Sync {
    /// Returns whether the cache is fresh enough to decide from. If it is not, the caller reads the
    /// store.
    fn is_fresh(&self) -> bool;

    /// Returns why the tokens with these claims are no longer valid. `None` if the cache knows of
    /// no reason.
    fn find_end(&self, claims: &AccessClaims) -> Option<EndReason>;

    /// Returns the user of these claims as recently read from the store. `None` unless the cache
    /// has seen that the session is theirs and has not seen it end.
    fn find_user(&self, claims: &AccessClaims) -> Option<Arc<User>>;

    /// Marks the start of a read. Call it before you read the store.
    fn begin_read(&self) -> ReadMark;

    /// Caches a user and an active session of theirs that were read from the store after `mark`.
    /// Does nothing if a change of the user was applied since: the value read may be older than the
    /// change.
    fn remember_user(&self, user: &Arc<User>, session_id: SessionId, mark: ReadMark);

    /// Applies invalidation events, from the feed or from this node's own changes. Idempotent.
    fn apply(&self, items: &[FeedItem]);

    /// Records that every event committed before `mark` has been applied.
    fn confirm(&self, mark: ReadMark);

    /// Records that invalidation events may be missing, until the next [`AuthCache::confirm`].
    fn invalidate(&self);

    /// Drops all users, because the store may have changed.
    fn forget_users(&self);
}

/// A cache without entries: every check reads the store. For commands, and for applications that do
/// not follow the feed.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoAuthCache;

impl AuthCache for NoAuthCache {
    fn is_fresh(&self) -> bool {
        false
    }

    fn find_end(&self, _: &AccessClaims) -> Option<EndReason> {
        None
    }

    fn find_user(&self, _: &AccessClaims) -> Option<Arc<User>> {
        None
    }

    fn begin_read(&self) -> ReadMark {
        ReadMark { applied: 0, at: Instant::now() }
    }

    fn remember_user(&self, _: &Arc<User>, _: SessionId, _: ReadMark) {}

    fn apply(&self, _: &[FeedItem]) {}

    fn confirm(&self, _: ReadMark) {}

    fn invalidate(&self) {}

    fn forget_users(&self) {}
}
