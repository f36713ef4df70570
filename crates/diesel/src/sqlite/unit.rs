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
    /// None yet: a single write takes its turn when it is about to write.
    Nothing,
    /// One that reads.
    Reader(Reader),
    /// The one that writes.
    Writer(OwnedMutexGuard<Conn>),
}

/// A unit of work.
pub struct Tx {
    pub(super) store: SqliteStore,
    held: Held,
    pub(super) access: Access,
    /// Whether a transaction is open, or may be.
    open: bool,
    /// Whether a statement was begun and its end not seen.
    in_flight: bool,
    /// Whether a statement has failed. Where the disk is full, SQLite may have undone the whole
    /// transaction by itself, and would take each further statement for one of its own.
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

    /// The connection, for a statement whose end [`Tx::finish`] must be told.
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

    /// Waits for the end of a statement. The file is always there; how long a lock is waited for,
    /// the connection itself knows.
    pub async fn in_time<T>(
        response: impl Future<Output = QueryResult<T>>,
    ) -> Result<QueryResult<T>, StoreError> {
        Ok(response.await)
    }

    /// Notes how a statement ended.
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

    /// Lets the next write once a single write is done, though the unit may be kept for longer.
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

    /// Refuses a lock that would end with its own statement.
    pub fn may_lock(&self) -> Result<(), StoreError> {
        if self.access == Access::Write { Ok(()) } else { Err(Misuse::LockOutsideWrite.into()) }
    }

    /// Opens a transaction for a method of several statements in a single write; whether it did.
    pub async fn open_for_method(&mut self) -> Result<bool, StoreError> {
        if self.access != Access::SingleWrite || self.open {
            return Ok(false);
        }
        self.start(StatementKind::Write).await?;
        self.in_flight = false;
        self.begin_immediately().await?;
        Ok(true)
    }

    /// Makes the method's statements last.
    pub async fn close_for_method(&mut self) -> Result<(), StoreError> {
        self.commit_open().await?;
        self.end_turn();
        Ok(())
    }

    /// Notes that a method has refused: nothing more is done here, and dropping undoes the rest.
    pub const fn fail(&mut self) {
        self.failed = true;
    }

    /// The connection that is held.
    fn conn(&mut self) -> Option<&mut Conn> {
        match &mut self.held {
            Held::Nothing => None,
            Held::Reader(reader) => reader.conn(),
            Held::Writer(writer) => Some(writer),
        }
    }

    /// Opens a transaction that may write from the start: one that began by reading could find at
    /// its first write that another process was quicker, and could only start again.
    async fn begin_immediately(&mut self) -> Result<(), StoreError> {
        let started = self.execute("BEGIN IMMEDIATE").await;
        self.failed = started.is_err();
        started.map_err(|error| store_error("(none)", error))
    }

    /// Ends the open transaction, if there is one.
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

    /// Runs `BEGIN` or `COMMIT`. Until its end is seen, a transaction may be open.
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
    /// Undoes what is open. It takes its place in the connection's line, behind whatever is under
    /// way and before whatever the next writer does, so nobody waits for it here.
    fn drop(&mut self) {
        if self.open
            && let Held::Writer(writer) = &mut self.held
        {
            drop(writer.spawn_blocking(|conn| conn.batch_execute("ROLLBACK")));
        }
    }
}
