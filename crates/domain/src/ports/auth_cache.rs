//! `AuthCache`: what a node knows without asking the store.

use std::sync::Arc;
use std::time::Instant;

use crate::feed::FeedItem;
use crate::{AccessClaims, EndReason, SessionId, User};

/// When something was read from the store: before what was learned, and by the node's own watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadMark {
    /// How many items had been learned.
    pub applied: u64,
    /// When, by a watch that no clock moves.
    pub at: Instant,
}

/// What a node knows without asking the store: which sessions ended lately, and the users whose
/// tokens it has seen. It forgets what no longer matters, and holds a bounded number of users.
#[cfg_attr(feature = "mock", mockall::automock)]
pub trait AuthCache: Send + Sync {
    /// Whether it is new enough to be decided by. Where it is not, the store is asked.
    fn is_fresh(&self) -> bool;

    /// Why the tokens with these claims are dead; `None` if nothing is known against them.
    fn find_end(&self, claims: &AccessClaims) -> Option<EndReason>;

    /// The user of these claims, as the store had them a moment ago, if the session is known to be
    /// theirs: the store said so once, and nothing was heard of its end.
    fn find_user(&self, claims: &AccessClaims) -> Option<Arc<User>>;

    /// To be asked before the store is read.
    fn begin_read(&self) -> ReadMark;

    /// Remembers a user and an active session of theirs that were read from the store after `mark`,
    /// unless a change of the user was learned since: then what was read may be older than the
    /// change.
    fn remember_user(&self, user: &Arc<User>, session_id: SessionId, mark: ReadMark);

    /// Learns invalidation events, from the feed or from a change of this node's own; more than
    /// once is no harm.
    fn apply(&self, items: &[FeedItem]);

    /// Says that everything was learned that was committed before `mark`.
    fn confirm(&self, mark: ReadMark);

    /// Says that invalidation events may be missing from now on, until the next
    /// [`AuthCache::confirm`].
    fn invalidate(&self);

    /// Forgets all users: the store may not be what it was.
    fn forget_users(&self);
}

/// Knows nothing, so that the store is asked each time: for commands, and for an application that
/// does not follow the feed.
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
