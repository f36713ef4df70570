//! A unit of work on SQLite.

use async_trait::async_trait;
use diesel::QueryResult;
use diesel::connection::SimpleConnection;
use diesel_async::SimpleAsyncConnection;
use gateward_domain::ports::{self, Access, StoreError};
use tokio::sync::OwnedMutexGuard;

use super::readers::Reader;
use super::{Conn, SqliteStore};
use crate::error::{Misuse, store_error};
use crate::run::StatementKind;

/// The connection that a unit of work holds.
enum Held {
    /// None yet: a single write takes its turn right before it writes.
    Nothing,
    /// A reading connection.
    Reader(Reader),
    /// The writing connection.
    Writer(OwnedMutexGuard<Conn>),
}

/// A unit of work.
pub struct Tx {
    pub(super) store: SqliteStore,
    held: Held,
    pub(super) access: Access,
    /// Whether a transaction is, or may be, open.
    open: bool,
    /// Whether a statement was started and its end not observed.
    in_flight: bool,
    /// Whether a statement has failed. If the disk is full, SQLite may have rolled back the whole
    /// transaction, and would run each further statement in one of its own.
    failed: bool,
}

impl Tx {
    /// Begins a unit of work.
    pub async fn begin(store: SqliteStore, access: Access) -> Result<Self, StoreError> {
        let held = match access {
            Access::Read => Held::Reader(store.readers.take().await?),
            Access::SingleWrite => Held::Nothing,
            Access::Write => Held::Writer(store.writer().await?),
        };
        let mut tx = Self { store, held, access, open: false, in_flight: false, failed: false };
        if access == Access::Write {
            tx.begin_immediately().await?;
        }
        Ok(tx)
    }

    /// Returns the connection for a statement. Report its end to [`Tx::finish`].
    pub async fn start(&mut self, kind: StatementKind) -> Result<&mut Conn, StoreError> {
        if self.failed || self.in_flight {
            return Err(Misuse::AfterFailure.into());
        }
        if kind == StatementKind::Write && self.access == Access::Read {
            return Err(Misuse::WriteInRead.into());
        }
        if matches!(self.held, Held::Nothing) {
            self.held = Held::Writer(self.store.writer().await?);
        }
        self.in_flight = true;
        self.conn().ok_or_else(|| Misuse::AfterFailure.into())
    }

    /// Waits for the end of a statement. The file is always reachable, and the connection itself
    /// limits the wait for a lock.
    pub async fn in_time<T>(
        response: impl Future<Output = QueryResult<T>>,
    ) -> Result<QueryResult<T>, StoreError> {
        Ok(response.await)
    }

    /// Records the result of a statement.
    pub fn finish<T>(
        &mut self,
        table: &'static str,
        result: QueryResult<T>,
    ) -> Result<T, StoreError> {
        self.in_flight = false;
        self.end_turn();
        result.map_err(|error| {
            self.failed = true;
            store_error(table, error)
        })
    }

    /// Releases the turn to write once a single write is done, even if the unit is kept for longer.
    fn end_turn(&mut self) {
        if self.access == Access::SingleWrite && !self.open {
            self.held = Held::Nothing;
        }
    }

    /// A connection to a file does not die.
    #[expect(clippy::unused_async, reason = "the other backend waits for a connection here")]
    pub async fn renew_if_dead<T>(&mut self, _: &QueryResult<T>) -> Result<bool, StoreError> {
        Ok(false)
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
        self.in_flight = false;
        self.begin_immediately().await?;
        Ok(true)
    }

    /// Commits the method's statements.
    pub async fn close_for_method(&mut self) -> Result<(), StoreError> {
        self.commit_open().await?;
        self.end_turn();
        Ok(())
    }

    /// Records that a method has failed: no further statement runs, and dropping rolls back.
    pub const fn fail(&mut self) {
        self.failed = true;
    }

    /// Returns the connection that is held.
    fn conn(&mut self) -> Option<&mut Conn> {
        match &mut self.held {
            Held::Nothing => None,
            Held::Reader(reader) => reader.conn(),
            Held::Writer(writer) => Some(writer),
        }
    }

    /// Opens a write transaction from the start. One that began with a read could fail at its first
    /// write because another process came first, and would have to start again.
    async fn begin_immediately(&mut self) -> Result<(), StoreError> {
        let started = self.execute("BEGIN IMMEDIATE").await;
        self.failed = started.is_err();
        started.map_err(|error| store_error("(none)", error))
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
        match self.conn() {
            Some(conn) => conn.batch_execute(statement).await,
            None => Ok(()),
        }
    }
}

#[async_trait]
impl ports::Tx for Tx {
    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        if self.access == Access::Write { self.commit_open().await } else { Ok(()) }
    }
}

impl Drop for Tx {
    /// Rolls back what is open. The rollback is queued on the connection's thread, after a running
    /// statement and before the next writer's, so nothing waits for it here.
    fn drop(&mut self) {
        if self.open
            && let Held::Writer(writer) = &mut self.held
        {
            drop(writer.spawn_blocking(|conn| conn.batch_execute("ROLLBACK")));
        }
    }
}
