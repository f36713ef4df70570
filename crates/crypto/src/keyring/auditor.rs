//! How the keyring signs and verifies the checkpoints of the audit trail, and derives pseudonyms.

use gateward_domain::audit::{Checkpoint, CheckpointKind, Digest};
use gateward_domain::key::{Algorithm, KeyId, KeyPurpose};
use gateward_domain::ports::AuditKeys;
use gateward_domain::{Timestamp, TokenError};
use serde::Serialize;

use super::Keyring;
use super::material::AuditMaterial;
use super::ring::{Material, ReadyKey, Ring};
use crate::json::Object;
use crate::jws::{self, Compact};

/// The signed content of a checkpoint, in the order in which it is encoded.
#[derive(Serialize)]
struct CheckpointBody<'a> {
    iss: &'a str,
    seq: i64,
    digest: String,
    at_micros: i64,
}

impl AuditKeys for Keyring {
    /// Signs with the key that is active at the time in the checkpoint.
    fn sign_checkpoint(
        &self,
        kind: CheckpointKind,
        checkpoint: &Checkpoint,
    ) -> Result<String, TokenError> {
        let ring = self.ring();
        let key = ring.signing(KeyPurpose::Audit, checkpoint.at).ok_or(TokenError::NoKey)?;
        let keys = material(key).ok_or(TokenError::NoKey)?;
        let header = jws::header_segment(Algorithm::EdDsa, typ(kind), &key.stored.id.0);
        write(&self.settings.issuer, checkpoint)
            .and_then(|body| jws::sign(&header, &body, &keys.signing))
            .ok_or(TokenError::NoKey)
    }

    fn read_checkpoint(&self, signature: &str) -> Result<(CheckpointKind, Checkpoint), TokenError> {
        let ring = self.ring_with(KeyPurpose::Audit)?;
        read(&ring, signature).ok_or(TokenError::Invalid)
    }

    /// Derived from the oldest key, so that a rotation changes no pseudonym.
    fn pseudonym(&self, text: &str) -> Result<[u8; 32], TokenError> {
        let ring = self.ring();
        let keys = ring.oldest(KeyPurpose::Audit).and_then(material);
        keys.and_then(|keys| keys.pseudonym(text)).ok_or(TokenError::NoKey)
    }
}

/// The `typ` of a signature. It keeps the signature of a latest checkpoint from being accepted for
/// a retention boundary.
const fn typ(kind: CheckpointKind) -> &'static str {
    match kind {
        CheckpointKind::Latest => "audit-checkpoint+jwt",
        CheckpointKind::RetentionBoundary => "audit-retention-boundary+jwt",
    }
}

fn material(key: &ReadyKey) -> Option<&AuditMaterial> {
    if let Material::Audit(keys) = key.material() { Some(keys) } else { None }
}

fn write(issuer: &str, checkpoint: &Checkpoint) -> Option<Vec<u8>> {
    let digest = checkpoint.digest.to_string();
    let body = CheckpointBody {
        iss: issuer,
        seq: checkpoint.seq,
        digest,
        at_micros: checkpoint.at.micros(),
    };
    serde_json::to_vec(&body).ok()
}

/// Verifies a signature of any age. For a revoked key, its earlier signatures are accepted: an
/// attacker with the key can choose the time in a checkpoint, but cannot produce a digest that the
/// chain does not have, and each later signature covers everything before it.
///
/// The issuer is not checked: the key belongs to this installation, and its signatures remain valid
/// when the installation changes its issuer.
fn read(ring: &Ring, signature: &str) -> Option<(CheckpointKind, Checkpoint)> {
    let compact = Compact::parse(signature)?;
    let id = KeyId(compact.header.kid.clone()?);
    let key = ring.find(&id)?;
    let keys = material(key)?;
    let named = compact.header.typ.as_deref()?;
    let kind = [CheckpointKind::Latest, CheckpointKind::RetentionBoundary]
        .into_iter()
        .find(|kind| typ(*kind) == named)?;
    let payload = compact.verify(&keys.verifying, Algorithm::EdDsa)?;
    let body = Object::parse(&payload)?;
    body.text("iss")?;
    let checkpoint = Checkpoint {
        seq: body.int("seq")?,
        digest: Digest::from_hex(body.text("digest")?)?,
        at: Timestamp::from_micros(body.int("at_micros")?),
    };
    let is_in_time = key.stored.revoked_at.is_none_or(|at| checkpoint.at < at);
    is_in_time.then_some((kind, checkpoint))
}
