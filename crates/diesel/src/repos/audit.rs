//! `AuditRepo`: the hash chain of the events.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use gateward_domain::audit::{Chain, ChainPosition, Entry, SignedCheckpoint};
use gateward_domain::ports::{AuditRepo, StoreError};
use gateward_domain::{EventId, Timestamp, UserId};

use super::super::Tx;
use super::super::columns::{Id, Time};
use super::super::rows::{ChainPositionRow, ChainRow, EventRow, entry};
use super::super::schema::{audit_chain, erasures, events};

#[async_trait]
impl AuditRepo for Tx {
    async fn list_unchained_events(&mut self, limit: u32) -> Result<Vec<Entry>, StoreError> {
        let (mut entries, wanted) = (Vec::new(), limit as usize);
        // No identifier is nil.
        let mut last = Id(uuid::Uuid::nil());
        loop {
            let rows = read!(self, "events", conn => events::table
                .filter(events::seq.is_null().and(events::id.gt(last)))
                .order(events::id)
                .limit(i64::from(limit))
                .select((EventRow::as_select(), ChainPositionRow::as_select()))
                .load::<(EventRow, ChainPositionRow)>(conn))?;
            let is_last = rows.len() < wanted;
            for (row, position) in rows {
                last = row.id();
                entries.extend(entry((row, position)).ok());
            }
            if is_last || entries.len() >= wanted {
                entries.truncate(wanted);
                return Ok(entries);
            }
        }
    }

    async fn find_chain(&mut self) -> Result<Chain, StoreError> {
        let row = find!(self, "audit_chain", conn => audit_chain::table.first::<ChainRow>(conn))?;
        row.map_or(Ok(Chain::start()), Chain::try_from)
    }

    async fn lock_chain(&mut self) -> Result<Chain, StoreError> {
        self.may_lock()?;
        let insert = diesel::insert_into(audit_chain::table)
            .values(ChainRow::from(Chain::start()))
            .on_conflict_do_nothing();
        change!(self, "audit_chain", conn => insert.execute(conn))?;
        let row = read!(self, "audit_chain", conn => locked!(audit_chain::table)
            .first::<ChainRow>(conn))?;
        row.try_into()
    }

    async fn append_to_chain(
        &mut self,
        positions: &[(EventId, ChainPosition)],
        latest: &SignedCheckpoint,
    ) -> Result<(), StoreError> {
        self.may_lock()?;
        if self.write_positions(positions).await? < positions.len() {
            self.fail();
            return Err(StoreError::Unavailable("an event is already in the chain".into()));
        }
        let update = diesel::update(audit_chain::table).set((
            audit_chain::checkpoint_seq.eq(latest.checkpoint.seq),
            audit_chain::checkpoint_digest.eq(latest.checkpoint.digest.0.as_slice()),
            audit_chain::checkpoint_at.eq(Time(latest.checkpoint.at)),
            audit_chain::checkpoint_signature.eq(&latest.signature),
        ));
        change!(self, "audit_chain", conn => update.execute(conn)).map(drop)
    }

    async fn list_chained_events(
        &mut self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        let rows = read!(self, "events", conn => events::table
            .filter(events::seq.gt(after))
            .order(events::seq)
            .limit(i64::from(limit))
            .select((EventRow::as_select(), ChainPositionRow::as_select()))
            .load::<(EventRow, ChainPositionRow)>(conn))?;
        rows.into_iter().map(entry).collect()
    }

    async fn truncate_chain(
        &mut self,
        retention_boundary: &SignedCheckpoint,
    ) -> Result<u64, StoreError> {
        self.may_lock()?;
        let delete =
            diesel::delete(events::table.filter(events::seq.le(retention_boundary.checkpoint.seq)));
        let count = change!(self, "events", conn => delete.execute(conn))?;
        let update = diesel::update(audit_chain::table).set((
            audit_chain::retention_boundary_seq.eq(retention_boundary.checkpoint.seq),
            audit_chain::retention_boundary_digest.eq(retention_boundary
                .checkpoint
                .digest
                .0
                .as_slice()),
            audit_chain::retention_boundary_at.eq(Time(retention_boundary.checkpoint.at)),
            audit_chain::retention_boundary_signature.eq(&retention_boundary.signature),
        ));
        change!(self, "audit_chain", conn => update.execute(conn))?;
        Ok(u64::try_from(count).unwrap_or(u64::MAX))
    }

    async fn request_erasure(&mut self, user_id: UserId, now: Timestamp) -> Result<(), StoreError> {
        let insert = diesel::insert_into(erasures::table)
            .values((
                erasures::user_id.eq(Id(user_id.uuid())),
                erasures::requested_at.eq(Time(now)),
            ))
            .on_conflict_do_nothing();
        change!(self, "erasures", conn => insert.execute(conn)).map(drop)
    }

    async fn find_erasure(&mut self) -> Result<Option<UserId>, StoreError> {
        let id = find!(self, "erasures", conn => erasures::table
            .order((erasures::requested_at, erasures::user_id))
            .select(erasures::user_id)
            .first::<Id>(conn))?;
        Ok(id.map(|id| UserId::from_uuid(id.0)))
    }

    async fn erase_events(&mut self, user_id: UserId, limit: u32) -> Result<u64, StoreError> {
        atomically!(self, self.erase_events_and_note(user_id, limit))
    }
}

impl Tx {
    /// Erases events. Once none is left, deletes the request.
    async fn erase_events_and_note(
        &mut self,
        user_id: UserId,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let id = Id(user_id.uuid());
        let whole = diesel::alias!(events as whole);
        let by_nobody = whole.field(events::actor_id).is_null();
        let about = whole.field(events::user_id).eq(id).and(by_nobody);
        let theirs = about.or(whole.field(events::actor_id).eq(id));
        let personal =
            whole.field(events::ip).is_not_null().or(whole.field(events::salt).is_not_null());
        let meant = whole
            .filter(theirs)
            .filter(personal)
            .order(whole.field(events::id))
            .limit(i64::from(limit))
            .select(whole.field(events::id));
        let update = diesel::update(events::table.filter(events::id.eq_any(in_turn!(meant))))
            .set((events::ip.eq(None::<String>), events::salt.eq(None::<Vec<u8>>)));
        let count = change!(self, "events", conn => update.execute(conn))?;
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        if count < u64::from(limit) {
            let delete = diesel::delete(erasures::table.find(id));
            change!(self, "erasures", conn => delete.execute(conn))?;
        }
        Ok(count)
    }
}
