//! The port of the audit trail: the chain of the events, and their erasure.

use async_trait::async_trait;
use gateward_domain::audit::{Chain, ChainPosition, Entry, SignedCheckpoint};
use gateward_domain::ports::{AuditRepo, StoreError};
use gateward_domain::{Actor, EventId, Timestamp, UserId};
use redb::WriteTransaction;
use uuid::Uuid;

use crate::events;
use crate::rows::{ChainRow, EventRow};
use crate::tables::{
    CHAIN, ERASURES, View, count_of, enter, insert, place_in_time, remove, table, update,
};
use crate::unit::RedbTx;

#[async_trait]
impl AuditRepo for RedbTx {
    async fn list_unchained_events(&mut self, limit: u32) -> Result<Vec<Entry>, StoreError> {
        self.read(move |view| {
            let ids = view.span(CHAIN, ..(1, 0), count_of(limit))?;
            view.find_all::<EventRow>(ids)
        })
        .await
    }

    async fn find_chain(&mut self) -> Result<Chain, StoreError> {
        self.read(find_chain).await
    }

    async fn lock_chain(&mut self) -> Result<Chain, StoreError> {
        self.lock(find_chain).await
    }

    async fn append_to_chain(
        &mut self,
        positions: &[(EventId, ChainPosition)],
        latest: &SignedCheckpoint,
    ) -> Result<(), StoreError> {
        self.may_lock()?;
        let (positions, latest) = (positions.to_vec(), latest.clone());
        self.write(move |transaction| {
            positions
                .into_iter()
                .try_for_each(|(id, position)| give_place(transaction, id, position))?;
            change_chain(transaction, |chain| chain.latest = latest)
        })
        .await
    }

    async fn list_chained_events(
        &mut self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        self.read(move |view| {
            let ids = view.span(CHAIN, (after.max(0).saturating_add(1), 0).., count_of(limit))?;
            view.find_all::<EventRow>(ids)
        })
        .await
    }

    async fn truncate_chain(
        &mut self,
        retention_boundary: &SignedCheckpoint,
    ) -> Result<u64, StoreError> {
        self.may_lock()?;
        let retention_boundary = retention_boundary.clone();
        self.write(move |transaction| {
            let view = View::Own(transaction);
            let ids = view.span(
                CHAIN,
                (1, 0)..=(retention_boundary.checkpoint.seq, u128::MAX),
                usize::MAX,
            )?;
            let entries = view.find_all::<EventRow>(ids)?;
            entries.iter().try_for_each(|entry| events::forget(transaction, entry))?;
            change_chain(transaction, |chain| chain.retention_boundary = retention_boundary)?;
            Ok(entries.len() as u64)
        })
        .await
    }

    async fn request_erasure(&mut self, user_id: UserId, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |transaction| {
            if noted(View::Own(transaction), user_id)?.is_some() {
                return Ok(());
            }
            enter(transaction, ERASURES, place_in_time(now, key(user_id)))
        })
        .await
    }

    async fn find_erasure(&mut self) -> Result<Option<UserId>, StoreError> {
        self.read(|view| {
            let first = view.span(ERASURES, .., 1)?.pop();
            Ok(first.map(|id| UserId::from_uuid(Uuid::from_u128(id))))
        })
        .await
    }

    /// Scans all events until it has enough.
    async fn erase_events(&mut self, user_id: UserId, limit: u32) -> Result<u64, StoreError> {
        self.write(move |transaction| erase(transaction, user_id, count_of(limit))).await
    }
}

const fn key(id: UserId) -> u128 {
    id.uuid().as_u128()
}

fn find_chain(view: View<'_>) -> Result<Chain, StoreError> {
    Ok(view.find::<ChainRow>(())?.unwrap_or_else(Chain::start))
}

/// Changes both ends of the chain. The first change creates them.
fn change_chain(
    transaction: &WriteTransaction,
    change: impl FnOnce(&mut Chain),
) -> Result<(), StoreError> {
    let mut chain = find_chain(View::Own(transaction))?;
    change(&mut chain);
    remove(transaction, table::<ChainRow>(), ())?;
    insert::<ChainRow>(transaction, (), &chain)
}

/// Moves an event from the waiting ones to its position.
fn give_place(
    transaction: &WriteTransaction,
    id: EventId,
    position: ChainPosition,
) -> Result<(), StoreError> {
    let id = id.uuid().as_u128();
    remove(transaction, CHAIN, (0, id))?;
    enter(transaction, CHAIN, (position.seq, id))?;
    update::<EventRow>(transaction, id, |entry| {
        entry.position = Some(position);
        true
    })?;
    Ok(())
}

/// Returns the time of the request to erase the account's events, if any.
fn noted(view: View<'_>, user_id: UserId) -> Result<Option<(i64, u128)>, StoreError> {
    let notes = view.places(ERASURES, .., usize::MAX)?;
    Ok(notes.into_iter().find(|(_, id)| *id == key(user_id)))
}

/// Erases the personal part of events. Once none is left, deletes the request.
fn erase(transaction: &WriteTransaction, user_id: UserId, limit: usize) -> Result<u64, StoreError> {
    let view = View::Own(transaction);
    let is_personal = |Entry { event, .. }: &Entry| {
        let is_theirs = match event.actor {
            Actor::User(id) => id == user_id,
            Actor::Operator | Actor::Service => event.user_id == Some(user_id),
        };
        is_theirs && (event.ip.is_some() || event.salt.is_some())
    };
    // Reading one more than are erased shows whether any is left.
    let found = view.after::<EventRow>(None, limit.saturating_add(1), is_personal)?;
    if found.len() <= limit
        && let Some(note) = noted(view, user_id)?
    {
        remove(transaction, ERASURES, note)?;
    }
    let mut count = 0;
    for entry in found.iter().take(limit) {
        update::<EventRow>(transaction, entry.event.id.uuid().as_u128(), |entry| {
            (entry.event.ip, entry.event.salt) = (None, None);
            true
        })?;
        count += 1;
    }
    Ok(count)
}
