//! The row of the chain: its two ends.

use gateward_domain::Timestamp;
use gateward_domain::audit::{Chain, Digest, Head, SignedHead};
use serde::{Deserialize, Serialize};

use super::Row;

/// The one row of the chain.
#[derive(Serialize, Deserialize)]
pub struct ChainRow {
    floor: HeadColumns,
    tip: HeadColumns,
}

/// One end, and the signature on it.
#[derive(Serialize, Deserialize)]
struct HeadColumns {
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
        Self { floor: HeadColumns::of(&chain.floor), tip: HeadColumns::of(&chain.tip) }
    }

    fn into_noun(self) -> Result<Chain, &'static str> {
        Ok(Chain {
            floor: self.floor.into_head().ok_or("floor")?,
            tip: self.tip.into_head().ok_or("tip")?,
        })
    }
}

impl HeadColumns {
    fn of(SignedHead { head, signature }: &SignedHead) -> Self {
        Self {
            seq: head.seq,
            digest: head.digest.to_string(),
            at: head.at.micros(),
            signature: signature.clone(),
        }
    }

    fn into_head(self) -> Option<SignedHead> {
        let digest = Digest::from_hex(&self.digest)?;
        let head = Head { seq: self.seq, digest, at: Timestamp::from_micros(self.at) };
        Some(SignedHead { head, signature: self.signature })
    }
}
