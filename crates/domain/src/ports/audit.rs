//! `AuditRepo`: the chain of the events.

use async_trait::async_trait;

use super::StoreError;
use crate::audit::{Chain, ChainPosition, Entry, SignedCheckpoint};
use crate::{EventId, Timestamp, UserId};

/// The chain of the events.
///
/// An event is written without a place in the chain, in the transaction of its change, so that no
/// request waits for another. Whoever seals holds [`AuditRepo::lock_chain`] and gives places to
/// those that have none.
#[async_trait]
pub trait AuditRepo: Send {
    /// Events without a place in the chain, in the order of their identifiers, at most `limit`.
    /// Those that cannot be read are passed over, so that they keep no other from its place.
    async fn list_unchained_events(&mut self, limit: u32) -> Result<Vec<Entry>, StoreError>;

    /// The ends of the chain; [`Chain::start`] if it was never begun.
    async fn find_chain(&mut self) -> Result<Chain, StoreError>;

    /// The same, locked until the transaction ends.
    async fn lock_chain(&mut self) -> Result<Chain, StoreError>;

    /// Gives events their places, and notes how far the chain has come. The caller has locked the
    /// chain, with [`Access::Write`](super::Access::Write).
    async fn append_to_chain(
        &mut self,
        positions: &[(EventId, ChainPosition)],
        latest: &SignedCheckpoint,
    ) -> Result<(), StoreError>;

    /// Entries of the chain in its order, those after the number `after`, at most `limit`.
    async fn list_chained_events(
        &mut self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError>;

    /// Deletes the entries up to the floor, and notes it; gives how many. The caller has locked the
    /// chain, with [`Access::Write`](super::Access::Write).
    async fn truncate_chain(
        &mut self,
        retention_boundary: &SignedCheckpoint,
    ) -> Result<u64, StoreError>;

    /// Notes that what tells of the owner of this account is to go from the events.
    async fn request_erasure(&mut self, user_id: UserId, now: Timestamp) -> Result<(), StoreError>;

    /// An account whose events are to be erased, the one first that was noted first.
    async fn find_erasure(&mut self) -> Result<Option<UserId>, StoreError>;

    /// Takes the personal part (address and salt) out of at most `limit` events that this account
    /// has caused, and of those about it that no other account has caused, whose address is another
    /// person's; gives how many. Where none is left, the note is deleted.
    async fn erase_events(&mut self, user_id: UserId, limit: u32) -> Result<u64, StoreError>;
}
