//! The rotation of a session in one statement.

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use diesel_async::RunQueryDsl;
use gateward_domain::ports::StoreError;
use gateward_domain::refresh::Rotation;
use gateward_domain::{Session, User};

use super::Tx;
use super::columns::{Id, Time, sql};
use super::rows::{HeldRow, SessionRow, UserRow};
use super::schema::{sessions, users};

impl Tx {
    /// Decides the common cases of a refresh: what `judge` of the domain returns, for `Rotate` and
    /// `Repeat`, for an enabled user.
    pub async fn rotate(
        &mut self,
        rotation: &Rotation,
    ) -> Result<Option<(Session, User)>, StoreError> {
        type Found = (SessionRow, UserRow, HeldRow);

        // Without a retry: a statement whose response was lost may have been executed.
        let statement = Rotate::from(rotation);
        // Reads the whole response, not only the first row: the server sends that row before it
        // commits, and a server that fails in between would leak an uncommitted one. The end of the
        // response confirms the commit.
        let found = change!(self, "sessions", conn => statement.load::<Found>(conn))?;
        found
            .into_iter()
            .next()
            .map(|(session, user, held)| Ok((session.try_into()?, user.into_user(&held)?)))
            .transpose()
    }
}

/// One `UPDATE` that advances the refresh state if the current token is presented, and writes it
/// unchanged if the previous one may be repeated.
///
/// Of concurrent callers with one token, the losers wait for the winner's commit. The server then
/// evaluates condition and `CASE` again on the row that the winner left, and they repeat.
///
/// It has a query type of its own, so that the connection keeps it as a prepared statement.
struct Rotate<'a> {
    session_id: Id,
    keyed: &'a [u8],
    secret: &'a [u8],
    generation: i64,
    idempotency_key: Option<&'a [u8]>,
    now: Time,
    key_id: &'a str,
    expires_at: Time,
    leeway_start: Option<Time>,
}

impl<'a> From<&'a Rotation> for Rotate<'a> {
    fn from(rotation: &'a Rotation) -> Self {
        let presented = &rotation.presented;
        Self {
            session_id: Id(presented.session_id.uuid()),
            keyed: &presented.proof.keyed,
            secret: &presented.proof.secret,
            generation: presented.generation,
            idempotency_key: rotation.idempotency_key.as_ref().map(|hash| hash.0.as_slice()),
            now: Time(rotation.now),
            key_id: &rotation.key_id.0,
            expires_at: Time(rotation.now.plus_seconds(rotation.idle_seconds)),
            leeway_start: rotation.leeway_start().map(Time),
        }
    }
}

impl QueryFragment<Pg> for Rotate<'_> {
    /// Each value is bound at its first use and written as `$n` at later ones.
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("UPDATE sessions SET generation = CASE WHEN sessions.generation = ");
        out.push_bind_param::<BigInt, _>(&self.generation)?; // $1
        out.push_sql(" THEN sessions.generation + 1 ELSE sessions.generation END");
        out.push_sql(", rotated_at = CASE WHEN sessions.generation = $1 THEN ");
        out.push_bind_param::<sql::Moment, _>(&self.now)?; // $2
        out.push_sql(" ELSE sessions.rotated_at END");
        out.push_sql(", expires_at = CASE WHEN sessions.generation = $1 THEN least(");
        out.push_bind_param::<sql::Moment, _>(&self.expires_at)?; // $3
        out.push_sql(", sessions.lifetime_ends_at) ELSE sessions.expires_at END");
        out.push_sql(", key_id = CASE WHEN sessions.generation = $1 THEN ");
        out.push_bind_param::<Text, _>(self.key_id)?; // $4
        out.push_sql(" ELSE sessions.key_id END");
        out.push_sql(", idempotency_hash = CASE WHEN sessions.generation = $1 THEN ");
        out.push_bind_param::<Nullable<Binary>, _>(&self.idempotency_key)?; // $5
        out.push_sql(" ELSE sessions.idempotency_hash END");

        out.push_sql(" FROM users WHERE sessions.id = ");
        out.push_bind_param::<sql::Ident, _>(&self.session_id)?; // $6
        out.push_sql(" AND users.id = sessions.user_id AND NOT users.disabled");
        out.push_sql(" AND sessions.ended_at IS NULL");
        out.push_sql(" AND sessions.lifetime_ends_at > $2 AND sessions.expires_at > $2");
        out.push_sql(" AND sha256(");
        out.push_bind_param::<Binary, _>(self.keyed)?; // $7
        out.push_sql(" || sessions.salt) = ");
        out.push_bind_param::<Binary, _>(self.secret)?; // $8
        out.push_sql(" AND (sessions.generation = $1 OR (sessions.generation - 1 = $1");
        out.push_sql(" AND (sessions.idempotency_hash = $5 OR (sessions.idempotency_hash IS NULL");
        out.push_sql(" AND $5 IS NULL AND sessions.rotated_at > ");
        out.push_bind_param::<Nullable<sql::Moment>, _>(&self.leeway_start)?; // $9
        out.push_sql(")))) RETURNING ");

        sessions::all_columns.walk_ast(out.reborrow())?;
        out.push_sql(", ");
        users::all_columns.walk_ast(out.reborrow())?;
        out.push_sql(", (SELECT string_agg(user_roles.role, ',') FROM user_roles");
        out.push_sql(" WHERE user_roles.user_id = users.id)");
        out.push_sql(", (SELECT string_agg(roles.permissions, ',') FROM user_roles");
        out.push_sql(" JOIN roles ON roles.name = user_roles.role");
        out.push_sql(" WHERE user_roles.user_id = users.id)");
        Ok(())
    }
}

impl QueryId for Rotate<'_> {
    type QueryId = Rotate<'static>;

    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for Rotate<'_> {
    type SqlType = (sessions::SqlType, users::SqlType, (Nullable<Text>, Nullable<Text>));
}
