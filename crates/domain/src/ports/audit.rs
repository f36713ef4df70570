//! `AuditRepo`: the hash chain of the events.

use async_trait::async_trait;

use super::StoreError;
use crate::audit::{Chain, ChainPosition, Entry, SignedCheckpoint};
use crate::{EventId, Timestamp, UserId};

/// The hash chain of the events.
///
/// An event is written without a position in the chain, in the transaction of its change, so that
/// no request waits for another. The job that appends to the chain holds [`AuditRepo::lock_chain`]
/// and assigns positions to events that have none.
#[async_trait]
pub trait AuditRepo: Send {
    /// Returns at most `limit` events without a position in the chain, ordered by identifier.
    /// Events that cannot be parsed are skipped, so that they do not block the others.
    async fn list_unchained_events(&mut self, limit: u32) -> Result<Vec<Entry>, StoreError>;

    /// Returns both ends of the chain, or [`Chain::start`] if it has no entry yet.
    async fn find_chain(&mut self) -> Result<Chain, StoreError>;

    /// Like [`AuditRepo::find_chain`], but locks the chain until the transaction ends.
    async fn lock_chain(&mut self) -> Result<Chain, StoreError>;

    /// Stores the positions of events and the latest checkpoint. The caller has locked the chain,
    /// with [`Access::Write`](super::Access::Write).
    async fn append_to_chain(
        &mut self,
        positions: &[(EventId, ChainPosition)],
        latest: &SignedCheckpoint,
    ) -> Result<(), StoreError>;

    /// Returns at most `limit` entries after the sequence number `after`, in chain order.
    async fn list_chained_events(
        &mut self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError>;

    /// Deletes the entries up to the retention boundary, stores the boundary, and returns the
    /// number of deleted entries. The caller has locked the chain, with
    /// [`Access::Write`](super::Access::Write).
    async fn truncate_chain(
        &mut self,
        retention_boundary: &SignedCheckpoint,
    ) -> Result<u64, StoreError>;

    /// Requests that the personal data of this account's owner be erased from the events.
    async fn request_erasure(&mut self, user_id: UserId, now: Timestamp) -> Result<(), StoreError>;

    /// Returns the account with the oldest request for erasure.
    async fn find_erasure(&mut self) -> Result<Option<UserId>, StoreError>;

    /// Erases the personal part (IP address and salt) of at most `limit` events, and returns their
    /// number. It covers the events that this account caused and those about it, except where
    /// another account caused the event: that IP address belongs to another person. Once none is
    /// left, the request is deleted.
    async fn erase_events(&mut self, user_id: UserId, limit: u32) -> Result<u64, StoreError>;
}
