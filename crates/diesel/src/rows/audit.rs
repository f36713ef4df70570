//! The one row of `audit_chain`.

use diesel::prelude::{Insertable, Queryable};
use gateward_domain::audit::{Chain, Checkpoint, Digest, SignedCheckpoint};
use gateward_domain::ports::StoreError;

use super::super::columns::Time;
use super::super::schema::audit_chain;
use super::bytes_32;

/// The one row of `audit_chain`.
#[derive(Queryable, Insertable)]
#[diesel(table_name = audit_chain)]
pub struct ChainRow {
    only_row: bool,
    retention_boundary_seq: i64,
    retention_boundary_digest: Vec<u8>,
    retention_boundary_at: Time,
    retention_boundary_signature: String,
    checkpoint_seq: i64,
    checkpoint_digest: Vec<u8>,
    checkpoint_at: Time,
    checkpoint_signature: String,
}

impl From<Chain> for ChainRow {
    fn from(Chain { retention_boundary, latest }: Chain) -> Self {
        Self {
            only_row: true,
            retention_boundary_seq: retention_boundary.checkpoint.seq,
            retention_boundary_digest: retention_boundary.checkpoint.digest.0.to_vec(),
            retention_boundary_at: Time(retention_boundary.checkpoint.at),
            retention_boundary_signature: retention_boundary.signature,
            checkpoint_seq: latest.checkpoint.seq,
            checkpoint_digest: latest.checkpoint.digest.0.to_vec(),
            checkpoint_at: Time(latest.checkpoint.at),
            checkpoint_signature: latest.signature,
        }
    }
}

impl TryFrom<ChainRow> for Chain {
    type Error = StoreError;

    fn try_from(row: ChainRow) -> Result<Self, StoreError> {
        let retention_boundary = Checkpoint {
            seq: row.retention_boundary_seq,
            digest: Digest(bytes_32(
                &row.retention_boundary_digest,
                "audit_chain",
                "retention_boundary_digest",
            )?),
            at: row.retention_boundary_at.0,
        };
        let latest = Checkpoint {
            seq: row.checkpoint_seq,
            digest: Digest(bytes_32(&row.checkpoint_digest, "audit_chain", "checkpoint_digest")?),
            at: row.checkpoint_at.0,
        };
        Ok(Self {
            retention_boundary: SignedCheckpoint {
                checkpoint: retention_boundary,
                signature: row.retention_boundary_signature,
            },
            latest: SignedCheckpoint { checkpoint: latest, signature: row.checkpoint_signature },
        })
    }
}
