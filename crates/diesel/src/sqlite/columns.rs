//! The column types in SQLite: an identifier is 16 bytes, a time is microseconds since 1970.

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sqlite::Sqlite;
use gateward_domain::Timestamp;

/// The SQL types of the tables.
pub mod sql {
    pub use diesel::sql_types::{BigInt as Moment, Binary as Ident};
}

/// An identifier.
#[derive(Clone, Copy, Debug, AsExpression, FromSqlRow)]
#[diesel(sql_type = sql::Ident)]
pub struct Id(pub uuid::Uuid);

impl ToSql<sql::Ident, Sqlite> for Id {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.as_bytes().as_slice());
        Ok(IsNull::No)
    }
}

impl FromSql<sql::Ident, Sqlite> for Id {
    fn from_sql(mut value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(uuid::Uuid::from_slice(value.read_blob())?))
    }
}

/// A point in time.
#[derive(Clone, Copy, Debug, AsExpression, FromSqlRow)]
#[diesel(sql_type = sql::Moment)]
pub struct Time(pub Timestamp);

impl ToSql<sql::Moment, Sqlite> for Time {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.micros());
        Ok(IsNull::No)
    }
}

impl FromSql<sql::Moment, Sqlite> for Time {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let micros = FromSql::<sql::Moment, Sqlite>::from_sql(value)?;
        Ok(Self(Timestamp::from_micros(micros)))
    }
}
