//! Sessions in a [`MemoryStore`](super::MemoryStore).

use gateward_domain::ports::StoreError;
use gateward_domain::refresh::{RefreshState, Rotation, RotationDecision, judge};
use gateward_domain::{End, Session, SessionId, Timestamp, User, UserId};

use super::state::{State, doubled};

impl State {
    pub fn insert_session(&mut self, session: &Session) -> Result<(), StoreError> {
        if self.sessions.contains_key(&session.id) {
            return Err(doubled("session"));
        }
        self.sessions.insert(session.id, session.clone());
        Ok(())
    }

    pub fn find_session(&self, id: SessionId) -> Option<(Session, Option<User>)> {
        let session = self.sessions.get(&id)?;
        Some((session.clone(), self.find_user(session.user_id)))
    }

    pub fn rotate_session(&mut self, rotation: &Rotation) -> Option<(Session, User)> {
        let user = self.find_user(self.sessions.get(&rotation.presented.session_id)?.user_id);
        let user = user.filter(|user| !user.disabled)?;
        let session = self.sessions.get_mut(&rotation.presented.session_id)?;
        match judge(session, rotation) {
            RotationDecision::Rotate => {
                session.refresh_state =
                    session.refresh_state.after(rotation, session.lifetime_ends_at);
            }
            RotationDecision::Repeat => {}
            RotationDecision::Recover
            | RotationDecision::Replay
            | RotationDecision::Ended(_)
            | RotationDecision::Forged => return None,
        }
        Some((session.clone(), user))
    }

    pub fn set_refresh_state(&mut self, id: SessionId, refresh_state: &RefreshState) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.refresh_state = refresh_state.clone();
        }
    }

    pub fn set_session_auth_time(&mut self, id: SessionId, auth_time: Timestamp) -> bool {
        let session = self.sessions.get_mut(&id).filter(|session| session.ended.is_none());
        session.map(|session| session.auth_time = auth_time).is_some()
    }

    pub fn end_session(&mut self, id: SessionId, end: End) -> bool {
        self.sessions.get_mut(&id).is_some_and(|session| end_once(session, end))
    }

    pub fn end_sessions_of_user(
        &mut self,
        user_id: UserId,
        except: Option<SessionId>,
        end: End,
    ) -> Vec<SessionId> {
        let is_meant = |session: &Session| session.user_id == user_id && Some(session.id) != except;
        let mut ended = self.end_where(end, u32::MAX, is_meant);
        ended.sort_by_key(|session| (session.created_at, session.id));
        ended.iter().map(|session| session.id).collect()
    }

    /// Ends the first `limit` matching sessions that were not ended. Returns their new state,
    /// ordered by identifier.
    pub fn end_where(
        &mut self,
        end: End,
        limit: u32,
        is_meant: impl Fn(&Session) -> bool,
    ) -> Vec<Session> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let meant = self.sessions.values_mut().filter(|session| is_meant(session));
        let ended = meant.filter_map(|session| end_once(session, end).then(|| session.clone()));
        ended.take(limit).collect()
    }

    pub fn end_oldest_sessions(&mut self, user_id: UserId, keep: u32, end: End) -> Vec<SessionId> {
        let left =
            |session: &&mut Session| session.user_id == user_id && session.end(end.at).is_none();
        let mut left: Vec<_> = self.sessions.values_mut().filter(left).collect();
        left.sort_by_key(|session| (session.created_at, session.id));
        let too_many = left.len().saturating_sub(usize::try_from(keep).unwrap_or(usize::MAX));
        let oldest = left.into_iter().take(too_many);
        oldest.filter_map(|session| end_once(session, end).then_some(session.id)).collect()
    }

    pub fn delete_sessions(&mut self, before: Timestamp, limit: u32) -> u64 {
        let over = self.sessions.values().filter(|session| session.lifetime_ends_at < before);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let ids: Vec<_> = over.map(|session| session.id).take(limit).collect();
        ids.iter().map(|id| u64::from(self.sessions.remove(id).is_some())).sum()
    }
}

/// Ends a session that was not ended. If it had already expired, that is the recorded reason.
fn end_once(session: &mut Session, end: End) -> bool {
    if session.ended.is_some() {
        return false;
    }
    let reason = session.lapse(end.at).map_or(end.reason, |lapse| lapse.reason);
    session.ended = Some(End { at: end.at, reason });
    true
}
