//! The one row of `audit_chain`.

use diesel::prelude::{Insertable, Queryable};
use gateward_domain::audit::{Chain, Digest, Head, SignedHead};
use gateward_domain::ports::StoreError;

use super::super::columns::Time;
use super::super::schema::audit_chain;
use super::bytes_32;

/// The one row of `audit_chain`.
#[derive(Queryable, Insertable)]
#[diesel(table_name = audit_chain)]
pub struct ChainRow {
    only_row: bool,
    floor_seq: i64,
    floor_digest: Vec<u8>,
    floor_at: Time,
    floor_signature: String,
    tip_seq: i64,
    tip_digest: Vec<u8>,
    tip_at: Time,
    tip_signature: String,
}

impl From<Chain> for ChainRow {
    fn from(Chain { floor, tip }: Chain) -> Self {
        Self {
            only_row: true,
            floor_seq: floor.head.seq,
            floor_digest: floor.head.digest.0.to_vec(),
            floor_at: Time(floor.head.at),
            floor_signature: floor.signature,
            tip_seq: tip.head.seq,
            tip_digest: tip.head.digest.0.to_vec(),
            tip_at: Time(tip.head.at),
            tip_signature: tip.signature,
        }
    }
}

impl TryFrom<ChainRow> for Chain {
    type Error = StoreError;

    fn try_from(row: ChainRow) -> Result<Self, StoreError> {
        let floor = Head {
            seq: row.floor_seq,
            digest: Digest(bytes_32(&row.floor_digest, "audit_chain", "floor_digest")?),
            at: row.floor_at.0,
        };
        let tip = Head {
            seq: row.tip_seq,
            digest: Digest(bytes_32(&row.tip_digest, "audit_chain", "tip_digest")?),
            at: row.tip_at.0,
        };
        Ok(Self {
            floor: SignedHead { head: floor, signature: row.floor_signature },
            tip: SignedHead { head: tip, signature: row.tip_signature },
        })
    }
}
