//! `RedbTx`: a unit of work.
//!
//! Each method moves the transaction to a thread for blocking work, and back when it is done. If
//! the caller goes away meanwhile, the transaction stays there and is rolled back. An error has the
//! same effect, so no method needs to check before it writes.

use std::mem;

use async_trait::async_trait;
use gateward_domain::ports::{StoreError, Tx};
use redb::{ReadTransaction, WriteTransaction};
use tokio::runtime::Handle;
use tokio::sync::{OwnedMutexGuard, watch};

use crate::tables::View;
use crate::{RedbStore, blocking, failed};

/// An open write transaction. Without a commit it is rolled back, and only then the turn is
/// released: fields are dropped in their order.
pub struct Open {
    transaction: WriteTransaction,
    herald: watch::Sender<()>,
    _turn: OwnedMutexGuard<()>,
}

impl Open {
    /// Holds the turn for as long as the transaction.
    pub fn new(
        transaction: WriteTransaction,
        herald: watch::Sender<()>,
        turn: OwnedMutexGuard<()>,
    ) -> Self {
        Self { transaction, herald, _turn: turn }
    }

    /// Commits, and wakes the watchers of the feed if it has new items.
    fn commit(self, has_invalidations: bool) -> Result<(), StoreError> {
        self.transaction.commit().map_err(failed)?;
        if has_invalidations {
            self.herald.send_replace(());
        }
        Ok(())
    }
}

/// What a unit of work may do from here on.
enum Work {
    /// It reads the state committed when it began.
    Reads(ReadTransaction),
    /// It calls one method that writes, which takes the turn.
    OneWrite(RedbStore),
    /// It does anything, and all of it commits or none.
    Writes(Box<Open>),
    /// Nothing: its single write is done.
    Done,
    /// Nothing: a method has failed or was cancelled, and everything is rolled back.
    Ended,
}

/// A unit of work.
pub struct RedbTx {
    work: Work,
    /// Whether it has written invalidation events.
    has_invalidations: bool,
}

/// Returns the error of a call that the access does not allow.
fn misuse(what: &'static str) -> StoreError {
    StoreError::Unavailable(what.into())
}

impl RedbTx {
    /// Creates a unit that reads.
    pub const fn reads(transaction: ReadTransaction) -> Self {
        Self::new(Work::Reads(transaction))
    }

    /// Creates a unit of a single write.
    pub const fn one_write(store: RedbStore) -> Self {
        Self::new(Work::OneWrite(store))
    }

    /// Creates a unit of several writes.
    pub fn writes(open: Open) -> Self {
        Self::new(Work::Writes(Box::new(open)))
    }

    const fn new(work: Work) -> Self {
        Self { work, has_invalidations: false }
    }

    /// Records that the unit writes invalidation events, so that its commit wakes the watchers.
    pub const fn writes_invalidations(&mut self) {
        self.has_invalidations = true;
    }

    /// Reads the state that this unit sees: the one committed at its beginning, or its own changes.
    pub async fn read<T: Send + 'static>(
        &mut self,
        read: impl FnOnce(View<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let work = mem::replace(&mut self.work, Work::Ended);
        let (work, response) = blocking(move || {
            let response = match &work {
                Work::Reads(transaction) => read(View::Committed(transaction))?,
                Work::Writes(open) => read(View::Own(&open.transaction))?,
                Work::OneWrite(_) => return Err(misuse("a single write reads nothing")),
                Work::Done | Work::Ended => return Err(misuse("this unit of work has ended")),
            };
            Ok((work, response))
        })
        .await?;
        self.work = work;
        Ok(response)
    }

    /// Reads a value that must not change until the unit ends. It does not: there is no other
    /// writer.
    pub async fn lock<T: Send + 'static>(
        &mut self,
        read: impl FnOnce(View<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.may_lock()?;
        self.read(read).await
    }

    /// Refuses a lock in a unit that cannot hold one.
    pub fn may_lock(&self) -> Result<(), StoreError> {
        match self.work {
            Work::Writes(_) => Ok(()),
            _ => Err(misuse("only a unit of several writes can hold a lock")),
        }
    }

    /// Changes something: committed at once in a single write, otherwise with the unit.
    pub async fn write<T: Send + 'static>(
        &mut self,
        write: impl FnOnce(&WriteTransaction) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        match mem::replace(&mut self.work, Work::Ended) {
            Work::Writes(open) => {
                let (open, response) = blocking(move || {
                    let response = write(&open.transaction)?;
                    Ok((open, response))
                })
                .await?;
                self.work = Work::Writes(open);
                Ok(response)
            }
            Work::OneWrite(store) => {
                let open = store.open_unit().await?;
                let has_invalidations = self.has_invalidations;
                let response = blocking(move || {
                    let response = write(&open.transaction)?;
                    open.commit(has_invalidations)?;
                    Ok(response)
                })
                .await?;
                self.work = Work::Done;
                Ok(response)
            }
            Work::Reads(_) => Err(misuse("a unit that reads writes nothing")),
            Work::Done => Err(misuse("a single write calls one method")),
            Work::Ended => Err(misuse("this unit of work has ended")),
        }
    }
}

#[async_trait]
impl Tx for RedbTx {
    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        let has_invalidations = self.has_invalidations;
        match mem::replace(&mut self.work, Work::Ended) {
            Work::Writes(open) => blocking(move || open.commit(has_invalidations)).await,
            Work::Ended => Err(misuse("this unit of work is undone already")),
            Work::Reads(_) | Work::OneWrite(_) | Work::Done => Ok(()),
        }
    }
}

impl Drop for RedbTx {
    /// Rolls back what is open. That may write to the disk, so it runs on a thread for blocking
    /// work. The turn moves there too; the next writer waits for it.
    fn drop(&mut self) {
        if let Work::Writes(open) = mem::replace(&mut self.work, Work::Ended)
            && let Ok(runtime) = Handle::try_current()
        {
            drop(runtime.spawn_blocking(move || drop(open)));
        }
    }
}
