//! Appends events to the chain, many in one statement.

use diesel::sql_types::{Array, BigInt, Binary, Nullable, Text};
use diesel_async::RunQueryDsl;
use gateward_domain::EventId;
use gateward_domain::audit::ChainPosition;
use gateward_domain::ports::StoreError;

use super::Tx;
use super::columns::{Id, sql};

/// One event for each row of the arrays.
const CHAIN_POSITION: &str = "\
    UPDATE events SET seq = seals.seq, digest = seals.digest, signature = seals.signature \
    FROM unnest($1, $2, $3, $4) AS seals (id, seq, digest, signature) \
    WHERE events.id = seals.id AND events.seq IS NULL";

impl Tx {
    /// Sets the positions of events that have none. Returns their number.
    pub(super) async fn write_positions(
        &mut self,
        positions: &[(EventId, ChainPosition)],
    ) -> Result<usize, StoreError> {
        let ids: Vec<_> = positions.iter().map(|(id, _)| Id(id.uuid())).collect();
        let numbers: Vec<_> = positions.iter().map(|(_, position)| position.seq).collect();
        let digests: Vec<_> =
            positions.iter().map(|(_, position)| position.digest.0.as_slice()).collect();
        let signatures: Vec<_> =
            positions.iter().map(|(_, position)| position.signature.as_deref()).collect();
        let update = diesel::sql_query(CHAIN_POSITION)
            .bind::<Array<sql::Ident>, _>(ids)
            .bind::<Array<BigInt>, _>(numbers)
            .bind::<Array<Binary>, _>(digests)
            .bind::<Array<Nullable<Text>>, _>(signatures);
        change!(self, "events", conn => update.execute(conn))
    }
}
