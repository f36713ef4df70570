//! What a [`MemoryStore`](super::MemoryStore) does with known clients.

use async_trait::async_trait;
use gateward_domain::client::KnownClient;
use gateward_domain::ports::{ClientRepo, StoreError};
use gateward_domain::{ClientId, Origin, Timestamp, UserId};

use super::MemoryTx;
use super::state::{State, doubled, page, remove_where};

#[async_trait]
impl ClientRepo for MemoryTx {
    async fn insert_client(&mut self, client: &KnownClient) -> Result<(), StoreError> {
        self.write(|state| state.insert_client(client)).await
    }

    async fn touch_client(
        &mut self,
        id: ClientId,
        origin: &Origin,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let touch = |client: &mut KnownClient| {
            client.origin.clone_from(origin);
            client.last_used_at = now;
            client.expires_at = expires_at;
        };
        self.write(|state| {
            let client = state.clients.iter_mut().find(|client| client.id == id);
            Ok(client.map(touch).is_some())
        })
        .await
    }

    async fn list_user_clients(
        &mut self,
        user_id: UserId,
        limit: u32,
    ) -> Result<Vec<KnownClient>, StoreError> {
        Ok(self.read(|state| {
            let of_user = state.clients.iter().filter(|client| client.user_id == user_id);
            page(of_user, |client| client.id, None, limit)
        }))
    }

    async fn delete_client(&mut self, id: ClientId) -> Result<bool, StoreError> {
        let is_it = move |client: &KnownClient| client.id == id;
        self.write(|state| Ok(remove_where(&mut state.clients, 1, is_it) == 1)).await
    }

    async fn delete_user_clients(&mut self, user_id: UserId) -> Result<u64, StoreError> {
        let of_user = move |client: &KnownClient| client.user_id == user_id;
        self.write(|state| Ok(remove_where(&mut state.clients, u32::MAX, of_user))).await
    }

    async fn delete_clients(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let is_over = move |client: &KnownClient| client.expires_at < before;
        self.write(|state| Ok(remove_where(&mut state.clients, limit, is_over))).await
    }
}

impl State {
    fn insert_client(&mut self, client: &KnownClient) -> Result<(), StoreError> {
        if !self.users.contains_key(&client.user_id) {
            return Err(StoreError::Unavailable("a client is of an account that exists".into()));
        }
        let is_same = |other: &KnownClient| other.id == client.id || other.secret == client.secret;
        if self.clients.iter().any(is_same) {
            return Err(doubled("client"));
        }
        self.clients.push(client.clone());
        Ok(())
    }
}
