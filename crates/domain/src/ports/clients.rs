//! `ClientRepo`: the clients that have logged in before.

use async_trait::async_trait;

use super::StoreError;
use crate::client::KnownClient;
use crate::{ClientId, Origin, Timestamp, UserId};

/// The clients that have logged in to an account before.
#[async_trait]
pub trait ClientRepo: Send {
    /// Adds a client of an account that exists. An identifier or secret that is there already is
    /// [`StoreError::Unavailable`].
    async fn insert_client(&mut self, client: &KnownClient) -> Result<(), StoreError>;

    /// Notes that a client has logged in again, and from where; `false` if it is not there.
    async fn touch_client(
        &mut self,
        id: ClientId,
        origin: &Origin,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError>;

    /// The clients of an account, in the order of their identifiers, in time or not, at most `limit`.
    async fn list_user_clients(
        &mut self,
        user_id: UserId,
        limit: u32,
    ) -> Result<Vec<KnownClient>, StoreError>;

    /// Forgets a client; `false` if it is not there.
    async fn delete_client(&mut self, id: ClientId) -> Result<bool, StoreError>;

    /// Forgets all clients of an account; gives how many. They go with the account, too.
    async fn delete_user_clients(&mut self, user_id: UserId) -> Result<u64, StoreError>;

    /// Deletes at most `limit` clients whose time was over before `before`.
    async fn delete_clients(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}
