//! `NodeAuthCache`: the authentication cache of one node, shared by all its requests.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use gateward_domain::feed::{FeedItem, InvalidationEvent};
use gateward_domain::key::CLOCK_SKEW_SECONDS;
use gateward_domain::ports::{AuthCache, ReadMark};
use gateward_domain::{AccessClaims, EndReason, SessionId, User, UserId};
use quick_cache::sync::Cache;

use crate::ends::Ends;

/// Time for which a read of the feed is fresh: twice the poll interval, and less than a second
/// after a session ends.
pub const FRESH_FOR: Duration = Duration::from_millis(500);

/// Maximum time without a read of the feed for which users stay cached. The feed keeps invalidation
/// events for longer.
const SILENCE_MAX: Duration = Duration::from_mins(5);

/// Interval between cleanups, each of which scans every entry.
const FORGET_INTERVAL: Duration = Duration::from_secs(10);

/// Minimum time for which invalidation events are kept: a change of a user must be known for as
/// long as a read may take.
const KEEP_MIN: Duration = Duration::from_mins(15);

/// The authentication cache of one node. It is not persisted.
///
/// Expiry uses a monotonic clock: a wall clock that is briefly ahead would drop entries that are
/// still relevant.
pub struct NodeAuthCache {
    keep: Duration,
    state: RwLock<State>,
    /// `None` if users are not cached.
    users: Option<Cache<UserId, Arc<User>>>,
    /// The user of each session that the store has returned.
    sessions: Cache<SessionId, UserId>,
}

#[derive(Default)]
struct State {
    ends: Ends,
    /// Per user: the number of the last applied change, and until when it is relevant.
    changes: HashMap<UserId, (u64, Instant)>,
    /// Number of applied items.
    applied: u64,
    /// Users read before this number of items are not cached.
    users_since: u64,
    /// Everything committed before this time has been applied.
    confirmed: Option<Instant>,
    /// Invalidation events may be missing since this time.
    invalidated: Option<Instant>,
    forgot: Option<Instant>,
}

impl NodeAuthCache {
    /// Creates an empty cache. It keeps ends for the lifetime of an access token, and at most
    /// `users_max` users.
    #[must_use]
    pub fn new(access_ttl_seconds: i64, users_max: usize) -> Self {
        let life_seconds = access_ttl_seconds.saturating_add(2 * CLOCK_SKEW_SECONDS);
        let life = Duration::from_secs(u64::try_from(life_seconds).unwrap_or(0));
        Self::keeping(life.max(KEEP_MIN), users_max)
    }

    fn keeping(keep: Duration, users_max: usize) -> Self {
        let users = (users_max > 0).then(|| Cache::new(users_max));
        let sessions = Cache::new(users_max);
        Self { keep, state: RwLock::default(), users, sessions }
    }

    /// Returns the number of relevant ends.
    #[must_use]
    pub fn ends(&self) -> usize {
        self.read().ends.len()
    }

    /// Returns the time since everything was known to be applied. `None` if it never was.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        self.read().confirmed.map(|at| at.elapsed())
    }

    /// Drops a user, even if a read of that user is about to be cached.
    fn forget_user(&self, state: &mut State, id: UserId, until: Instant) {
        let entry = (state.applied, until);
        state.changes.insert(id, entry);
        if let Some(users) = &self.users {
            users.remove(&id);
        }
    }

    /// Drops all users and sessions, even if reads of them are about to be cached.
    fn forget_users_of(&self, state: &mut State) {
        state.applied += 1;
        state.users_since = state.applied;
        self.sessions.clear();
        if let Some(users) = &self.users {
            users.clear();
        }
    }

    // No method panics in the middle of a change, so the guarded data is consistent.
    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AuthCache for NodeAuthCache {
    fn is_fresh(&self) -> bool {
        let state = self.read();
        state.invalidated.is_none() && state.confirmed.is_some_and(|at| at.elapsed() <= FRESH_FOR)
    }

    fn find_end(&self, claims: &AccessClaims) -> Option<EndReason> {
        self.read().ends.find(claims)
    }

    fn find_user(&self, claims: &AccessClaims) -> Option<Arc<User>> {
        let owner = self.sessions.get(&claims.session_id)?;
        let users = self.users.as_ref().filter(|_| owner == claims.user_id)?;
        users.get(&claims.user_id)
    }

    fn begin_read(&self) -> ReadMark {
        ReadMark { applied: self.read().applied, at: Instant::now() }
    }

    fn remember_user(&self, user: &Arc<User>, session_id: SessionId, mark: ReadMark) {
        let Some(users) = &self.users else { return };
        // Held while the user is inserted, so that no change is applied in between.
        let state = self.read();
        let changed = state.changes.get(&user.id).map_or(0, |(applied, _)| *applied);
        if mark.applied >= changed.max(state.users_since) {
            self.sessions.insert(session_id, user.id);
            users.insert(user.id, Arc::clone(user));
        }
    }

    fn apply(&self, items: &[FeedItem]) {
        if items.is_empty() {
            return;
        }
        let until = Instant::now() + self.keep;
        let mut state = self.write();
        for item in items {
            state.applied += 1;
            state.ends.apply(&item.invalidation, until);
            match item.invalidation {
                InvalidationEvent::UserChanged { id } => self.forget_user(&mut state, id, until),
                // A user is cached with the permissions that the roles granted at the time of the
                // read.
                InvalidationEvent::RolesChanged => self.forget_users_of(&mut state),
                _ => {}
            }
        }
    }

    fn confirm(&self, mark: ReadMark) {
        let mut state = self.write();
        // A read before the invalidation does not confirm anything after it.
        if state.invalidated.is_some_and(|at| mark.at < at) {
            return;
        }
        state.invalidated = None;
        let since = state.confirmed.replace(mark.at);
        let silence = since.map(|since| mark.at.saturating_duration_since(since));
        if silence.is_some_and(|silence| silence > SILENCE_MAX) {
            self.forget_users_of(&mut state);
        }
        if state.forgot.is_none_or(|at| at.elapsed() >= FORGET_INTERVAL) {
            let now = Instant::now();
            state.ends.forget(now);
            state.changes.retain(|_, (_, until)| *until > now);
            state.forgot = Some(now);
        }
    }

    fn invalidate(&self) {
        self.write().invalidated = Some(Instant::now());
    }

    fn forget_users(&self) {
        self.forget_users_of(&mut self.write());
    }
}

impl fmt::Debug for NodeAuthCache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("NodeAuthCache").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
