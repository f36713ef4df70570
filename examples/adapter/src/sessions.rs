//! The port of the sessions.

use async_trait::async_trait;
use gateward_domain::key::KeyId;
use gateward_domain::ports::{StoreError, TokenStore};
use gateward_domain::refresh::{RefreshState, Rotation, RotationDecision, judge};
use gateward_domain::{End, Session, SessionId, Timestamp, User, UserId};
use redb::WriteTransaction;

use crate::rows::SessionRow;
use crate::tables::{
    LIFETIMES, SESSIONS_OF_USER, View, count_of, enter, insert, place_in_time, remove, table,
    update,
};
use crate::unit::RedbTx;
use crate::users;

#[async_trait]
impl TokenStore for RedbTx {
    async fn insert_session(&mut self, session: &Session) -> Result<(), StoreError> {
        let session = session.clone();
        self.write(move |transaction| {
            enter(transaction, SESSIONS_OF_USER, place_of_user(&session))?;
            let end = place_in_time(session.lifetime_ends_at, key(session.id));
            enter(transaction, LIFETIMES, end)?;
            insert::<SessionRow>(transaction, key(session.id), &session)
        })
        .await
    }

    async fn find_session(
        &mut self,
        id: SessionId,
    ) -> Result<Option<(Session, Option<User>)>, StoreError> {
        self.read(move |view| {
            let Some(session) = find(view, id)? else { return Ok(None) };
            let user = users::find(view, session.user_id)?;
            Ok(Some((session, user)))
        })
        .await
    }

    async fn rotate_session(
        &mut self,
        rotation: &Rotation,
    ) -> Result<Option<(Session, User)>, StoreError> {
        let rotation = rotation.clone();
        self.write(move |transaction| rotate(transaction, &rotation)).await
    }

    async fn lock_session(&mut self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.lock(move |view| find(view, id)).await
    }

    async fn set_refresh_state(
        &mut self,
        id: SessionId,
        refresh_state: &RefreshState,
    ) -> Result<(), StoreError> {
        self.may_lock()?;
        let refresh_state = refresh_state.clone();
        self.write(move |transaction| set_refresh_state(transaction, id, refresh_state)).await
    }

    async fn set_session_auth_time(
        &mut self,
        id: SessionId,
        auth_time: Timestamp,
    ) -> Result<bool, StoreError> {
        let change = move |session: &mut Session| {
            session.auth_time = auth_time;
            session.ended.is_none()
        };
        self.write(move |transaction| update::<SessionRow>(transaction, key(id), change)).await
    }

    async fn end_session(&mut self, id: SessionId, end: End) -> Result<bool, StoreError> {
        self.write(move |transaction| end_once(transaction, id, end)).await
    }

    async fn end_sessions_of_user(
        &mut self,
        user_id: UserId,
        except: Option<SessionId>,
        end: End,
    ) -> Result<Vec<SessionId>, StoreError> {
        self.write(move |transaction| {
            let mut ended = Vec::new();
            for session in of_user(View::Own(transaction), user_id)? {
                if Some(session.id) != except && end_once(transaction, session.id, end)? {
                    ended.push(session.id);
                }
            }
            Ok(ended)
        })
        .await
    }

    async fn end_oldest_sessions(
        &mut self,
        user_id: UserId,
        keep: u32,
        end: End,
    ) -> Result<Vec<SessionId>, StoreError> {
        self.may_lock()?;
        self.write(move |transaction| {
            let mut ids: Vec<_> = of_user(View::Own(transaction), user_id)?
                .iter()
                .filter(|session| session.end(end.at).is_none())
                .map(|session| session.id)
                .collect();
            ids.truncate(ids.len().saturating_sub(count_of(keep)));
            for id in &ids {
                end_once(transaction, *id, end)?;
            }
            Ok(ids)
        })
        .await
    }

