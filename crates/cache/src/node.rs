//! `NodeAuthCache`: what one node knows, shared by all its requests.

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

/// For how long what was read from the feed is new: twice the time between two looks, less than a
/// second after a session ends.
pub const FRESH_FOR: Duration = Duration::from_millis(500);

/// For how long a node may hear nothing and still know its users: the feed keeps invalidation
/// events for longer.
const SILENCE_MAX: Duration = Duration::from_mins(5);

/// How often what no longer matters is forgotten; it takes a look at everything.
const FORGET_INTERVAL: Duration = Duration::from_secs(10);

/// For how long invalidation events are kept at least: changes of users must be known for as long
/// as a read may last.
const KEEP_MIN: Duration = Duration::from_mins(15);

/// What one node knows. Nothing of it outlives the process.
///
/// How long it is kept goes by a watch that no clock moves: one that is ahead for a moment would
/// take away what matters still.
pub struct NodeAuthCache {
    keep: Duration,
    state: RwLock<State>,
    /// None, if users are read each time.
    users: Option<Cache<UserId, Arc<User>>>,
    /// Whose the sessions are that the store has shown.
    sessions: Cache<SessionId, UserId>,
}

#[derive(Default)]
struct State {
    ends: Ends,
    /// When changes of a user were learned last, and until when that matters.
    changes: HashMap<UserId, (u64, Instant)>,
    /// How many items were learned.
    applied: u64,
    /// Users who were read before that many items are not remembered.
    users_since: u64,
    /// Everything is known that was committed before.
    confirmed: Option<Instant>,
    /// Invalidation events may be missing since.
    invalidated: Option<Instant>,
    forgot: Option<Instant>,
}

impl NodeAuthCache {
    /// Makes a memory that knows nothing yet. It remembers ends for as long as an access token may
    /// live, and at most `users_max` users.
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

    /// How many ends are known that still matter.
    #[must_use]
    pub fn ends(&self) -> usize {
        self.read().ends.len()
    }

    /// Since when everything is known; `None` if nothing is yet.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        self.read().confirmed.map(|at| at.elapsed())
    }

    /// Forgets a user, also if it was read already and is about to be remembered.
    fn forget_user(&self, state: &mut State, id: UserId, until: Instant) {
        let entry = (state.applied, until);
        state.changes.insert(id, entry);
        if let Some(users) = &self.users {
            users.remove(&id);
        }
    }

    /// Forgets all users and whose sessions are whose, also of those who were read already and are
    /// about to be remembered.
    fn forget_users_of(&self, state: &mut State) {
        state.applied += 1;
        state.users_since = state.applied;
        self.sessions.clear();
        if let Some(users) = &self.users {
            users.clear();
        }
    }

    // No method panics half-way through a change, so what a lock guards is sound.
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
        // Held while the user is put there, so that no change is learned in between.
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
                // A user is remembered with what the roles gave when it was read.
                InvalidationEvent::RolesChanged => self.forget_users_of(&mut state),
                _ => {}
            }
        }
    }

    fn confirm(&self, mark: ReadMark) {
        let mut state = self.write();
        // What was read before the doubt does not settle it.
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
