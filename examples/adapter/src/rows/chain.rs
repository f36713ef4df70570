//! The row of the chain: both of its ends.

use gateward_domain::Timestamp;
use gateward_domain::audit::{Chain, Checkpoint, Digest, SignedCheckpoint};
use serde::{Deserialize, Serialize};

use super::Row;

/// The one row of the chain.
#[derive(Serialize, Deserialize)]
pub struct ChainRow {
    retention_boundary: CheckpointColumns,
    latest: CheckpointColumns,
}

/// One end, with its signature.
#[derive(Serialize, Deserialize)]
struct CheckpointColumns {
    seq: i64,
    digest: String,
    at: i64,
    signature: String,
}

impl Row for ChainRow {
    type Noun = Chain;
    type Key = ();
    const TABLE: &'static str = "chain_ends";

    fn of(chain: &Chain) -> Self {
        Self {
            retention_boundary: CheckpointColumns::of(&chain.retention_boundary),
            latest: CheckpointColumns::of(&chain.latest),
        }
    }

    fn into_noun(self) -> Result<Chain, &'static str> {
        Ok(Chain {
            retention_boundary: self
                .retention_boundary
                .into_checkpoint()
                .ok_or("retention_boundary")?,
            latest: self.latest.into_checkpoint().ok_or("checkpoint")?,
        })
    }
}

impl CheckpointColumns {
    fn of(SignedCheckpoint { checkpoint, signature }: &SignedCheckpoint) -> Self {
        Self {
            seq: checkpoint.seq,
            digest: checkpoint.digest.to_string(),
            at: checkpoint.at.micros(),
            signature: signature.clone(),
        }
    }

    fn into_checkpoint(self) -> Option<SignedCheckpoint> {
        let digest = Digest::from_hex(&self.digest)?;
        let checkpoint = Checkpoint { seq: self.seq, digest, at: Timestamp::from_micros(self.at) };
        Some(SignedCheckpoint { checkpoint, signature: self.signature })
    }
}
