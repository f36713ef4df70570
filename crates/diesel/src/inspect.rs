//! Checks the consistency of a live database.

mod questions;

use gateward_domain::Timestamp;

use crate::error::InspectError;
use crate::target::Target;
use crate::{postgres, sqlite};
pub use questions::{Dialect, questions};

/// Maximum number of rows counted per flaw.
pub const COUNT_MAX: u32 = 1000;

/// A kind of inconsistency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flaw {
    /// An active session belongs to a disabled user.
    SessionOfDisabledUser,
    /// An active session belongs to a deleted user.
    SessionWithoutUser,
    /// Two active sessions share one salt, so one token belongs to both.
    SharedSalt,
    /// A session is active although an event reports its end.
    EndedSessionLives,
    /// A link is still valid although it was used.
    UsedLinkOpen,
    /// A row refers to a deleted row.
    Orphan {
        /// The table of the row.
        table: &'static str,
    },
    /// An account holds an undefined role, which grants nothing.
    UndefinedRole,
    /// An email has failed.
    FailedEmail,
    /// A waiting email has been due for an hour.
    OverdueEmail,
    /// No enabled account holds the role `admin`.
    NoAdministrator,
    /// A row should have been cleaned up a day ago.
    CleanupOverdue {
        /// The table of the row.
        table: &'static str,
    },
    /// An event has had no position in the chain for ten minutes.
    UnchainedEvent,
    /// A row has a time of creation in the future.
    FromTheFuture {
        /// The table of the row.
        table: &'static str,
    },
}

/// A flaw found in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anomaly {
    /// The kind of flaw.
    pub what: Flaw,
    /// Number of affected rows, up to 1000.
    pub count: u32,
    /// Key of one affected row, as text.
    pub example: String,
}

/// Checks a database for all flaws, at one point in time. Read-only.
///
/// A query counts no more rows than it must, but some of them scan a whole table.
pub async fn inspect(url: &str, now: Timestamp) -> Result<Vec<Anomaly>, InspectError> {
    match Target::parse(url)? {
        Target::Sqlite(path) => sqlite::inspect::inspect(path, now).await,
        Target::Postgres(settings) => postgres::inspect::inspect(*settings, now).await,
    }
}

/// Returns the time of the database server's clock. `None` if the database runs in this process.
pub async fn server_time(url: &str) -> Result<Option<Timestamp>, InspectError> {
    match Target::parse(url)? {
        Target::Sqlite(_) => Ok(None),
        Target::Postgres(settings) => postgres::inspect::server_time(*settings).await.map(Some),
    }
}

/// Converts the result of a query: the number of rows, and the key of one.
pub fn anomaly(what: Flaw, (count, example): (i64, Option<String>)) -> Option<Anomaly> {
    let count = u32::try_from(count).ok().filter(|count| *count > 0)?;
    let example = example.unwrap_or_default();
    // SQLite returns an identifier as digits only.
    let example = uuid::Uuid::try_parse(&example).map_or(example, |id| id.to_string());
    Some(Anomaly { what, count, example })
}

#[cfg(test)]
mod tests;
