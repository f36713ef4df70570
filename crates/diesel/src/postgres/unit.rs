//! A unit of work on Postgres, and the state of its connection.

use std::time::Duration;

use async_trait::async_trait;
use diesel::QueryResult;
use diesel::result::{DatabaseErrorKind, Error};
use diesel_async::pooled_connection::PoolableConnection;
use diesel_async::pooled_connection::deadpool::Object;
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use gateward_domain::ports::{self, Access, StoreError};
use tokio::time::timeout;

use super::PostgresStore;
use crate::error::{Misuse, store_error};
use crate::run::StatementKind;

/// Timeout for the response to a statement. It is longer than the server's statement timeout, so a
/// server that stays silent this long is gone, however open the connection looks.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(6);

/// Maximum time for rolling back a unit of work. After it, the connection is closed instead.
const UNDO_TIMEOUT: Duration = Duration::from_secs(1);

/// Maximum number of dead connections that a unit of work skips. After a restart of the server
/// every pooled connection is dead, but only those not yet detected reach this point.
const DEAD_MAX: usize = 3;

/// A unit of work.
pub struct Tx {
    store: PostgresStore,
    /// `None` only while it is being dropped or committed.
    conn: Option<Object<AsyncPgConnection>>,
    access: Access,
    /// Whether a transaction is, or may be, open on the server.
    open: bool,
    /// Whether a statement was started and its end not observed.
    in_flight: bool,
    /// Whether a statement has failed. The server then refuses all others, and would respond to a
    /// `COMMIT` by rolling everything back without an error.
    failed: bool,
    /// Number of connections that turned out to be dead.
    dead: usize,
}

impl Tx {
    /// Begins a unit of work. Only one with several writes opens a transaction on the server.
    pub async fn begin(store: PostgresStore, access: Access) -> Result<Self, StoreError> {
        let conn = Some(store.connection().await?);
        let (open, in_flight, failed, dead) = (false, false, false, 0);
        let mut tx = Self { store, conn, access, open, in_flight, failed, dead };
        if access == Access::Write {
            while let Err(error) = tx.execute("BEGIN").await {
                tx.open = false;
                if !tx.renew(&error).await? {
                    return Err(store_error("(none)", error));
                }
            }
        }
        Ok(tx)
    }

    /// Returns the connection for a statement. Report its end to [`Tx::finish`].
    #[expect(clippy::unused_async, reason = "the other backend waits for its writer here")]
    pub async fn start(
        &mut self,
        kind: StatementKind,
    ) -> Result<&mut AsyncPgConnection, StoreError> {
        if self.failed || self.in_flight {
            return Err(Misuse::AfterFailure.into());
        }
        if kind == StatementKind::Write && self.access == Access::Read {
            return Err(Misuse::WriteInRead.into());
        }
        let conn = self.conn.as_mut().ok_or(Misuse::AfterFailure)?;
        self.in_flight = true;
        Ok(&mut *conn)
    }

    /// Waits for the response to a statement. Without one, the statement counts as running, and its
    /// connection is not returned to the pool.
    pub async fn in_time<T>(
        response: impl Future<Output = QueryResult<T>>,
    ) -> Result<QueryResult<T>, StoreError> {
        let silent = |_| StoreError::Unavailable("the server does not answer".into());
        timeout(RESPONSE_TIMEOUT, response).await.map_err(silent)
    }

    /// Records the result of a statement.
    pub fn finish<T>(
        &mut self,
        table: &'static str,
        result: QueryResult<T>,
    ) -> Result<T, StoreError> {
        self.in_flight = false;
        result.map_err(|error| {
            self.failed = true;
            store_error(table, error)
        })
    }

    /// Replaces the connection if it is dead and the unit only reads. Returns whether it did.
    pub async fn renew_if_dead<T>(&mut self, result: &QueryResult<T>) -> Result<bool, StoreError> {
        match result {
            Err(error) if self.access == Access::Read => {
                let renewed = self.renew(error).await?;
                self.in_flight &= !renewed;
                Ok(renewed)
            }
            _ => Ok(false),
        }
    }

