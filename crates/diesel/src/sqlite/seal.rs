//! Giving events their places in the chain, in one visit of the writer's thread.

use diesel::prelude::*;
use gateward_domain::EventId;
use gateward_domain::audit::Seal;
use gateward_domain::ports::StoreError;

use super::Tx;
use super::columns::Id;
use super::schema::events;
use crate::run::Deed;

impl Tx {
    /// Writes the places of events that have none; gives to how many.
    pub(super) async fn write_seals(
        &mut self,
        seals: &[(EventId, Seal)],
    ) -> Result<usize, StoreError> {
        let seals = seals.to_vec();
        let write = move |conn: &mut SqliteConnection| {
            let mut count = 0;
            for (id, seal) in seals {
                let open = events::id.eq(Id(id.uuid())).and(events::seq.is_null());
                count += diesel::update(events::table.filter(open))
                    .set((
                        events::seq.eq(seal.seq),
                        events::digest.eq(seal.digest.0.as_slice()),
                        events::signature.eq(seal.signature),
                    ))
                    .execute(conn)?;
            }
            Ok(count)
        };
        let result = self.start(Deed::Write).await?.spawn_blocking(write).await;
        self.finish("events", result)
    }
}
