//! `TokenStore`: sessions and their refresh state.

use async_trait::async_trait;

use super::StoreError;
use crate::key::KeyId;
use crate::refresh::{RefreshState, Rotation};
use crate::{End, Session, SessionId, Timestamp, User, UserId};

/// The sessions.
///
/// A session ends once. A method that ends sessions does not change those that have ended. A
/// session that had already expired is recorded with that reason ([`Session::lapse`]), at the given
/// time.
#[async_trait]
pub trait TokenStore: Send {
    /// Inserts a session.
    async fn insert_session(&mut self, session: &Session) -> Result<(), StoreError>;

    /// Returns the session and its user. The user is `None` if the account is deleted.
    async fn find_session(
        &mut self,
        id: SessionId,
    ) -> Result<Option<(Session, Option<User>)>, StoreError>;

    /// Decides the common cases of a refresh in one conditional statement.
    ///
    /// If [`judge`](crate::refresh::judge) returns `Rotate`, the refresh state advances and is
    /// returned. If it returns `Repeat`, the refresh state is returned unchanged. In every other
    /// case, and if the user is disabled or deleted, nothing changes and the result is `None`. Of
    /// concurrent callers with one token, exactly one advances the refresh state.
    async fn rotate_session(
        &mut self,
        rotation: &Rotation,
    ) -> Result<Option<(Session, User)>, StoreError>;

    /// Returns the session, locked until the transaction ends.
    async fn lock_session(&mut self, id: SessionId) -> Result<Option<Session>, StoreError>;

    /// Sets the refresh state of a session that the caller has locked, with
    /// [`Access::Write`](super::Access::Write).
    async fn set_refresh_state(
        &mut self,
        id: SessionId,
        refresh_state: &RefreshState,
    ) -> Result<(), StoreError>;

    /// Records the last time the user entered the password, if the session has not ended.
    async fn set_session_auth_time(
        &mut self,
        id: SessionId,
        auth_time: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Ends a session. Returns `false` if it has already ended or does not exist.
    async fn end_session(&mut self, id: SessionId, end: End) -> Result<bool, StoreError>;

    /// Ends all sessions of a user except `except`. Returns them, oldest first.
    async fn end_sessions_of_user(
        &mut self,
        user_id: UserId,
        except: Option<SessionId>,
        end: End,
    ) -> Result<Vec<SessionId>, StoreError>;

    /// Ends a user's oldest sessions until at most `keep` are left. Returns the ended ones.
    ///
    /// The caller has locked the user, with [`Access::Write`](super::Access::Write).
    async fn end_oldest_sessions(
        &mut self,
        user_id: UserId,
        keep: u32,
        end: End,
    ) -> Result<Vec<SessionId>, StoreError>;

    /// Returns at most `limit` sessions of a user after `after`, ordered by identifier, including
    /// ended ones.
    async fn list_user_sessions(
        &mut self,
        user_id: UserId,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<Session>, StoreError>;

    /// Ends at most `limit` sessions that started before `before`: those after `after`, ordered by
    /// identifier. Returns them in that order, including those that had expired.
    ///
    /// It waits for locked sessions, so a session that is being refreshed is not missed.
    async fn end_sessions_started_before(
        &mut self,
        before: Timestamp,
        after: Option<SessionId>,
        end: End,
        limit: u32,
    ) -> Result<Vec<SessionId>, StoreError>;

    /// Ends at most `limit` sessions whose current refresh token is signed by this key, and returns
    /// their latest state. It waits for locked sessions. A session that another key signs by then
    /// is skipped.
    async fn end_sessions_of_key(
        &mut self,
        key: &KeyId,
        end: End,
        limit: u32,
    ) -> Result<Vec<Session>, StoreError>;

    /// Returns at most `limit` sessions of a user that are active at `now`: those after `after`,
    /// ordered by identifier.
    async fn list_active_sessions(
        &mut self,
        user_id: UserId,
        now: Timestamp,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<Session>, StoreError>;

    /// Deletes at most `limit` sessions whose maximum lifetime ended before `before`.
    async fn delete_sessions(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}
