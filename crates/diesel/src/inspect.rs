//! Looking whether what stands in a live database can be true.

mod questions;

use gateward_domain::Timestamp;

use crate::error::InspectError;
use crate::target::Target;
use crate::{postgres, sqlite};
pub use questions::{Dialect, questions};

/// The most rows that are counted of one flaw.
pub const COUNT_MAX: u32 = 1000;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flaw {
    /// A session lives whose user is disabled.
    SessionOfDisabledUser,
    /// A session lives whose user is gone.
    SessionWithoutUser,
    /// Two active sessions have one salt, so that both are lines of one token.
    SharedSalt,
    /// A session lives of which an event says that it has ended.
    EndedSessionLives,
    /// A link is open, and what it is for was done.
    UsedLinkOpen,
    /// A row is about something that is gone.
    Orphan {
        /// Of which table.
        table: &'static str,
    },
    /// An account holds a role that is not defined. It gives nothing.
    UndefinedRole,
    /// An email was given up.
    FailedEmail,
    /// An email waits that was due an hour ago.
    OverdueEmail,
    /// No account that is enabled holds the role `admin`.
    NoAdministrator,
    /// A row should have been cleaned up a day ago.
    CleanupOverdue {
        /// Of which table.
        table: &'static str,
    },
    /// An event has had no place in the chain for ten minutes.
    UnchainedEvent,
    /// A row was written at a time that has not come yet.
    FromTheFuture {
        /// Of which table.
        table: &'static str,
    },
}

/// A flaw that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anomaly {
    /// What is wrong.
    pub what: Flaw,
    /// In how many rows; no more than 1000 are counted.
    pub count: u32,
    /// The key of one of the rows, as text.
    pub example: String,
}

/// Asks a database for everything in it that cannot be, at one moment; it is only read.
///
/// A question counts no more rows than it must, but some of them look at a whole table.
pub async fn inspect(url: &str, now: Timestamp) -> Result<Vec<Anomaly>, InspectError> {
    match Target::parse(url)? {
        Target::Sqlite(path) => sqlite::inspect::inspect(path, now).await,
        Target::Postgres(settings) => postgres::inspect::inspect(*settings, now).await,
    }
}

/// What the clock of the database's server shows; `None` where it is this machine's.
pub async fn server_time(url: &str) -> Result<Option<Timestamp>, InspectError> {
    match Target::parse(url)? {
        Target::Sqlite(_) => Ok(None),
        Target::Postgres(settings) => postgres::inspect::server_time(*settings).await.map(Some),
    }
}

/// What the answer to a question tells: how many rows there are, and the key of one.
pub fn anomaly(what: Flaw, (count, example): (i64, Option<String>)) -> Option<Anomaly> {
    let count = u32::try_from(count).ok().filter(|count| *count > 0)?;
    let example = example.unwrap_or_default();
    // SQLite gives an identifier as digits alone.
    let example = uuid::Uuid::try_parse(&example).map_or(example, |id| id.to_string());
    Some(Anomaly { what, count, example })
}

#[cfg(test)]
mod tests;
