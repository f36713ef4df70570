//! Appends events to the chain, in one visit of the writer's thread.

use diesel::prelude::*;
use gateward_domain::EventId;
use gateward_domain::audit::ChainPosition;
use gateward_domain::ports::StoreError;

use super::Tx;
use super::columns::Id;
use super::schema::events;
use crate::run::StatementKind;

impl Tx {
    /// Sets the positions of events that have none. Returns their number.
    pub(super) async fn write_positions(
        &mut self,
        positions: &[(EventId, ChainPosition)],
    ) -> Result<usize, StoreError> {
        let positions = positions.to_vec();
        let write = move |conn: &mut SqliteConnection| {
            let mut count = 0;
            for (id, position) in positions {
                let open = events::id.eq(Id(id.uuid())).and(events::seq.is_null());
                count += diesel::update(events::table.filter(open))
                    .set((
                        events::seq.eq(position.seq),
                        events::digest.eq(position.digest.0.as_slice()),
                        events::signature.eq(position.signature),
                    ))
                    .execute(conn)?;
            }
            Ok(count)
        };
        let result = self.start(StatementKind::Write).await?.spawn_blocking(write).await;
        self.finish("events", result)
    }
}
