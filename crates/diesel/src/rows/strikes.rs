//! The rows of `strikes`.

use diesel::prelude::{Insertable, Queryable};
use gateward_domain::ports::StoreError;
use gateward_domain::throttle::{Strike, Strikes, ThrottleKey};

use super::super::columns::Time;
use super::super::schema::strikes;
use super::{bytes_32, count};

/// A row of `strikes`.
#[derive(Queryable, Insertable)]
#[diesel(table_name = strikes)]
pub struct StrikeRow {
    key: Vec<u8>,
    count: i64,
    last_at: Time,
    expires_at: Time,
}

impl From<&Strike> for StrikeRow {
    /// The row of the first one.
    fn from(strike: &Strike) -> Self {
        Self {
            key: strike.key.0.to_vec(),
            count: 1,
            last_at: Time(strike.at),
            expires_at: Time(strike.expires_at),
        }
    }
}

impl TryFrom<StrikeRow> for Strikes {
    type Error = StoreError;

    fn try_from(row: StrikeRow) -> Result<Self, StoreError> {
        Ok(Self {
            key: ThrottleKey(bytes_32(&row.key, "strikes", "key")?),
            count: count(row.count, "strikes", "count")?,
            last_at: row.last_at.0,
            expires_at: row.expires_at.0,
        })
    }
}
