//! `TokenStore`: sessions and their refresh state.

use async_trait::async_trait;
use diesel::dsl::case_when;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use diesel_async::RunQueryDsl;
use gateward_domain::key::KeyId;
use gateward_domain::ports::{StoreError, TokenStore};
use gateward_domain::refresh::{RefreshState, Rotation};
use gateward_domain::{End, EndReason, Session, SessionId, Timestamp, User, UserId};

use super::super::Tx;
use super::super::columns::{Id, Time};
use super::super::rows::{HeldRow, RefreshStateRow, SessionRow, UserRow};
use super::super::schema::{held_by_session, sessions, users};

/// The columns that end a session. If it had already expired, that is the recorded reason.
macro_rules! ended {
    ($end:expr) => {{
        let end: End = $end;
        let reason = |reason: EndReason| reason.as_str().into_sql::<Nullable<Text>>();
        (
            sessions::ended_at.eq(Some(Time(end.at))),
            sessions::end_reason.eq(case_when::<_, _, Nullable<Text>>(
                sessions::lifetime_ends_at.le(Time(end.at)),
                reason(EndReason::LifetimeOver),
            )
            .when(sessions::expires_at.le(Time(end.at)), reason(EndReason::IdleTimeout))
            .otherwise(reason(end.reason))),
        )
    }};
}

/// A session and its user, as the database returns them.
type Found = (SessionRow, Option<UserRow>, HeldRow);

/// Converts a row to the session and its user, if the user still exists.
fn session(found: Found) -> Result<(Session, Option<User>), StoreError> {
    let (session, user, held) = found;
    let user = user.map(|row| row.into_user(&held)).transpose()?;
    Ok((session.try_into()?, user))
}

/// Sorts the sessions that a statement has ended: it returns them in no order.
fn oldest_first(mut ended: Vec<(Time, Id)>) -> Vec<SessionId> {
    ended.sort_by_key(|(created_at, id)| (created_at.0, id.0));
    ended.into_iter().map(|(_, id)| SessionId::from_uuid(id.0)).collect()
}

/// Converts the row of an ended session. One that cannot be parsed is logged and skipped: an error
/// would keep all others of its batch active.
fn sound(row: SessionRow) -> Option<Session> {
    let session = Session::try_from(row);
    session.inspect_err(|error| tracing::error!(%error, "corrupt session row ignored")).ok()
}

#[async_trait]
impl TokenStore for Tx {
    async fn insert_session(&mut self, session: &Session) -> Result<(), StoreError> {
        let insert = diesel::insert_into(sessions::table).values(SessionRow::from(session));
        change!(self, "sessions", conn => insert.execute(conn)).map(drop)
    }

    async fn find_session(
        &mut self,
        id: SessionId,
    ) -> Result<Option<(Session, Option<User>)>, StoreError> {
        let id = Id(id.uuid());
        let found = find!(self, "sessions", conn => sessions::table
            .left_join(users::table.on(users::id.eq(sessions::user_id)))
            .filter(sessions::id.eq(id))
            .select((sessions::all_columns, users::all_columns.nullable(), held_by_session()))
            .first::<Found>(conn))?;
        found.map(session).transpose()
    }

    async fn rotate_session(
        &mut self,
        rotation: &Rotation,
    ) -> Result<Option<(Session, User)>, StoreError> {
        self.rotate(rotation).await
    }

    async fn lock_session(&mut self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.may_lock()?;
        let row = sessions::table.filter(sessions::id.eq(Id(id.uuid())));
        let row = find!(self, "sessions", conn => locked!(row).first::<SessionRow>(conn))?;
        row.map(Session::try_from).transpose()
    }

    async fn set_refresh_state(
        &mut self,
        id: SessionId,
        refresh_state: &RefreshState,
    ) -> Result<(), StoreError> {
        let update = diesel::update(sessions::table.find(Id(id.uuid())))
            .set(RefreshStateRow::from(refresh_state));
        change!(self, "sessions", conn => update.execute(conn)).map(drop)
    }

    async fn set_session_auth_time(
        &mut self,
        id: SessionId,
        auth_time: Timestamp,
    ) -> Result<bool, StoreError> {
        let alive = sessions::id.eq(Id(id.uuid())).and(sessions::ended_at.is_null());
        let update = diesel::update(sessions::table.filter(alive))
            .set(sessions::auth_time.eq(Time(auth_time)));
        Ok(change!(self, "sessions", conn => update.execute(conn))? > 0)
    }

    async fn end_session(&mut self, id: SessionId, end: End) -> Result<bool, StoreError> {
        let alive = sessions::id.eq(Id(id.uuid())).and(sessions::ended_at.is_null());
        let update = diesel::update(sessions::table.filter(alive)).set(ended!(end));
        Ok(change!(self, "sessions", conn => update.execute(conn))? > 0)
    }

    async fn end_sessions_of_user(
        &mut self,
        user_id: UserId,
        except: Option<SessionId>,
        end: End,
    ) -> Result<Vec<SessionId>, StoreError> {
        let theirs = diesel::alias!(sessions as theirs);
        // No identifier is nil.
        let except = Id(except.map_or(uuid::Uuid::nil(), SessionId::uuid));
        let alive = theirs
            .filter(theirs.field(sessions::user_id).eq(Id(user_id.uuid())))
            .filter(theirs.field(sessions::ended_at).is_null())
            .filter(theirs.field(sessions::id).ne(except))
            .order(theirs.field(sessions::id))
            .select(theirs.field(sessions::id));
        let alive = sessions::id.eq_any(in_turn!(alive)).and(sessions::ended_at.is_null());
        let update = diesel::update(sessions::table.filter(alive))
            .set(ended!(end))
            .returning((sessions::created_at, sessions::id));
        let ended = change!(self, "sessions", conn => update.load::<(Time, Id)>(conn))?;
        Ok(oldest_first(ended))
    }

