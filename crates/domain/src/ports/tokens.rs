//! `TokenStore`: sessions and the lines of their refresh tokens.

use async_trait::async_trait;

use super::StoreError;
use crate::key::KeyId;
use crate::refresh::{RefreshState, Rotation};
use crate::{End, Session, SessionId, Timestamp, User, UserId};

/// The sessions.
///
/// A session ends once. A method that ends sessions leaves those alone that are ended; one whose
/// time ran out before is recorded with the reason of that ([`Session::lapse`]), at the time given.
#[async_trait]
pub trait TokenStore: Send {
    /// Adds a session.
    async fn insert_session(&mut self, session: &Session) -> Result<(), StoreError>;

    /// The session and its user, as they are now; the user is gone if the account is deleted.
    async fn find_session(
        &mut self,
        id: SessionId,
    ) -> Result<Option<(Session, Option<User>)>, StoreError>;

    /// Decides the common cases of a refresh in one conditional statement.
    ///
    /// Where [`judge`](crate::refresh::judge) says `Rotate`, the line moves on and is given; where
    /// it says `Repeat`, the line is given as it stands. In every other case, and for the session
    /// of a user who is disabled or gone, nothing changes and the answer is `None`. Of callers that
    /// race with one token, exactly one moves the line.
    async fn rotate_session(
        &mut self,
        rotation: &Rotation,
    ) -> Result<Option<(Session, User)>, StoreError>;

    /// The session, locked until the transaction ends.
    async fn lock_session(&mut self, id: SessionId) -> Result<Option<Session>, StoreError>;

    /// Sets the line of a session that the caller has locked, with
    /// [`Access::Write`](super::Access::Write).
    async fn set_refresh_state(
        &mut self,
        id: SessionId,
        refresh_state: &RefreshState,
    ) -> Result<(), StoreError>;

    /// Notes when the user last gave the password, if the session has not ended.
    async fn set_session_auth_time(
        &mut self,
        id: SessionId,
        auth_time: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Ends a session; `false` if it was ended before or is not there.
    async fn end_session(&mut self, id: SessionId, end: End) -> Result<bool, StoreError>;

    /// Ends all sessions of a user but `except`; gives which, the oldest first.
    async fn end_sessions_of_user(
        &mut self,
        user_id: UserId,
        except: Option<SessionId>,
        end: End,
    ) -> Result<Vec<SessionId>, StoreError>;

    /// Ends a user's oldest sessions until at most `keep` are left; gives which.
    ///
    /// The caller has locked the user, with [`Access::Write`](super::Access::Write).
    async fn end_oldest_sessions(
        &mut self,
        user_id: UserId,
        keep: u32,
        end: End,
    ) -> Result<Vec<SessionId>, StoreError>;

    /// The sessions of a user, ended ones too, in the order of their identifiers, those after
    /// `after`, at most `limit`.
    async fn list_user_sessions(
        &mut self,
        user_id: UserId,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<Session>, StoreError>;

    /// Ends at most `limit` sessions that began before `before`, those after `after` in the order
    /// of their identifiers; gives which, in that order, also those whose time had run out.
    ///
    /// It waits for whoever holds one of them: none that is being refreshed slips through.
    async fn end_sessions_started_before(
        &mut self,
        before: Timestamp,
        after: Option<SessionId>,
        end: End,
        limit: u32,
    ) -> Result<Vec<SessionId>, StoreError>;

    /// Ends at most `limit` sessions whose current refresh token is signed by this key; gives them
    /// as they are then. It waits for whoever holds one of them; one that another key signs by then
    /// is spared.
    async fn end_sessions_of_key(
        &mut self,
        key: &KeyId,
        end: End,
        limit: u32,
    ) -> Result<Vec<Session>, StoreError>;

    /// The sessions of a user that are alive at `now`, in the order of their identifiers, those
    /// after `after`, at most `limit`.
    async fn list_active_sessions(
        &mut self,
        user_id: UserId,
        now: Timestamp,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<Session>, StoreError>;

    /// Deletes at most `limit` sessions whose longest life was over before `before`.
    async fn delete_sessions(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}
