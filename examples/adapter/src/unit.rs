//! `RedbTx`: a unit of work.
//!
//! Each method moves the transaction to a thread that may wait for the disk, and back when it is
//! done. A caller who goes away meanwhile leaves the transaction there, where it is undone. So does
//! an error, and therefore no method needs to look before it writes.

use std::mem;

use async_trait::async_trait;
use gateward_domain::ports::{StoreError, Tx};
use redb::{ReadTransaction, WriteTransaction};
use tokio::runtime::Handle;
use tokio::sync::OwnedMutexGuard;

use crate::tables::View;
use crate::{RedbStore, blocking, failed};

/// An open transaction that writes. Without a commit it is undone, and only then the turn is given
/// on: fields are dropped in their order.
pub struct Open {
    transaction: WriteTransaction,
    _turn: OwnedMutexGuard<()>,
}

impl Open {
    /// Holds the turn for as long as the transaction.
    pub fn new(transaction: WriteTransaction, turn: OwnedMutexGuard<()>) -> Self {
        Self { transaction, _turn: turn }
    }

    fn commit(self) -> Result<(), StoreError> {
        self.transaction.commit().map_err(failed)
    }
}

/// What a unit of work may do from here on.
enum Work {
    /// It reads what was committed when it began.
    Reads(ReadTransaction),
    /// It calls one method that writes; the turn is taken when it does.
    OneWrite(RedbStore),
    /// It does anything, and all of it lasts or none.
    Writes(Box<Open>),
    /// Nothing: its single write is done.
    Done,
    /// Nothing: a method has failed or was given up half-way, and everything is undone.
    Over,
}

/// A unit of work.
pub struct RedbTx(Work);

/// The error of a caller who asks for what the access does not allow.
fn misuse(what: &'static str) -> StoreError {
    StoreError::Unavailable(what.into())
}

impl RedbTx {
    /// A unit that reads.
    pub const fn reads(transaction: ReadTransaction) -> Self {
        Self(Work::Reads(transaction))
    }

    /// A unit of a single write.
    pub const fn one_write(store: RedbStore) -> Self {
        Self(Work::OneWrite(store))
    }

    /// A unit of several writes.
    pub fn writes(open: Open) -> Self {
        Self(Work::Writes(Box::new(open)))
    }

    /// Reads what this unit sees: what was committed at its beginning, or its own changes.
    pub async fn read<T: Send + 'static>(
        &mut self,
        read: impl FnOnce(View<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let work = mem::replace(&mut self.0, Work::Over);
        let (work, answer) = blocking(move || {
            let answer = match &work {
                Work::Reads(transaction) => read(View::Committed(transaction))?,
                Work::Writes(open) => read(View::Own(&open.transaction))?,
                Work::OneWrite(_) => return Err(misuse("a single write reads nothing")),
                Work::Done | Work::Over => return Err(misuse("this unit of work is over")),
            };
            Ok((work, answer))
        })
        .await?;
        self.0 = work;
        Ok(answer)
    }

    /// Reads what must stay as it was read until the unit ends. It does: nobody else writes.
    pub async fn lock<T: Send + 'static>(
        &mut self,
        read: impl FnOnce(View<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.may_lock()?;
        self.read(read).await
    }

    /// Refuses what wants a lock where none can be held.
    pub fn may_lock(&self) -> Result<(), StoreError> {
        match self.0 {
            Work::Writes(_) => Ok(()),
            _ => Err(misuse("only a unit of several writes can hold a lock")),
        }
    }

    /// Changes something: for good in a single write, else as part of the unit.
    pub async fn write<T: Send + 'static>(
        &mut self,
        write: impl FnOnce(&WriteTransaction) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        match mem::replace(&mut self.0, Work::Over) {
            Work::Writes(open) => {
                let (open, answer) = blocking(move || {
                    let answer = write(&open.transaction)?;
                    Ok((open, answer))
                })
                .await?;
                self.0 = Work::Writes(open);
                Ok(answer)
            }
            Work::OneWrite(store) => {
                let open = store.open_unit().await?;
                let answer = blocking(move || {
                    let answer = write(&open.transaction)?;
                    open.commit()?;
                    Ok(answer)
                })
                .await?;
                self.0 = Work::Done;
                Ok(answer)
            }
            Work::Reads(_) => Err(misuse("a unit that reads writes nothing")),
            Work::Done => Err(misuse("a single write calls one method")),
            Work::Over => Err(misuse("this unit of work is over")),
        }
    }
}

#[async_trait]
impl Tx for RedbTx {
    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        match mem::replace(&mut self.0, Work::Over) {
            Work::Writes(open) => blocking(move || open.commit()).await,
            Work::Over => Err(misuse("this unit of work is undone already")),
            Work::Reads(_) | Work::OneWrite(_) | Work::Done => Ok(()),
        }
    }
}

impl Drop for RedbTx {
    /// Undoes what is open. That may give space back to the disk, so it is done where waiting does
    /// no harm. The turn goes along; the next writer waits for it there.
    fn drop(&mut self) {
        if let Work::Writes(open) = mem::replace(&mut self.0, Work::Over)
            && let Ok(runtime) = Handle::try_current()
        {
            drop(runtime.spawn_blocking(move || drop(open)));
        }
    }
}