    async fn end_oldest_sessions(
        &mut self,
        user_id: UserId,
        keep: u32,
        end: End,
    ) -> Result<Vec<SessionId>, StoreError> {
        self.may_lock()?;
        let others = diesel::alias!(sessions as others);
        let too_many = others
            .filter(others.field(sessions::user_id).eq(Id(user_id.uuid())))
            .filter(others.field(sessions::ended_at).is_null())
            // Expired sessions take no slot.
            .filter(others.field(sessions::lifetime_ends_at).gt(Time(end.at)))
            .filter(others.field(sessions::expires_at).gt(Time(end.at)))
            .order((others.field(sessions::created_at).desc(), others.field(sessions::id).desc()))
            // SQLite supports no offset without a limit.
            .limit(i64::MAX)
            .offset(i64::from(keep))
            .select(others.field(sessions::id));
        let alive = sessions::id.eq_any(too_many).and(sessions::ended_at.is_null());
        let update = diesel::update(sessions::table.filter(alive))
            .set(ended!(end))
            .returning((sessions::created_at, sessions::id));
        let ended = change!(self, "sessions", conn => update.load::<(Time, Id)>(conn))?;
        Ok(oldest_first(ended))
    }

    async fn list_user_sessions(
        &mut self,
        user_id: UserId,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<Session>, StoreError> {
        let user_id = Id(user_id.uuid());
        // No identifier is nil.
        let after = Id(after.map_or(uuid::Uuid::nil(), SessionId::uuid));
        let rows = read!(self, "sessions", conn => sessions::table
            .filter(sessions::user_id.eq(user_id).and(sessions::id.gt(after)))
            .order(sessions::id)
            .limit(i64::from(limit))
            .load::<SessionRow>(conn))?;
        rows.into_iter().map(Session::try_from).collect()
    }

    async fn end_sessions_started_before(
        &mut self,
        before: Timestamp,
        after: Option<SessionId>,
        end: End,
        limit: u32,
    ) -> Result<Vec<SessionId>, StoreError> {
        let old = diesel::alias!(sessions as old);
        // No identifier is nil.
        let after = Id(after.map_or(uuid::Uuid::nil(), SessionId::uuid));
        let alive = old
            .filter(old.field(sessions::id).gt(after))
            .filter(old.field(sessions::ended_at).is_null())
            .filter(old.field(sessions::created_at).lt(Time(before)))
            .order(old.field(sessions::id))
            .limit(i64::from(limit))
            .select(old.field(sessions::id));
        let alive = sessions::id.eq_any(in_turn!(alive)).and(sessions::ended_at.is_null());
        let update =
            diesel::update(sessions::table.filter(alive)).set(ended!(end)).returning(sessions::id);
        let mut ended = change!(self, "sessions", conn => update.load::<Id>(conn))?;
        ended.sort_by_key(|id| id.0);
        Ok(ended.into_iter().map(|id| SessionId::from_uuid(id.0)).collect())
    }

    async fn end_sessions_of_key(
        &mut self,
        key: &KeyId,
        end: End,
        limit: u32,
    ) -> Result<Vec<Session>, StoreError> {
        let signed = diesel::alias!(sessions as signed);
        let alive = signed
            .filter(signed.field(sessions::key_id).eq(&key.0))
            .filter(signed.field(sessions::ended_at).is_null())
            .order(signed.field(sessions::id))
            .limit(i64::from(limit))
            .select(signed.field(sessions::id));
        // A session that was refreshed meanwhile may have a token of another key.
        let alive = sessions::id
            .eq_any(in_turn!(alive))
            .and(sessions::ended_at.is_null())
            .and(sessions::key_id.eq(&key.0));
        let update = diesel::update(sessions::table.filter(alive))
            .set(ended!(end))
            .returning(sessions::all_columns);
        let rows = change!(self, "sessions", conn => update.load::<SessionRow>(conn))?;
        let mut ended: Vec<_> = rows.into_iter().filter_map(sound).collect();
        ended.sort_by_key(|session| session.id);
        Ok(ended)
    }

    async fn list_active_sessions(
        &mut self,
        user_id: UserId,
        now: Timestamp,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<Session>, StoreError> {
        let user_id = Id(user_id.uuid());
        // No identifier is nil.
        let after = Id(after.map_or(uuid::Uuid::nil(), SessionId::uuid));
        let rows = read!(self, "sessions", conn => sessions::table
            .filter(sessions::user_id.eq(user_id).and(sessions::id.gt(after)))
            .filter(sessions::ended_at.is_null())
            .filter(sessions::lifetime_ends_at.gt(Time(now)).and(sessions::expires_at.gt(Time(now))))
            .order(sessions::id)
            .limit(i64::from(limit))
            .load::<SessionRow>(conn))?;
        rows.into_iter().map(Session::try_from).collect()
    }

    async fn delete_sessions(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let old = diesel::alias!(sessions as old);
        let over = old
            .filter(old.field(sessions::lifetime_ends_at).lt(Time(before)))
            .order(old.field(sessions::lifetime_ends_at))
            .limit(i64::from(limit))
            .select(old.field(sessions::id));
        let delete = diesel::delete(sessions::table.filter(sessions::id.eq_any(over)));
        let count = change!(self, "sessions", conn => delete.execute(conn))?;
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }
}
