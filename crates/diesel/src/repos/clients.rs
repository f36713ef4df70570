//! `ClientRepo`: the clients that have logged in before.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use gateward_domain::client::KnownClient;
use gateward_domain::ports::{ClientRepo, StoreError};
use gateward_domain::{ClientId, Origin, Timestamp, UserId};

use super::super::Tx;
use super::super::columns::{Id, Time};
use super::super::rows::ClientRow;
use super::super::schema::known_clients;

#[async_trait]
impl ClientRepo for Tx {
    async fn insert_client(&mut self, client: &KnownClient) -> Result<(), StoreError> {
        let insert = diesel::insert_into(known_clients::table).values(ClientRow::from(client));
        change!(self, "known_clients", conn => insert.execute(conn)).map(drop)
    }

    async fn touch_client(
        &mut self,
        id: ClientId,
        origin: &Origin,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let update = diesel::update(known_clients::table.find(Id(id.uuid()))).set((
            known_clients::ip.eq(origin.ip.map(|ip| ip.to_string())),
            known_clients::user_agent.eq(origin.user_agent.as_deref()),
            known_clients::last_used_at.eq(Time(now)),
            known_clients::expires_at.eq(Time(expires_at)),
        ));
        Ok(change!(self, "known_clients", conn => update.execute(conn))? > 0)
    }

    async fn list_user_clients(
        &mut self,
        user_id: UserId,
        limit: u32,
    ) -> Result<Vec<KnownClient>, StoreError> {
        let user_id = Id(user_id.uuid());
        let rows = read!(self, "known_clients", conn => known_clients::table
            .filter(known_clients::user_id.eq(user_id))
            .order(known_clients::id)
            .limit(i64::from(limit))
            .load::<ClientRow>(conn))?;
        rows.into_iter().map(KnownClient::try_from).collect()
    }

    async fn delete_client(&mut self, id: ClientId) -> Result<bool, StoreError> {
        let delete = diesel::delete(known_clients::table.find(Id(id.uuid())));
        Ok(change!(self, "known_clients", conn => delete.execute(conn))? > 0)
    }

    async fn delete_user_clients(&mut self, user_id: UserId) -> Result<u64, StoreError> {
        let theirs = known_clients::user_id.eq(Id(user_id.uuid()));
        let delete = diesel::delete(known_clients::table.filter(theirs));
        let count = change!(self, "known_clients", conn => delete.execute(conn))?;
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }

    async fn delete_clients(&mut self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let old = diesel::alias!(known_clients as old);
        let over = old
            .filter(old.field(known_clients::expires_at).lt(Time(before)))
            .order(old.field(known_clients::expires_at))
            .limit(i64::from(limit))
            .select(old.field(known_clients::id));
        // One that logs in meanwhile stays.
        let still = known_clients::id.eq_any(over).and(known_clients::expires_at.lt(Time(before)));
        let delete = diesel::delete(known_clients::table.filter(still));
        let count = change!(self, "known_clients", conn => delete.execute(conn))?;
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }
}