    /// Refuses a lock that would be released at the end of its own statement.
    pub fn may_lock(&self) -> Result<(), StoreError> {
        if self.access == Access::Write { Ok(()) } else { Err(Misuse::LockOutsideWrite.into()) }
    }

    /// Opens a transaction for a method of several statements in a single write. Returns whether it
    /// did.
    pub async fn open_for_method(&mut self) -> Result<bool, StoreError> {
        if self.access != Access::SingleWrite || self.open {
            return Ok(false);
        }
        self.start(StatementKind::Write).await?;
        let started = self.execute("BEGIN").await;
        self.finish("(none)", started)?;
        Ok(true)
    }

    /// Commits the method's statements.
    pub async fn close_for_method(&mut self) -> Result<(), StoreError> {
        self.commit_open().await
    }

    /// Records that a method has failed: no further statement runs, and dropping rolls back.
    pub const fn fail(&mut self) {
        self.failed = true;
    }

    /// Commits the open transaction, if any.
    async fn commit_open(&mut self) -> Result<(), StoreError> {
        if self.failed || self.in_flight {
            return Err(Misuse::AfterFailure.into());
        }
        if self.open {
            let committed = self.execute("COMMIT").await;
            self.failed = committed.is_err();
            committed.map_err(|error| store_error("(none)", error))?;
            self.open = false;
        }
        Ok(())
    }

    /// Runs `BEGIN` or `COMMIT`. Until its end is observed, a transaction may be open.
    async fn execute(&mut self, statement: &str) -> QueryResult<()> {
        self.open = true;
        match self.conn.as_mut() {
            Some(conn) => {
                let response = timeout(RESPONSE_TIMEOUT, conn.batch_execute(statement)).await;
                response.unwrap_or_else(|_| {
                    let silent = Box::new("the server does not answer".to_owned());
                    Err(Error::DatabaseError(DatabaseErrorKind::Unknown, silent))
                })
            }
            None => Ok(()),
        }
    }

    /// Replaces the connection if `error` shows that it is dead. Returns whether it did.
    async fn renew(&mut self, error: &Error) -> Result<bool, StoreError> {
        let Some(conn) = self.conn.as_mut() else { return Ok(false) };
        if self.dead >= DEAD_MAX || !(says_dead(error) || conn.is_broken()) {
            return Ok(false);
        }
        self.dead += 1;
        self.conn.take().map(Object::take);
        self.conn = Some(self.store.connection().await?);
        Ok(true)
    }
}

/// Returns whether the error shows that its connection is dead.
fn says_dead(error: &Error) -> bool {
    use DatabaseErrorKind::{ClosedConnection, UnableToSendCommand};

    match error {
        Error::DatabaseError(ClosedConnection | UnableToSendCommand, _) => true,
        // The message of a server that is shutting down.
        Error::DatabaseError(_, about) => about.message().starts_with("terminating connection"),
        _ => false,
    }
}

#[async_trait]
impl ports::Tx for Tx {
    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        if self.access == Access::Write { self.commit_open().await } else { Ok(()) }
    }
}

impl Drop for Tx {
    /// Rolls back what is open, and waits for a running statement, before the connection is reused.
    fn drop(&mut self) {
        let Some(conn) = self.conn.take() else { return };
        if !self.open && !self.in_flight {
            return;
        }
        let mut suspect = Suspect(Some(conn));
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            // Statements run in the order in which they were sent: the response to this one shows
            // that the one before has ended too. Outside of a transaction it does nothing.
            runtime.spawn(async move { suspect.clear().await });
        }
    }
}

/// A connection in an unknown state. Unless it is cleared, it is closed and not returned to the
/// pool.
struct Suspect(Option<Object<AsyncPgConnection>>);

impl Suspect {
    /// Rolls back what is open and returns the connection to the pool.
    async fn clear(&mut self) {
        let Some(conn) = self.0.as_mut() else { return };
        let undone = timeout(UNDO_TIMEOUT, conn.batch_execute("ROLLBACK")).await;
        if matches!(undone, Ok(Ok(()))) {
            drop(self.0.take());
        }
    }
}

impl Drop for Suspect {
    fn drop(&mut self) {
        self.0.take().map(Object::take);
    }
}
