//! The row of a count of wrong secrets.

use gateward_domain::Timestamp;
use gateward_domain::throttle::{Strikes, ThrottleKey};
use serde::{Deserialize, Serialize};

use super::Row;

/// The row of a count.
#[derive(Serialize, Deserialize)]
pub struct StrikesRow {
    key: [u8; 32],
    count: u32,
    last_at: i64,
    expires_at: i64,
}

impl Row for StrikesRow {
    type Noun = Strikes;
    type Key = &'static [u8; 32];
    const TABLE: &'static str = "throttles";

    fn of(strikes: &Strikes) -> Self {
        Self {
            key: strikes.key.0,
            count: strikes.count,
            last_at: strikes.last_at.micros(),
            expires_at: strikes.expires_at.micros(),
        }
    }

    fn into_noun(self) -> Result<Strikes, &'static str> {
        Ok(Strikes {
            key: ThrottleKey(self.key),
            count: self.count,
            last_at: Timestamp::from_micros(self.last_at),
            expires_at: Timestamp::from_micros(self.expires_at),
        })
    }
}