    /// Reads and sorts all sessions of the user, who has few.
    async fn list_user_sessions(
        &mut self,
        user_id: UserId,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<Session>, StoreError> {
        self.read(move |view| {
            let sessions = of_user(view, user_id)?;
            Ok(page(sessions, after, limit))
        })
        .await
    }

    /// Scans all sessions.
    async fn end_sessions_started_before(
        &mut self,
        before: Timestamp,
        after: Option<SessionId>,
        end: End,
        limit: u32,
    ) -> Result<Vec<SessionId>, StoreError> {
        let is_old = move |session: &Session| session.created_at < before;
        let after = after.map(key);
        let ended =
            self.write(move |tx| end_where(tx, after, count_of(limit), end, is_old)).await?;
        Ok(ended.iter().map(|session| session.id).collect())
    }

    /// Scans all sessions.
    async fn end_sessions_of_key(
        &mut self,
        key: &KeyId,
        end: End,
        limit: u32,
    ) -> Result<Vec<Session>, StoreError> {
        let key = key.clone();
        let is_of_key = move |session: &Session| session.refresh_state.key_id == key;
        self.write(move |tx| end_where(tx, None, count_of(limit), end, is_of_key)).await
    }

    /// Reads and sorts all sessions of the user, who has few.
    async fn list_active_sessions(
        &mut self,
        user_id: UserId,
        now: Timestamp,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<Session>, StoreError> {
        self.read(move |view| {
            let mut sessions = of_user(view, user_id)?;
            sessions.retain(|session| session.end(now).is_none());
            Ok(page(sessions, after, limit))
        })
        .await
    }

    async fn delete_sessions(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.write(move |transaction| delete(transaction, before, count_of(limit))).await
    }
}

const fn key(id: SessionId) -> u128 {
    id.uuid().as_u128()
}

fn find(view: View<'_>, id: SessionId) -> Result<Option<Session>, StoreError> {
    view.find::<SessionRow>(key(id))
}

/// Returns the index key of a session among those of its user.
const fn place_of_user(session: &Session) -> (u128, i64, u128) {
    (session.user_id.uuid().as_u128(), session.created_at.micros(), key(session.id))
}

/// Returns the sessions of a user, oldest first, then by identifier.
fn of_user(view: View<'_>, user_id: UserId) -> Result<Vec<Session>, StoreError> {
    let ids = view.members(SESSIONS_OF_USER, user_id.uuid().as_u128(), usize::MAX)?;
    view.find_all::<SessionRow>(ids)
}

/// Returns the first sessions after `after`, ordered by identifier.
fn page(mut sessions: Vec<Session>, after: Option<SessionId>, limit: u32) -> Vec<Session> {
    sessions.retain(|session| after.is_none_or(|after| session.id > after));
    sessions.sort_by_key(|session| session.id);
    sessions.truncate(count_of(limit));
    sessions
}

/// Decides the common cases of a refresh by the domain's own rules: there is no concurrent writer.
fn rotate(
    transaction: &WriteTransaction,
    rotation: &Rotation,
) -> Result<Option<(Session, User)>, StoreError> {
    let view = View::Own(transaction);
    let Some(mut session) = find(view, rotation.presented.session_id)? else { return Ok(None) };
    let user = users::find(view, session.user_id)?.filter(|user| !user.disabled);
    let Some(user) = user else { return Ok(None) };
    match judge(&session, rotation) {
        RotationDecision::Rotate => {
            session.refresh_state = session.refresh_state.after(rotation, session.lifetime_ends_at);
            set_refresh_state(transaction, session.id, session.refresh_state.clone())?;
        }
        RotationDecision::Repeat => {}
        RotationDecision::Recover
        | RotationDecision::Replay
        | RotationDecision::Ended(_)
        | RotationDecision::Forged => return Ok(None),
    }
    Ok(Some((session, user)))
}

fn set_refresh_state(
    transaction: &WriteTransaction,
    id: SessionId,
    refresh_state: RefreshState,
) -> Result<(), StoreError> {
    update::<SessionRow>(transaction, key(id), |session| {
        session.refresh_state = refresh_state;
        true
    })?;
    Ok(())
}

/// Ends a session that was not ended. If it had already expired, that is the recorded reason.
fn end_once(transaction: &WriteTransaction, id: SessionId, end: End) -> Result<bool, StoreError> {
    update::<SessionRow>(transaction, key(id), |session| {
        let lives = session.ended.is_none();
        if lives {
            let reason = session.lapse(end.at).map_or(end.reason, |lapse| lapse.reason);
            session.ended = Some(End { at: end.at, reason });
        }
        lives
    })
}

/// Ends the first matching sessions after `after` that were not ended. Returns their new state.
fn end_where(
    transaction: &WriteTransaction,
    after: Option<u128>,
    limit: usize,
    end: End,
    is_meant: impl Fn(&Session) -> bool,
) -> Result<Vec<Session>, StoreError> {
    let view = View::Own(transaction);
    let lives = |session: &Session| session.ended.is_none() && is_meant(session);
    let active = view.after::<SessionRow>(after, limit, lives)?;
    for session in &active {
        end_once(transaction, session.id, end)?;
    }
    view.find_all::<SessionRow>(active.iter().map(|session| key(session.id)).collect())
}

/// Deletes sessions whose maximum lifetime has ended, with their index entries.
fn delete(
    transaction: &WriteTransaction,
    before: Timestamp,
    limit: usize,
) -> Result<u64, StoreError> {
    let view = View::Own(transaction);
    let over = view.span(LIFETIMES, ..place_in_time(before, 0), limit)?;
    let mut count = 0;
    for session in view.find_all::<SessionRow>(over)? {
        let id = key(session.id);
        remove(transaction, LIFETIMES, place_in_time(session.lifetime_ends_at, id))?;
        remove(transaction, SESSIONS_OF_USER, place_of_user(&session))?;
        remove(transaction, table::<SessionRow>(), id)?;
        count += 1;
    }
    Ok(count)
}
