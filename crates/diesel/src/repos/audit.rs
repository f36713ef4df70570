//! `AuditTrail`: the chain of the events.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use gateward_domain::audit::{Chain, Entry, Seal, SignedHead};
use gateward_domain::ports::{AuditTrail, StoreError};
use gateward_domain::{EventId, Timestamp, UserId};

use super::super::Tx;
use super::super::columns::{Id, Time};
use super::super::rows::{ChainRow, EventRow, SealRow, entry};
use super::super::schema::{audit_chain, erasures, events};

#[async_trait]
impl AuditTrail for Tx {
    async fn list_unsealed_events(&mut self, limit: u32) -> Result<Vec<Entry>, StoreError> {
        let (mut entries, wanted) = (Vec::new(), limit as usize);
        // No identifier is nil.
        let mut last = Id(uuid::Uuid::nil());
        loop {
            let rows = read!(self, "events", conn => events::table
                .filter(events::seq.is_null().and(events::id.gt(last)))
                .order(events::id)
                .limit(i64::from(limit))
                .select((EventRow::as_select(), SealRow::as_select()))
                .load::<(EventRow, SealRow)>(conn))?;
            let is_last = rows.len() < wanted;
            for (row, seal) in rows {
                last = row.id();
                entries.extend(entry((row, seal)).ok());
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

    async fn seal_events(
        &mut self,
        seals: &[(EventId, Seal)],
        tip: &SignedHead,
    ) -> Result<(), StoreError> {
        self.may_lock()?;
        if self.write_seals(seals).await? < seals.len() {
            self.fail();
            return Err(StoreError::Unavailable("an event has its place already".into()));
        }
        let update = diesel::update(audit_chain::table).set((
            audit_chain::tip_seq.eq(tip.head.seq),
            audit_chain::tip_digest.eq(tip.head.digest.0.as_slice()),
            audit_chain::tip_at.eq(Time(tip.head.at)),
            audit_chain::tip_signature.eq(&tip.signature),
        ));
        change!(self, "audit_chain", conn => update.execute(conn)).map(drop)
    }

    async fn list_sealed_events(
        &mut self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        let rows = read!(self, "events", conn => events::table
            .filter(events::seq.gt(after))
            .order(events::seq)
            .limit(i64::from(limit))
            .select((EventRow::as_select(), SealRow::as_select()))
            .load::<(EventRow, SealRow)>(conn))?;
        rows.into_iter().map(entry).collect()
    }

    async fn cut_chain(&mut self, floor: &SignedHead) -> Result<u64, StoreError> {
        self.may_lock()?;
        let delete = diesel::delete(events::table.filter(events::seq.le(floor.head.seq)));
        let count = change!(self, "events", conn => delete.execute(conn))?;
        let update = diesel::update(audit_chain::table).set((
            audit_chain::floor_seq.eq(floor.head.seq),
            audit_chain::floor_digest.eq(floor.head.digest.0.as_slice()),
            audit_chain::floor_at.eq(Time(floor.head.at)),
            audit_chain::floor_signature.eq(&floor.signature),
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
    /// Erases events; where none is left, the note of it.
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
