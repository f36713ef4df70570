//! How the keyring signs the heads of the audit trail and reads them, and how it makes pseudonyms.

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

/// What a signature on a head says, in the order in which it is written.
#[derive(Serialize)]
struct CheckpointBody<'a> {
    iss: &'a str,
    seq: i64,
    digest: String,
    at_micros: i64,
}

impl AuditKeys for Keyring {
    /// Signs with the key that is in force when the head says that it is signed.
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

    /// Follows from the oldest key, so that a rotation changes no pseudonym.
    fn pseudonym(&self, text: &str) -> Result<[u8; 32], TokenError> {
        let ring = self.ring();
        let keys = ring.oldest(KeyPurpose::Audit).and_then(material);
        keys.and_then(|keys| keys.pseudonym(text)).ok_or(TokenError::NoKey)
    }
}

/// The `typ` of a signature, so that one on a tip is none on a floor.
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

/// Reads a signature, however long ago it was made. Of a key that was revoked, what it signed
/// before is believed: whoever has the key can write a time into a head, but no digest that the
/// chain does not have, and what is signed after it covers what was before.
///
/// Which issuer it names is for others to look at: the key is this installation's own, and what was
/// signed before the installation got another issuer stays true.
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
