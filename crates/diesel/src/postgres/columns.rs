//! The column types in Postgres: native `uuid` and `timestamptz`.

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::data_types::PgTimestamp;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, Output, ToSql};
use gateward_domain::Timestamp;

/// The SQL types of the tables.
pub mod sql {
    pub use diesel::sql_types::{Timestamptz as Moment, Uuid as Ident};
}

/// Microseconds from the Unix epoch, 1970, to the epoch of Postgres, 2000.
const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// The earliest time that Postgres supports: 4714-11-24 BC.
const FIRST_MICROS: i64 = -211_813_488_000_000_000;

/// An identifier.
#[derive(Clone, Copy, Debug, AsExpression, FromSqlRow)]
#[diesel(sql_type = sql::Ident)]
pub struct Id(pub uuid::Uuid);

impl ToSql<sql::Ident, Pg> for Id {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<sql::Ident, Pg>::to_sql(&self.0, out)
    }
}

impl FromSql<sql::Ident, Pg> for Id {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        FromSql::<sql::Ident, Pg>::from_sql(value).map(Self)
    }
}

/// A point in time.
#[derive(Clone, Copy, Debug, AsExpression, FromSqlRow)]
#[diesel(sql_type = sql::Moment)]
pub struct Time(pub Timestamp);

impl ToSql<sql::Moment, Pg> for Time {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let micros = self.0.micros().saturating_sub(EPOCH_MICROS).max(FIRST_MICROS);
        ToSql::<sql::Moment, Pg>::to_sql(&PgTimestamp(micros), &mut out.reborrow())
    }
}

impl FromSql<sql::Moment, Pg> for Time {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let PgTimestamp(micros) = FromSql::<sql::Moment, Pg>::from_sql(value)?;
        Ok(Self(Timestamp::from_micros(micros.saturating_add(EPOCH_MICROS))))
    }
}
