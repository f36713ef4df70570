//! The port of the known clients.

use async_trait::async_trait;
use gateward_domain::client::KnownClient;
use gateward_domain::ports::{ClientRepo, StoreError};
use gateward_domain::{ClientId, Origin, Timestamp, UserId};
use redb::WriteTransaction;

use crate::rows::ClientRow;
use crate::tables::{
    CLIENT_ENDS, CLIENT_SECRETS, CLIENTS_OF_USER, View, claim_secret, count_of, enter, insert,
    place_in_time, remove, table, update,
};
use crate::unit::RedbTx;
use crate::users;

#[async_trait]
impl ClientRepo for RedbTx {
    async fn insert_client(&mut self, client: &KnownClient) -> Result<(), StoreError> {
        let client = client.clone();
        self.write(move |transaction| add(transaction, &client)).await
    }

    async fn touch_client(
        &mut self,
        id: ClientId,
        origin: &Origin,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let origin = origin.clone();
        self.write(move |transaction| {
            let Some(client) = View::Own(transaction).find::<ClientRow>(key(id))? else {
                return Ok(false);
            };
            remove(transaction, CLIENT_ENDS, place_in_time(client.expires_at, key(id)))?;
            enter(transaction, CLIENT_ENDS, place_in_time(expires_at, key(id)))?;
            update::<ClientRow>(transaction, key(id), |client| {
                client.origin = origin;
                client.last_used_at = now;
                client.expires_at = expires_at;
                true
            })
        })
        .await
    }

    async fn list_user_clients(
        &mut self,
        user_id: UserId,
        limit: u32,
    ) -> Result<Vec<KnownClient>, StoreError> {
        self.read(move |view| of_user(view, user_id, count_of(limit))).await
    }

    async fn delete_client(&mut self, id: ClientId) -> Result<bool, StoreError> {
        self.write(move |transaction| {
            let client = View::Own(transaction).find::<ClientRow>(key(id))?;
            Ok(forget_all(transaction, client.as_slice())? > 0)
        })
        .await
    }

    async fn delete_user_clients(&mut self, user_id: UserId) -> Result<u64, StoreError> {
        self.write(move |transaction| delete_of_user(transaction, user_id)).await
    }

    async fn delete_clients(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.write(move |transaction| {
            let view = View::Own(transaction);
            let over = view.span(CLIENT_ENDS, ..place_in_time(before, 0), count_of(limit))?;
            forget_all(transaction, &view.find_all::<ClientRow>(over)?)
        })
        .await
    }
}

/// Deletes all clients of an account; gives how many.
pub fn delete_of_user(transaction: &WriteTransaction, user_id: UserId) -> Result<u64, StoreError> {
    forget_all(transaction, &of_user(View::Own(transaction), user_id, usize::MAX)?)
}

const fn key(id: ClientId) -> u128 {
    id.uuid().as_u128()
}

/// Where a client stands among those of its account.
const fn place_of_user(client: &KnownClient) -> (u128, u128) {
    (client.user_id.uuid().as_u128(), key(client.id))
}

fn of_user(view: View<'_>, user_id: UserId, limit: usize) -> Result<Vec<KnownClient>, StoreError> {
    let ids = view.page(CLIENTS_OF_USER, user_id.uuid().as_u128(), None, limit)?;
    view.find_all::<ClientRow>(ids)
}

fn add(transaction: &WriteTransaction, client: &KnownClient) -> Result<(), StoreError> {
    if users::find(View::Own(transaction), client.user_id)?.is_none() {
        return Err(StoreError::Unavailable("a client is of an account that exists".into()));
    }
    let id = key(client.id);
    insert::<ClientRow>(transaction, id, client)?;
    claim_secret(transaction, CLIENT_SECRETS, &client.secret, id)?;
    enter(transaction, CLIENTS_OF_USER, place_of_user(client))?;
    enter(transaction, CLIENT_ENDS, place_in_time(client.expires_at, id))
}

/// Deletes clients, with their places in the indexes; gives how many.
fn forget_all(transaction: &WriteTransaction, clients: &[KnownClient]) -> Result<u64, StoreError> {
    let mut count = 0;
    for client in clients {
        let id = key(client.id);
        remove(transaction, CLIENT_SECRETS, &client.secret.0)?;
        remove(transaction, CLIENTS_OF_USER, place_of_user(client))?;
        remove(transaction, CLIENT_ENDS, place_in_time(client.expires_at, id))?;
        remove(transaction, table::<ClientRow>(), id)?;
        count += 1;
    }
    Ok(count)
}
